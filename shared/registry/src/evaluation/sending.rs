//! Sending a run's cases out, and out again when it makes no progress.

use std::time::Duration;

use domain::{Caller, EvalRun, EvalRunId, PromptId, Result, eval_run::RunStatus, test_set::case_lines};
use store::PageRequest;

use crate::{Registry, evaluation::Ending};

/// After so many sendings in a row without progress a run is given up.
const MAX_ATTEMPTS: u32 = 5;

/// A run that this process sends out, and the cases that it has to send.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The run.
    pub run: EvalRun,
    /// The cases without a result.
    pub cases: Vec<CasePlace>,
}

/// Where a case stands in the test set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CasePlace {
    /// Its number, from 1.
    pub number: u32,
    /// Its first byte.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

impl Registry {
    /// Claims the sending of a run's cases, by a number that no other claim has. Of several claims of one attempt one
    /// succeeds: a record that arrives twice sends nothing twice.
    pub async fn claim_run(&self, prompt: PromptId, run: EvalRunId, claim: u64) -> Result<Option<Claim>> {
        let Some(run) = self.store.run(prompt, run).await? else { return Ok(None) };
        if !run.status.is_open() || run.dispatched_attempt >= run.dispatch_attempt {
            return Ok(None);
        }
        let now = self.sources.now();
        let claimed = EvalRun {
            status: RunStatus::Running,
            revision: run.revision + 1,
            dispatched_attempt: run.dispatch_attempt,
            claim: Some(claim),
            dispatched_at: Some(now),
            started_at: run.started_at.or(Some(now)),
            ..run
        };
        if let Err(error) = self.check_callable(&claimed.model_id).await {
            if error.retryable() {
                return Err(error);
            }
            let reason = Ending::Impossible(error.detail().to_owned());
            self.end_run(&Caller::system("dispatch"), prompt, claimed.eval_run_id, reason).await?;
            return Ok(None);
        }
        let Some(cases) = self.missing_cases(&claimed).await? else { return Ok(None) };
        let claimed = if claimed.dispatched_attempt > 1 {
            let again = u32::try_from(cases.len()).unwrap_or(u32::MAX);
            EvalRun { redelivered_cases: claimed.redelivered_cases + again, ..claimed }
        } else {
            claimed
        };
        let took = self.store.keep_run(&claimed).await?;
        Ok(took.then_some(Claim { run: claimed, cases }))
    }

    /// Asks for the cases of a claim to be sent out again, because not all of them were. Where there is no such claim,
    /// as when it failed itself, nothing happens.
    pub async fn give_back(&self, prompt: PromptId, run: EvalRunId, claim: u64) -> Result<()> {
        let Some(run) = self.store.run(prompt, run).await? else { return Ok(()) };
        let asked_for = run.dispatched_attempt < run.dispatch_attempt;
        if run.claim != Some(claim) || !run.status.is_open() || asked_for {
            return Ok(());
        }
        // Whoever wrote the run meanwhile has ended it, or asks for the same.
        self.store.keep_run(&asking_again(run)).await.map(|_| ())
    }

    /// Refuses a model that no call can reach: it is not in the catalogue, or its key is missing.
    async fn check_callable(&self, model_id: &str) -> Result<()> {
        let model = self.model(model_id).await?;
        Ok(self.models.check(&model).await?)
    }

    /// The cases without a counted result; `None` when the run had to be ended instead.
    async fn missing_cases(&self, run: &EvalRun) -> Result<Option<Vec<CasePlace>>> {
        let set = self.store.test_set_version(run.test_set_id, run.test_set_version).await?;
        let bytes = match set {
            Some(set) => self.store.dataset(&set).await,
            None => Err(domain::Error::not_found("test set")),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) if error.retryable() => return Err(error),
            Err(_) => {
                let ending = Ending::without_cases();
                self.end_run(&Caller::system("dispatch"), run.prompt_id, run.eval_run_id, ending).await?;
                return Ok(None);
            }
        };
        let progress = self.store.run_progress(run.eval_run_id).await?;
        let cases = (1..).zip(case_lines(&bytes)).map(|(number, line)| CasePlace {
            number,
            offset: line.offset as u64,
            length: line.bytes.len() as u64,
        });
        let cases: Vec<_> = cases.filter(|case| !progress.has(case.number)).collect();
        if cases.is_empty() {
            // All are counted, yet nobody closed the run: whoever counted last died before it could.
            self.end_run(&Caller::system("dispatch"), run.prompt_id, run.eval_run_id, Ending::Complete)
                .await?;
            return Ok(None);
        }
        Ok(Some(cases))
    }

    /// Asks for the cases of every run that made no progress for `stuck_after` to be sent out again. Returns how
    /// many runs it asked for; a run that could not be looked after keeps no other from being, and its error is
    /// returned in the end.
    pub async fn sweep_runs(&self, stuck_after: Duration) -> Result<usize> {
        let (mut asked, mut failed) = (0, None);
        for status in [RunStatus::Queued, RunStatus::Running] {
            let mut request = PageRequest::first(100);
            loop {
                let page = self.store.runs_that_are(status, &request).await?;
                for listed in page.data {
                    match self.sweep_run(&listed, stuck_after).await {
                        Ok(again) => asked += usize::from(again),
                        Err(error) => {
                            tracing::warn!(run = %listed.eval_run_id, error = %error.chain(), "a run is not swept");
                            failed.get_or_insert(error);
                        }
                    }
                }
                request.cursor = page.next_cursor;
                if request.cursor.is_none() {
                    break;
                }
            }
        }
        failed.map_or(Ok(asked), Err)
    }

    async fn sweep_run(&self, listed: &EvalRun, stuck_after: Duration) -> Result<bool> {
        // The list follows the table a moment later, so the run itself is read.
        let Some(run) = self.store.run(listed.prompt_id, listed.eval_run_id).await? else { return Ok(false) };
        let progress = self.store.run_progress(run.eval_run_id).await?;
        let now = self.sources.now();
        // It ends by then, whatever hinders it.
        if run.status.is_open() && run.deadline.is_some_and(|deadline| now > deadline) {
            let reason = format!(
                "The run was not done by its deadline: {} of {} cases were. Evaluate again, or give it longer.",
                progress.completed(),
                run.total_cases
            );
            let caller = Caller::system("steer");
            self.end_run(&caller, run.prompt_id, run.eval_run_id, Ending::Impossible(reason)).await?;
            return Ok(false);
        }
        if run.status.is_open() && progress.completed() >= run.total_cases as usize {
            // Nobody closed it: whoever counted last died before, or it waits for its baseline, or did.
            let caller = Caller::system("steer");
            self.end_run(&caller, run.prompt_id, run.eval_run_id, Ending::Complete).await?;
            return Ok(false);
        }
        let last = progress.progressed_at.max(run.dispatched_at).unwrap_or(run.created_at);
        let idle = now.since(last).unwrap_or_default();
        if !run.status.is_open() || idle < stuck_after {
            return Ok(false);
        }
        // What has not been sent yet says nothing about the cases; nor does what was lost with a queue, which is what
        // a sweep that waits for nothing is for.
        let says_nothing = run.dispatched_attempt < run.dispatch_attempt || stuck_after.is_zero();
        let in_vain = if says_nothing {
            run.attempts_in_vain
        } else if progress.progressed_at < run.dispatched_at {
            run.attempts_in_vain + 1
        } else {
            0
        };
        if in_vain >= MAX_ATTEMPTS {
            let reason = format!(
                "The cases were sent out {MAX_ATTEMPTS} times in a row without progress, and {} of {} never came back.",
                run.total_cases as usize - progress.completed(),
                run.total_cases
            );
            let caller = Caller::system("steer");
            self.end_run(&caller, run.prompt_id, run.eval_run_id, Ending::Impossible(reason)).await?;
            return Ok(false);
        }
        self.store.keep_run(&asking_again(EvalRun { attempts_in_vain: in_vain, ..run })).await
    }
}

/// The run, asking for its cases to be sent out once more.
fn asking_again(run: EvalRun) -> EvalRun {
    EvalRun { revision: run.revision + 1, dispatch_attempt: run.dispatched_attempt + 1, ..run }
}
