//! What a move answers, and how it reaches the caches.

use std::time::Duration;

use cache::{FRESH, Published, ReadAt, WORST_AGE};
use domain::{
    Environment, Error, ErrorKind, Figure, PromptId, Ref, Result, Timestamp, VersionId,
    audit::{AuditEntry, Fact},
    trial::TrialId,
};
use registry::{Act, settle::Step, version::describe_pointer};
use serde_json::{Value, json};

use crate::Release;

/// A ref that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The environment.
    pub environment: Environment,
    /// What is live now.
    pub version_id: VersionId,
    /// What was live before.
    pub previous_version_id: Option<VersionId>,
    /// The ref's revision after the move.
    pub revision: u64,
    /// How far the news has come.
    pub reach: Reach,
    /// The experiment or canary that it ended.
    pub stopped: Option<TrialId>,
}

/// How far the news of a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The moment after which no resolve may show what was live before.
    pub propagated_at: Timestamp,
    /// From commit to the cache's acknowledgement; `None` without a cache, or without an answer of it.
    pub cache_invalidation_ms: Option<u64>,
    /// Whether a cache that there is has not answered: then others may serve what was live before for longer.
    pub cache_unanswered: bool,
}

/// A ref that was written a moment ago.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) reference: Ref,
    /// From before the try that wrote it.
    pub(crate) read_at: ReadAt,
}

impl Release {
    /// Writes a ref that stays on its version, and makes it known. One that is so already is as good to know anew.
    pub(crate) async fn settle_ref<A>(&self, act: &Act, attempt: impl Fn() -> A) -> Result<Ref>
    where
        A: Future<Output = Result<Step<News>>>,
    {
        // It sets a state, so making it twice does no harm: no idempotency key is looked at.
        let act = Act::by(act.caller.clone());
        let news =
            self.registry.settle(&act, attempt, |_| async { Err(Error::not_found("ref")) }).await?.value;
        self.propagate(&news).await;
        Ok(news.reference)
    }

    /// Makes a ref known that was written a moment ago, and says from when on nobody shows the old one: every
    /// process asks again when what it knows is [`FRESH`] old, and nobody is asked for longer than [`WORST_AGE`].
    pub(crate) async fn propagate(&self, News { reference, read_at }: &News) -> Reach {
        let sources = &self.registry.sources;
        let committed = sources.clock.monotonic();
        let published = self.registry.cache.publish_ref(reference, *read_at).await;
        let took = sources.clock.monotonic().saturating_sub(committed);
        let now = sources.now();
        let reach = match published {
            Published::WithoutCache => Reach::of_table(now),
            Published::Acknowledged => {
                Reach { cache_invalidation_ms: Some(millis(took)), ..Reach::of_table(now) }
            }
            Published::Unanswered => {
                let propagated_at = now.plus(WORST_AGE);
                Reach { propagated_at, cache_invalidation_ms: None, cache_unanswered: true }
            }
        };
        let still = if reach.cache_unanswered { WORST_AGE } else { FRESH };
        tracing::debug!(
            figure = Figure::Propagation.name(), value = millis(took + still), prompt = %reference.prompt_id,
            environment = %reference.environment, revision = reference.revision, "a ref was made known"
        );
        reach
    }

    /// What a move answered when it was made, from its entry in the audit.
    pub(crate) async fn moved_before(&self, prompt: PromptId, entry: &str) -> Result<Moved> {
        let id = entry.parse().map_err(Error::internal)?;
        let found = self.registry.store.prompt_audit_entry(prompt, id).await?;
        let entry = found.ok_or_else(|| Error::internal(format!("the audit entry {id} is missing")))?;
        // The cache may or may not have answered then.
        let cached = self.registry.cache.is_shared();
        let propagated_at = entry.at.plus(if cached { WORST_AGE } else { FRESH });
        let reach = Reach { propagated_at, ..Reach::of_table(entry.at) };
        Moved::read(prompt, &entry, reach)
            .ok_or_else(|| Error::internal(format!("the audit entry {id} is no move")))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Reach {
    /// Without a cache: whoever knows the old one asks the table again within [`FRESH`].
    pub(crate) fn of_table(committed_at: Timestamp) -> Self {
        let propagated_at = committed_at.plus(FRESH);
        Self { propagated_at, cache_invalidation_ms: None, cache_unanswered: false }
    }
}

impl Moved {
    pub(crate) fn new(before: &Ref, after: &Ref, reach: Reach) -> Option<Self> {
        Some(Self {
            prompt_id: after.prompt_id,
            environment: after.environment.clone(),
            version_id: after.version_id()?,
            previous_version_id: before.version_id(),
            revision: after.revision,
            reach,
            stopped: before.allocation.as_ref().map(|allocation| allocation.trial),
        })
    }

    fn read(prompt_id: PromptId, entry: &AuditEntry, reach: Reach) -> Option<Self> {
        let version = |state: &Value| state["version_id"].as_str()?.parse().ok();
        Some(Self {
            prompt_id,
            environment: entry.environment.clone()?,
            version_id: version(&entry.after)?,
            previous_version_id: version(&entry.before),
            revision: entry.after["revision"].as_u64()?,
            reach,
            stopped: entry.before["trial_id"].as_str().and_then(|trial| trial.parse().ok()),
        })
    }
}

/// Fills in how a ref was and is, with the hashes of the versions' contents.
pub(crate) fn describe_move(fact: &mut Fact, before: (&Ref, Option<&str>), after: (&Ref, &str)) {
    let state = |reference: &Ref, sha256: Option<&str>| match (reference.version, sha256) {
        (Some(pointer), Some(sha256)) => {
            let mut state = describe_pointer(pointer, sha256);
            state["revision"] = json!(reference.revision);
            if let Some(allocation) = &reference.allocation {
                state["trial_id"] = json!(allocation.trial);
            }
            state
        }
        _ => Value::Null,
    };
    fact.environment = Some(after.0.environment.clone());
    fact.before = state(before.0, before.1);
    fact.after = state(after.0, Some(after.1));
}

/// Refuses a move of a ref that is not where its mover saw it.
pub(crate) fn check_expected(reference: &Ref, expected: Option<u64>) -> Result<()> {
    match expected {
        Some(expected) if expected != reference.moved_revision => Err(Error::new(
            ErrorKind::Moved,
            format!(
                "`{}` moved since you looked: it stands at revision {}, not {expected}. Look again, then decide.",
                reference.environment, reference.moved_revision
            ),
        )
        .fact("moved_revision", reference.moved_revision)
        .fact("version_id", reference.version_id().map(|id| id.to_string()))),
        _ => Ok(()),
    }
}

/// Refuses a reason that is too long for the audit.
pub(crate) fn check_reason(pointer: &str, reason: Option<&str>) -> Result<()> {
    const MAX_BYTES: usize = 2000;
    if reason.is_some_and(|reason| reason.len() > MAX_BYTES) {
        return Err(Error::invalid(pointer, "A reason has at most 2,000 bytes."));
    }
    Ok(())
}

/// How long a rollback insists.
pub(crate) const INSISTENCE: Duration = Duration::from_secs(3);
