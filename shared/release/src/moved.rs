//! What a move answers, and how it reaches the caches.

use std::time::Duration;

use cache::{FRESH, ReadAt};
use domain::{
    Environment, Error, ErrorKind, PromptId, Ref, Result, Timestamp, VersionId,
    audit::{AuditEntry, Fact},
};
use registry::version::describe_pointer;
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
    /// The moment after which no resolve may show what was live before.
    pub propagated_at: Timestamp,
    /// From commit to the cache's acknowledgement; `None` without a cache.
    pub cache_invalidation_ms: Option<u64>,
}

impl Release {
    /// Tells this process's memory of a ref that it wrote, and says from when on nobody shows the old one: every
    /// other process's memory is asked again after [`FRESH`].
    ///
    /// The move is made by then: what fails here, the bound heals.
    pub(crate) async fn propagate(&self, reference: &Ref, read_at: ReadAt) -> Timestamp {
        let registry = &self.registry;
        if let Some(pointer) = reference.version {
            // The version comes first: memory swaps whole pairs.
            let loaded = registry.cache.version(reference.prompt_id, pointer.number).await;
            if let Err(error) = loaded {
                tracing::warn!(error = %error.chain(), "this process shows a move within the bound only");
            }
        }
        registry.cache.offer_ref(reference.clone(), read_at);
        registry.sources.now().plus(FRESH)
    }

    /// What a move answered when it was made, from its entry in the audit.
    pub(crate) async fn moved_before(&self, prompt: PromptId, entry: &str) -> Result<Moved> {
        let id = entry.parse().map_err(Error::internal)?;
        let found = self.registry.store.prompt_audit_entry(prompt, id).await?;
        let entry = found.ok_or_else(|| Error::internal(format!("the audit entry {id} is missing")))?;
        Moved::read(prompt, &entry).ok_or_else(|| Error::internal(format!("the audit entry {id} is no move")))
    }
}

impl Moved {
    pub(crate) fn new(before: &Ref, after: &Ref, propagated_at: Timestamp) -> Option<Self> {
        Some(Self {
            prompt_id: after.prompt_id,
            environment: after.environment.clone(),
            version_id: after.version_id()?,
            previous_version_id: before.version_id(),
            revision: after.revision,
            propagated_at,
            cache_invalidation_ms: None,
        })
    }

    fn read(prompt_id: PromptId, entry: &AuditEntry) -> Option<Self> {
        let version = |state: &Value| state["version_id"].as_str()?.parse().ok();
        Some(Self {
            prompt_id,
            environment: entry.environment.clone()?,
            version_id: version(&entry.after)?,
            previous_version_id: version(&entry.before),
            revision: entry.after["revision"].as_u64()?,
            propagated_at: entry.at.plus(FRESH),
            cache_invalidation_ms: None,
        })
    }
}

/// Fills in how a ref was and is, with the hashes of the versions' contents.
pub(crate) fn describe_move(fact: &mut Fact, before: (&Ref, Option<&str>), after: (&Ref, &str)) {
    let state = |reference: &Ref, sha256: Option<&str>| match (reference.version, sha256) {
        (Some(pointer), Some(sha256)) => {
            let mut state = describe_pointer(pointer, sha256);
            state["revision"] = json!(reference.revision);
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
