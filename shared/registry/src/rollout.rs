//! Canaries as people read them.

use domain::{
    Caller, Error, Result, RolloutId, Trial,
    rollout::{Observed, Rollout, Tick, tick},
};
use store::{Page, PageRequest, TrialKind};

use crate::Registry;

/// A canary, with what its counters say now.
#[derive(Debug, Clone)]
pub struct RolloutDetails {
    /// It, and what becomes of it at the next tick, at the latest.
    pub tick: Tick,
    /// What is known of it.
    pub observed: Observed,
}

impl Registry {
    /// A canary by its id, if the caller may see it.
    pub async fn rollout(&self, caller: &Caller, id: RolloutId) -> Result<Rollout> {
        match self.trial_in_prompt(caller, id.into()).await? {
            (_, Trial::Rollout(rollout)) => Ok(*rollout),
            (_, Trial::Experiment(_)) => Err(Error::not_found("canary")),
        }
    }

    /// What a canary's counters say of it.
    pub async fn rollout_details(&self, rollout: &Rollout) -> Result<RolloutDetails> {
        let now = self.sources.now();
        let observed = self.observe_rollout(rollout, now).await?;
        let mut tick = tick(rollout, &observed, now)?;
        // What the next tick would write is nobody's news yet.
        tick.rollout = rollout.clone();
        Ok(RolloutDetails { tick, observed })
    }

    /// A page of a prompt's canaries, newest first.
    pub async fn rollouts(
        &self,
        caller: &Caller,
        address: &str,
        request: &PageRequest,
    ) -> Result<Page<RolloutDetails>> {
        let prompt = self.prompt(caller, address).await?;
        let page = self.store.trials(prompt.prompt_id, TrialKind::Rollouts, request).await?;
        let mut data = Vec::with_capacity(page.data.len());
        for trial in page.data {
            if let Trial::Rollout(rollout) = trial {
                data.push(self.rollout_details(&rollout).await?);
            }
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }
}
