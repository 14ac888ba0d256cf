//! What somebody wants to see first: what is being tried, what waits for a person, and when prompts were last used.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Caller, EvalRun, Prompt, PromptId, Result, Timestamp, Trial, name::production};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{Page, PageRequest};

use crate::{Registry, prompt::PromptDetails};

/// How many things are looked at at once, and shown at most or a few more.
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

    /// A page of the runs that were too close to call and that nobody has decided yet, the newest first, with their
    /// prompts. It may hold fewer than `limit`, or more: of a version several may wait.
    pub async fn runs_to_review(
        &self,
        caller: &Caller,
        request: &PageRequest,
    ) -> Result<Page<(Prompt, EvalRun)>> {
        let page = self.store.versions_waiting(request).await?;
        let prompts = self.prompts_of(caller, page.data.iter().map(|state| state.prompt_id)).await?;
        let mut waiting = Vec::new();
        for state in page.data {
            let prompt = prompts.get(&state.prompt_id).filter(|prompt| prompt.archived_at.is_none());
            waiting.extend(
                prompt
                    .into_iter()
                    .flat_map(|prompt| state.waiting().map(|run| (prompt.clone(), run)).collect::<Vec<_>>()),
            );
        }
        let reads = stream::iter(waiting).map(|(prompt, run)| async move {
            let run = self.store.run(prompt.prompt_id, run).await?;
            Ok::<_, domain::Error>(run.map(|run| (prompt, run)))
        });
        let read: Vec<_> = reads.buffered(READS).try_collect().await?;
        Ok(Page { data: read.into_iter().flatten().collect(), next_cursor: page.next_cursor })
    }

    /// The newest of them: a hundred at least, or all.
    pub async fn newest_to_review(&self, caller: &Caller) -> Result<Vec<(Prompt, EvalRun)>> {
        let mut found = Vec::new();
        let mut request = PageRequest::first(LOOKED_AT);
        loop {
            let page = self.runs_to_review(caller, &request).await?;
            found.extend(page.data);
            request.cursor = page.next_cursor;
            if request.cursor.is_none() || found.len() >= LOOKED_AT as usize {
                return Ok(found);
            }
        }
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
