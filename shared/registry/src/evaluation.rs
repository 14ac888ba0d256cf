//! Evaluation runs: asking for them, looking at them, and ending them. Whatever happens, a run ends.

mod ending;
mod report;
mod sending;

use std::time::Duration;

use domain::{
    Caller, Error, ErrorKind, EvalRun, EvalRunId, KeyRole, Prompt, Result, TestSetId, Version, VersionId,
    audit::{Action, Fact},
    eval_run::{CaseOutcome, CaseResult, RunStatus},
};
use serde_json::json;
use store::{Change, Page, PageRequest, RunProgress, TestSet};
use tokio::time::Instant;

use crate::{
    Act, Made, Registry,
    settle::Step,
    version::{VersionDetails, refuse_archived},
};

pub use ending::Ending;
pub use report::{cases_csv, summary_markdown};
pub use sending::{CasePlace, Claim};

/// How often a waiting request looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a run is asked to be, where it is not the prompt's and the version's own.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// Another test set.
    pub test_set_id: Option<TestSetId>,
    /// Another model.
    pub model_id: Option<String>,
}

/// A run with how far it is.
#[derive(Debug, Clone)]
pub struct RunDetails {
    /// The run.
    pub run: EvalRun,
    /// Its progress.
    pub progress: RunProgress,
}

/// A result with its whole output.
pub type CaseDetails = CaseResult;

impl Registry {
    /// The run of a version just written, if its prompt has a test set with cases.
    pub(crate) async fn first_run(
        &self,
        prompt: &Prompt,
        version: &Version,
        caller: &Caller,
    ) -> Result<Option<EvalRun>> {
        let Some(set) = prompt.test_set_id else { return Ok(None) };
        let set = self.test_set_of(&prompt.team_id, set).await?;
        if set.newest_version == 0 {
            return Ok(None);
        }
        self.new_run(prompt, version, caller, &set, &version.content.model_id).await.map(Some)
    }

    async fn new_run(
        &self,
        prompt: &Prompt,
        version: &Version,
        caller: &Caller,
        set: &TestSet,
        model_id: &str,
    ) -> Result<EvalRun> {
        let cases =
            self.store.test_set_version(set.test_set_id, set.newest_version).await?.ok_or_else(|| {
                let detail = format!("The test set {} has no cases yet. Put some first.", set.test_set_id);
                Error::invalid("/test_set_id", detail)
            })?;
        Ok(EvalRun {
            eval_run_id: self.sources.id(),
            prompt_id: prompt.prompt_id,
            version: version.pointer(),
            test_set_id: set.test_set_id,
            test_set_version: cases.version,
            total_cases: cases.cases,
            model_id: model_id.to_owned(),
            decides: prompt.test_set_id == Some(set.test_set_id) && model_id == version.content.model_id,
            status: RunStatus::Queued,
            revision: 1,
            dispatch_attempt: 1,
            dispatched_attempt: 0,
            dispatched_at: None,
            attempts_in_vain: 0,
            redelivered_cases: 0,
            created_by: caller.actor.id.clone(),
            created_at: self.sources.now(),
            started_at: None,
            completed_at: None,
            summary: None,
            gate_result: None,
            gate_reasons: Vec::new(),
        })
    }

    /// Asks for a run of a version that exists. A run that decides makes the version's verdict pending again.
    pub async fn queue_run(&self, act: &Act, version: VersionId, new: &NewRun) -> Result<Made<RunDetails>> {
        act.caller.require(KeyRole::Author)?;
        let attempt = || async {
            let (prompt, details) = self.version_in_prompt(&act.caller, version).await?;
            refuse_archived(&prompt)?;
            let set = new.test_set_id.or(prompt.test_set_id).ok_or_else(|| {
                let detail = "The prompt has no test set. Name one, or give the prompt one with PATCH.";
                Error::invalid("/test_set_id", detail)
            })?;
            let set = self.test_set_of(&prompt.team_id, set).await?;
            let model_id = new.model_id.as_deref().unwrap_or(&details.version.content.model_id);
            let run = self.new_run(&prompt, &details.version, &act.caller, &set, model_id).await?;
            let mut fact = Fact::new(&act.caller.actor, Action::EvaluationQueued, run.eval_run_id);
            fact.after = json!({
                "version_id": version, "test_set_id": run.test_set_id, "test_set_version": run.test_set_version,
                "model_id": run.model_id,
            });
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.sources)?;
            change.put_new_run(&run)?;
            if run.decides {
                change.put_version_state(&details.state.queued(run.eval_run_id))?;
            }
            if let Some(mark) = &act.once {
                change.once(mark, 202, run.eval_run_id)?;
            }
            Ok(Step::commit(change, RunDetails { run, progress: RunProgress::default() }))
        };
        let replay =
            |made: String| async move { self.run(&act.caller, made.parse().map_err(Error::internal)?).await };
        self.settle(act, attempt, replay).await
    }

    /// A run, if the caller may see it.
    pub async fn run(&self, caller: &Caller, run: EvalRunId) -> Result<RunDetails> {
        let run = self.visible_run(caller, run).await?;
        let progress = self.store.run_progress(run.eval_run_id).await?;
        Ok(RunDetails { run, progress })
    }

    /// The same, after waiting for its end for a while.
    pub async fn run_when_ended(
        &self,
        caller: &Caller,
        run: EvalRunId,
        wait: Duration,
    ) -> Result<RunDetails> {
        let deadline = Instant::now() + wait;
        loop {
            let details = self.run(caller, run).await?;
            if !details.run.status.is_open() || Instant::now() >= deadline {
                return Ok(details);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn visible_run(&self, caller: &Caller, run: EvalRunId) -> Result<EvalRun> {
        let missing = || Error::not_found("evaluation run");
        let run = self.store.run_by_id(run).await?.ok_or_else(missing)?;
        let prompt = self.store.prompt(run.prompt_id).await?.ok_or_else(missing)?;
        if caller.sees(&prompt.team_id) { Ok(run) } else { Err(missing()) }
    }

    /// A page of a prompt's runs, newest first.
    pub async fn runs_of(
        &self,
        caller: &Caller,
        address: &str,
        request: &PageRequest,
    ) -> Result<Page<RunDetails>> {
        let prompt = self.prompt(caller, address).await?;
        let page = self.store.runs(prompt.prompt_id, request).await?;
        self.with_progress(page).await
    }

    /// A page of the runs that stand somewhere, of all prompts that the caller sees.
    pub async fn runs_that_are(
        &self,
        caller: &Caller,
        status: RunStatus,
        request: &PageRequest,
    ) -> Result<Page<RunDetails>> {
        let mut page = self.store.runs_that_are(status, request).await?;
        let mut seen = Vec::with_capacity(page.data.len());
        for run in page.data {
            let prompt = self.store.prompt(run.prompt_id).await?;
            if prompt.is_some_and(|prompt| caller.sees(&prompt.team_id)) {
                seen.push(run);
            }
        }
        page.data = seen;
        self.with_progress(page).await
    }

    async fn with_progress(&self, page: Page<EvalRun>) -> Result<Page<RunDetails>> {
        let mut data = Vec::with_capacity(page.data.len());
        for run in page.data {
            let progress = self.store.run_progress(run.eval_run_id).await?;
            data.push(RunDetails { run, progress });
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// A page of a run's results, by case number, with whole outputs.
    pub async fn case_results(
        &self,
        caller: &Caller,
        run: EvalRunId,
        outcome: Option<CaseOutcome>,
        request: &PageRequest,
    ) -> Result<Page<CaseDetails>> {
        let run = self.visible_run(caller, run).await?;
        let mut found = Page { data: Vec::new(), next_cursor: request.cursor.clone() };
        loop {
            let left = request.limit - u32::try_from(found.data.len()).unwrap_or(request.limit);
            let next = PageRequest { limit: left, cursor: found.next_cursor.take() };
            let page = self.store.case_results(run.eval_run_id, &next).await?;
            found.next_cursor = page.next_cursor;
            found
                .data
                .extend(page.data.into_iter().filter(|case| outcome.is_none_or(|only| only == case.outcome)));
            if found.next_cursor.is_none() || found.data.len() >= request.limit as usize {
                break;
            }
        }
        for case in &mut found.data {
            if let Some(whole) = self.store.case_output(run.eval_run_id, case.number).await? {
                case.output = Some(whole);
            }
        }
        Ok(found)
    }

    /// All results of a run, in order, outputs cut to their beginning.
    pub async fn all_case_results(&self, caller: &Caller, run: EvalRunId) -> Result<Vec<CaseResult>> {
        let run = self.visible_run(caller, run).await?;
        self.store.all_case_results(run.eval_run_id).await
    }

    /// The cases of a run that did not pass: the first few, as evidence of a refusal.
    pub async fn not_passed(&self, run: EvalRunId, limit: usize) -> Result<Vec<CaseResult>> {
        let mut results = self.store.all_case_results(run).await?;
        results.retain(|case| case.outcome != CaseOutcome::Passed);
        results.truncate(limit);
        Ok(results)
    }

    /// Stops a run.
    pub async fn cancel_run(&self, act: &Act, run: EvalRunId) -> Result<RunDetails> {
        act.caller.require(KeyRole::Author)?;
        let found = self.visible_run(&act.caller, run).await?;
        if !found.status.is_open() {
            let detail =
                format!("The run has ended ({:?}); there is nothing to stop.", found.status).to_lowercase();
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        self.end_run(&act.caller, found.prompt_id, run, Ending::Cancelled).await?;
        self.run(&act.caller, run).await
    }

    /// A version after waiting for its verdict for a while.
    pub async fn version_when_decided(
        &self,
        caller: &Caller,
        version: VersionId,
        wait: Duration,
    ) -> Result<VersionDetails> {
        let details = self.version(caller, version).await?;
        let Some(run) = details.state.eval_run_id else { return Ok(details) };
        self.run_when_ended(caller, run, wait).await?;
        self.version(caller, version).await
    }
}
