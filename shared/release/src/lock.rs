//! Locks: a person's freeze on promotions in one environment.

use cache::ReadAt;
use domain::{
    Environment, Error, Ref, Result, Timestamp,
    audit::{Action, Fact},
    reference::{Lock, Mover},
};
use registry::{Act, settle::Step};
use serde_json::json;
use store::Change;

use crate::{Release, moved::News, not_live, require_mover};

/// A wish to lock.
#[derive(Debug, Clone)]
pub struct NewLock {
    /// Until when; `None`: until somebody takes it off.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

impl Release {
    /// Puts a lock on an environment, or takes it off (`None`).
    pub async fn set_lock(
        &self,
        act: &Act,
        address: &str,
        environment: &Environment,
        lock: Option<&NewLock>,
    ) -> Result<Ref> {
        require_mover(&act.caller, environment)?;
        let registry = &self.registry;
        let now = registry.sources.now();
        if let Some(lock) = lock {
            if lock.reason.trim().is_empty() || lock.reason.len() > 1000 {
                return Err(Error::invalid("/reason", "A lock says why, in 1 to 1,000 bytes."));
            }
            if lock.until.is_some_and(|until| until <= now) {
                return Err(Error::invalid("/until", "until lies in the past."));
            }
        }
        let attempt = || async {
            let read_at = ReadAt::now(&registry.sources);
            let prompt = registry.prompt(&act.caller, address).await?;
            let mover = Mover { by: &act.caller.actor.id, at: now };
            let found = registry.store.reference(prompt.prompt_id, environment).await?;
            let before = match (found, lock) {
                (Some(found), _) => found,
                (None, Some(_)) => Ref::empty(&prompt, environment.clone(), mover),
                (None, None) => return Err(not_live(&prompt, environment)),
            };
            if lock.is_none() && before.lock.is_none() {
                return Ok(Step::Done(News { reference: before, read_at }));
            }
            let by = act.caller.actor.name.clone();
            let after = before.with_lock(lock.map(|lock| Lock {
                by,
                reason: lock.reason.clone(),
                until: lock.until,
            }));
            let action = if lock.is_some() { Action::Locked } else { Action::Unlocked };
            let mut fact = Fact::new(&act.caller.actor, action, prompt.prompt_id);
            fact.environment = Some(environment.clone());
            fact.before = json!({ "lock": before.lock, "revision": before.revision });
            fact.after = json!({ "lock": after.lock, "revision": after.revision });
            fact.reason = lock.map(|lock| lock.reason.clone());
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources)?;
            change.put_ref(&after)?;
            Ok(Step::commit(change, News { reference: after, read_at }))
        };
        self.settle_ref(act, attempt).await
    }
}
