//! Evaluation runs: asking for them, looking at them, and ending them. Whatever happens, a run ends.

mod asking;
mod ending;
mod matrix;
mod regressions;
mod report;
mod reviewing;
mod sending;
mod watching;

use std::time::Duration;

use domain::{
    Caller, Error, ErrorKind, EvalRun, EvalRunId, KeyRole, Result, VersionId,
    eval_run::{CaseOutcome, CaseResult, RunStatus},
};
use store::{Page, PageRequest, RunProgress};
use tokio::time::Instant;

use crate::{Act, Registry, version::VersionDetails};

pub use asking::NewRun;
pub(crate) use asking::Plan;
pub use ending::{Ending, baseline_of};
pub use matrix::Matrix;
use regressions::PassedBefore;
pub use report::{cases_csv, summary_markdown};
pub use reviewing::{Decision, NewApproval};
pub use sending::{CasePlace, Claim};
pub use watching::Watch;

/// Which cases of a run are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseFilter {
    /// All of them.
    All,
    /// Those that ended so.
    Outcome(CaseOutcome),
    /// Those that production passes and this run does not.
    Regressed,
}

/// How much of long outputs a page of cases holds; those that do not fit are cut to their beginning.
const PAGE_OUTPUT_BYTES: usize = 3 * 1024 * 1024;

/// How often a waiting request looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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
        let mut page = self.store.runs_that_are(status, &self.unsealed(request).await?).await?;
        let mut seen = Vec::with_capacity(page.data.len());
        for run in page.data {
            let prompt = self.store.prompt(run.prompt_id).await?;
            if prompt.is_some_and(|prompt| caller.sees(&prompt.team_id)) {
                seen.push(run);
            }
        }
        page.data = seen;
        self.with_progress(self.sealed(page).await?).await
    }

    /// A page of the runs that wait for somebody to decide, of all prompts that the caller sees.
    pub async fn runs_that_wait(&self, caller: &Caller, request: &PageRequest) -> Result<Page<RunDetails>> {
        let Page { data, next_cursor } = self.runs_to_review(caller, &self.unsealed(request).await?).await?;
        let data = data.into_iter().map(|(_, run)| run).collect();
        self.with_progress(self.sealed(Page { data, next_cursor }).await?).await
    }

    async fn with_progress(&self, page: Page<EvalRun>) -> Result<Page<RunDetails>> {
        let mut data = Vec::with_capacity(page.data.len());
        for run in page.data {
            let progress = self.store.run_progress(run.eval_run_id).await?;
            data.push(RunDetails { run, progress });
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// A page of a run's results, by case number, with whole outputs up to 3 MiB of them.
    pub async fn case_results(
        &self,
        caller: &Caller,
        run: EvalRunId,
        filter: CaseFilter,
        request: &PageRequest,
    ) -> Result<Page<CaseDetails>> {
        let run = self.visible_run(caller, run).await?;
        let passed_before = match filter {
            CaseFilter::Regressed => Some(self.passed_by_baseline(&run).await?),
            CaseFilter::All | CaseFilter::Outcome(_) => None,
        };
        let wanted = |case: &CaseResult| match (filter, &passed_before) {
            (CaseFilter::Outcome(only), _) => case.outcome == only,
            (CaseFilter::Regressed, Some(passed)) => passed.regressed(case),
            _ => true,
        };
        let mut found = Page { data: Vec::new(), next_cursor: request.cursor.clone() };
        loop {
            let left = request.limit - u32::try_from(found.data.len()).unwrap_or(request.limit);
            let next = PageRequest { limit: left, cursor: found.next_cursor.take() };
            let page = self.store.case_results(run.eval_run_id, &next).await?;
            found.next_cursor = page.next_cursor;
            found.data.extend(page.data.into_iter().filter(wanted));
            if found.next_cursor.is_none() || found.data.len() >= request.limit as usize {
                break;
            }
        }
        let mut room = PAGE_OUTPUT_BYTES;
        for case in &mut found.data {
            let whole = self.store.case_output(run.eval_run_id, case.number).await?;
            // Beyond that an answer would not fit through the gateway: the beginning stands for the rest.
            if let Some(whole) = whole.filter(|whole| whole.len() <= room) {
                room -= whole.len();
                case.output = Some(whole);
            }
        }
        Ok(found)
    }

    /// What the version in production passed of the cases that a run was compared on.
    async fn passed_by_baseline(&self, run: &EvalRun) -> Result<PassedBefore> {
        let Some(baseline) = run.baseline else {
            let detail = "This run was compared with no other version, so no case regressed or improved.";
            return Err(Error::invalid("/outcome", detail));
        };
        Ok(PassedBefore::of(&self.store.all_case_results(baseline.eval_run_id).await?))
    }

    /// All results of a run, in order, outputs cut to their beginning.
    pub async fn all_case_results(&self, caller: &Caller, run: EvalRunId) -> Result<Vec<CaseResult>> {
        let run = self.visible_run(caller, run).await?;
        self.store.all_case_results(run.eval_run_id).await
    }

    /// The cases of a run that did not pass, critical ones and those that production passes first: the first few, as
    /// evidence of a refusal.
    pub async fn not_passed(&self, run: &EvalRun, limit: usize) -> Result<Vec<CaseResult>> {
        let mut results = self.store.all_case_results(run.eval_run_id).await?;
        results.retain(|case| case.outcome != CaseOutcome::Passed);
        if run.baseline.is_some() {
            let passed = self.passed_by_baseline(run).await?;
            results.sort_by_key(|case| (!passed.regressed(case), !case.critical));
        }
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
