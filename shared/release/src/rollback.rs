//! Rollback: back to what was live before, in one call, whoever else is writing.

use cache::ReadAt;
use domain::{
    Caller, Environment, Error, ErrorKind, EvalStatus, Prompt, PromptId, Ref, Result, Timestamp, Version,
    VersionId, VersionState,
    audit::{Action, Fact},
    reference::Mover,
};
use registry::{
    Act, Made,
    settle::contended,
    version::{VersionDetails, refuse_archived},
};
use serde_json::{Value, json};
use store::{Change, CommitError, PageRequest, Slot};
use tokio::time::Instant;

use crate::{
    Release,
    moved::{INSISTENCE, Moved, News, check_expected, check_reason, describe_move},
    not_live, require_mover,
};

/// How often a rollback tries before it gives up, even where that takes longer than it would insist.
const LEAST_TRIES: u32 = 8;

/// A wish to roll back.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// Where.
    pub environment: Environment,
    /// To what; `None`: to what was live before.
    pub target_version_id: Option<VersionId>,
    /// The `moved_revision` that the mover saw.
    pub expected_revision: Option<u64>,
    /// Why.
    pub reason: Option<String>,
}

impl Release {
    /// Rolls back. It asks for no evaluation, waits for none, and no lock holds it.
    ///
    /// Without an expected revision it wins against any writer: met once, it asks all others to stand back, and
    /// tries on for 3 s, and some times at least: that the table is slow is no reason to give up.
    pub async fn roll_back(&self, act: &Act, address: &str, wish: &Rollback) -> Result<Made<Moved>> {
        require_mover(&act.caller, &wish.environment)?;
        check_reason("/reason", wish.reason.as_deref())?;
        let registry = &self.registry;
        let prompt_id = registry.cache.locate(&act.caller, address).await?;
        if let Some(made) = self.rolled_back_before(act, prompt_id).await? {
            return Ok(made);
        }
        let mut wished = None;
        let rolled_back = Box::pin(self.insist(act, prompt_id, wish, &mut wished)).await;
        // Its own write takes the wish away. Who writes nothing must take it back: others would stand back for nobody.
        if let (Some(until), Err(_) | Ok(Made { replayed: true, .. })) = (wished, &rolled_back)
            && let Err(error) = registry.store.withdraw_wish(prompt_id, until).await
        {
            tracing::warn!(prompt = %prompt_id, error = %error.chain(), "others stand back until the wish lapses");
        }
        rolled_back
    }

    /// Tries until it wins. `wished` tells until when it has asked others to stand back.
    async fn insist(
        &self,
        act: &Act,
        prompt_id: PromptId,
        wish: &Rollback,
        wished: &mut Option<Timestamp>,
    ) -> Result<Made<Moved>> {
        let registry = &self.registry;
        let deadline = Instant::now() + INSISTENCE;
        let mut tries = 0;
        loop {
            tries += 1;
            let read_at = ReadAt::now(&registry.sources);
            let built = Box::pin(self.build_rollback(act, prompt_id, wish, &Value::Null)).await;
            // Refused: perhaps because the same request was made a moment ago.
            if built.is_err()
                && let Some(made) = self.rolled_back_before(act, prompt_id).await?
            {
                return Ok(made);
            }
            let (change, before, after) = built?;
            match registry.store.commit(change.insisting()).await {
                Ok(()) => {
                    let news = News { reference: after, read_at };
                    let reach = self.propagate(&news).await;
                    let moved = Moved::new(&before, &news.reference, reach);
                    let value = moved.ok_or_else(|| Error::internal("a rollback without a version"))?;
                    return Ok(Made { value, replayed: false });
                }
                Err(CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Lost(Slot::Idempotency)) => {
                    return self.rolled_back_before(act, prompt_id).await?.ok_or_else(contended);
                }
                Err(CommitError::Lost(_) | CommitError::Busy)
                    if tries >= LEAST_TRIES && Instant::now() >= deadline =>
                {
                    return Err(contended());
                }
                Err(CommitError::Lost(_) | CommitError::Busy) => {
                    let until = registry.sources.now().plus(INSISTENCE);
                    registry.store.ask_to_yield(prompt_id, until).await?;
                    *wished = Some(until);
                    let (least, most) = (std::time::Duration::ZERO, std::time::Duration::from_millis(15));
                    tokio::time::sleep(registry.sources.jitter(least, most)).await;
                }
            }
        }
    }

    /// What this very request has made before.
    async fn rolled_back_before(&self, act: &Act, prompt_id: PromptId) -> Result<Option<Made<Moved>>> {
        let Some(made) = self.registry.made_before(act).await? else { return Ok(None) };
        Ok(Some(Made { value: self.moved_before(prompt_id, &made).await?, replayed: true }))
    }

    /// Reads side by side what it can: the shorter a try takes, the less can come between.
    pub(crate) async fn build_rollback(
        &self,
        act: &Act,
        prompt_id: PromptId,
        wish: &Rollback,
        evidence: &Value,
    ) -> Result<(Change, Ref, Ref)> {
        let registry = &self.registry;
        let address = prompt_id.to_string();
        let (prompt, found) = tokio::try_join!(
            registry.prompt(&act.caller, &address),
            registry.store.reference(prompt_id, &wish.environment)
        )?;
        refuse_archived(&prompt)?;
        let before =
            found.filter(|r| r.version.is_some()).ok_or_else(|| not_live(&prompt, &wish.environment))?;
        check_expected(&before, wish.expected_revision)?;
        let live = async {
            match before.version {
                Some(live) => registry.store.version(prompt_id, live.number).await,
                None => Ok(None),
            }
        };
        let ((target, state), live, running) =
            tokio::try_join!(self.target(&act.caller, &prompt, &before, wish), live, self.running(&before))?;
        registry.cache.keep_version(&target)?;
        let now = registry.sources.now();
        let mover = Mover { by: &act.caller.actor.id, at: now };
        let after = if ends_trial(&before, wish) {
            before.called_off(target.pointer(), mover)
        } else {
            before.rolled_back(target.pointer(), mover)
        };
        let mut fact = Fact::new(&act.caller.actor, Action::RolledBack, target.version_id);
        fact.reason.clone_from(&wish.reason);
        fact.evidence = evidence.clone();
        let live_sha256 = live.as_ref().map(|live| live.content_sha256.as_str());
        describe_move(&mut fact, (&before, live_sha256), (&after, &target.content_sha256));
        let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources)?;
        change.put_ref(&after)?;
        if let Some(state) = state {
            change.put_version_state(&state)?;
        }
        if let Some(running) = running {
            let reason = format!("{} rolled back.", act.caller.actor.name);
            change.put_trial(&running.called_off(&reason, now)?.after(&running))?;
        }
        if let Some(mark) = &act.once {
            let entry = change.entry().audit_id;
            change.once(mark, 200, entry)?;
        }
        Ok((change, before, after))
    }

    /// Where to, and the version's new state where it goes live for the first time.
    async fn target(
        &self,
        caller: &Caller,
        prompt: &Prompt,
        before: &Ref,
        wish: &Rollback,
    ) -> Result<(Version, Option<VersionState>)> {
        let Some(wanted) = wish.target_version_id else {
            // Ending the trial leaves what it was compared with.
            let target = if ends_trial(before, wish) { before.version } else { before.rollback_target() };
            let Some(pointer) = target else {
                return Err(self.nothing_left(caller, prompt, before).await?);
            };
            let version = self.registry.store.version(prompt.prompt_id, pointer.number).await?;
            let version =
                version.ok_or_else(|| Error::internal(format!("version {} is missing", pointer.id)))?;
            return Ok((version, None));
        };
        let VersionDetails { version, state } =
            self.registry.version_of(prompt, "/target_version_id", wanted).await?;
        if state.been_live.contains(&wish.environment) {
            return Ok((version, None));
        }
        if state.eval_status == EvalStatus::Passed {
            return Ok((version, Some(state.live_in(&wish.environment))));
        }
        Err(Error::new(
            ErrorKind::NoRollbackTarget,
            format!(
                "{wanted} was never live in `{}` and has not passed: it is no place to go back to.",
                wish.environment
            ),
        )
        .at("/target_version_id", "was never live here and has not passed"))
    }

    /// There is nothing on the undo stack: the candidates are the versions that were live here or have passed.
    async fn nothing_left(&self, caller: &Caller, prompt: &Prompt, before: &Ref) -> Result<Error> {
        let address = prompt.prompt_id.to_string();
        let page = self.registry.versions(caller, &address, &PageRequest::first(50)).await?;
        let candidates = page.data.iter().filter(|details| {
            Some(details.version.version_id) != before.version_id()
                && (details.state.been_live.contains(&before.environment)
                    || details.state.eval_status == EvalStatus::Passed)
        });
        let candidates: Vec<_> = candidates
            .map(|details| json!({ "version_id": details.version.version_id, "version_number": details.version.number }))
            .collect();
        let detail = format!(
            "Nothing is left to roll back to in `{}`. Name a version with `target_version_id`; the candidates are \
             those that were live here or have passed.",
            before.environment
        );
        Ok(Error::new(ErrorKind::NoRollbackTarget, detail).fact("candidates", candidates))
    }
}

/// Whether the rollback does no more than to end the trial that runs.
fn ends_trial(before: &Ref, wish: &Rollback) -> bool {
    wish.target_version_id.is_none() && before.allocation.is_some()
}
