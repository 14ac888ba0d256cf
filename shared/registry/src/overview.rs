//! What somebody wants to see first: what is being tried, what waits for a person, and when prompts were last used.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Caller, EvalRun, EvalStatus, Prompt, PromptId, Result, Timestamp, Trial,
    eval_run::{Purpose, RunStatus},
    gate::GateResult,
    name::production,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::PageRequest;

use crate::{Registry, prompt::PromptDetails};

/// How many runs that ended are looked at, newest first.
const LOOKED_AT: u32 = 100;

/// How many things are read at once.
const READS: usize = 16;

impl Registry {
    /// Experiments and canaries that run, with their prompts, of those that the caller sees.
    pub async fn active_trials(&self, caller: &Caller) -> Result<Vec<(Prompt, Trial)>> {
        let page = self.store.active_trials(&PageRequest::first(LOOKED_AT)).await?;
        let prompts = self.prompts_of(caller, page.data.iter().map(Trial::prompt_id)).await?;
        let found = page.data.into_iter();
        Ok(found.filter_map(|trial| Some((prompts.get(&trial.prompt_id())?.clone(), trial))).collect())
    }

    /// The prompts of these ids that the caller sees.
    pub async fn prompts_of(
        &self,
        caller: &Caller,
        ids: impl Iterator<Item = PromptId>,
    ) -> Result<BTreeMap<PromptId, Prompt>> {
        let each_once: BTreeSet<PromptId> = ids.collect();
        let mut found = self.store.prompts_of(&Vec::from_iter(each_once)).await?;
        found.retain(|_, prompt| caller.sees(&prompt.team_id));
        Ok(found)
    }

    /// Runs that were too close to call and that nobody has decided yet, newest first, with their prompts.
    pub async fn runs_to_review(&self, caller: &Caller) -> Result<Vec<(Prompt, EvalRun)>> {
        let request = PageRequest::first(LOOKED_AT);
        let page = self.store.runs_that_are(RunStatus::Completed, &request).await?;
        let close = page.data.into_iter().filter(|run| run.gate_result == Some(GateResult::ManualReview));
        let reads = stream::iter(close).map(|run| async move {
            let (prompt, state) = futures_util::try_join!(
                self.store.prompt(run.prompt_id),
                self.store.version_state(run.prompt_id, run.version.number)
            )?;
            let waits = state.is_some_and(|state| match run.purpose {
                Purpose::OtherModel => {
                    state.is_decided_by(&run.model_id, run.eval_run_id)
                        && !state.models_passed.contains_key(&run.model_id)
                }
                _ => {
                    state.eval_status == EvalStatus::ManualReview
                        && state.eval_run_id == Some(run.eval_run_id)
                }
            });
            Ok::<_, domain::Error>(prompt.filter(|_| waits).map(|prompt| (prompt, run)))
        });
        let found: Vec<_> = reads.buffered(READS).try_collect().await?;
        Ok(found.into_iter().flatten().filter(|(prompt, _)| caller.sees(&prompt.team_id)).collect())
    }

    /// When each prompt's live version was last heard of in production, to the hour.
    pub async fn last_used(&self, prompts: &[PromptDetails]) -> Result<Vec<Option<Timestamp>>> {
        let production = production();
        let live = prompts.iter().map(|details| {
            let live = details.refs.iter().find(|reference| reference.environment == production);
            live.and_then(domain::Ref::version_id)
        });
        let live: Vec<_> = live.collect();
        let production = &production;
        let reads = stream::iter(live).map(|version| async move {
            let Some(version) = version else { return Ok(None) };
            let hour = self.store.newest_hour(version, production).await?;
            Ok::<_, domain::Error>(hour.map(domain::metric::Hour::start))
        });
        reads.buffered(READS).try_collect().await
    }
}
