//! How runs end: judged, void, or stopped. One transaction, under the condition that the run is still open.

use domain::{
    Alarm, Caller, Error, EvalRun, EvalRunId, EvalStatus, PromptId, Result, VersionState,
    audit::{Action, Fact},
    eval_run::{CaseResult, Purpose, RunStatus, RunSummary, observations, summarise},
    gate::{Baseline, Comparison, GatePolicy, GateResult, Verdict, compare, judge, void_reason},
    version::{Drift, Evidence},
};
use serde_json::json;
use store::{Change, PageRequest};

use crate::{Act, Registry, settle::Step};

/// Why a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All its cases are in.
    Complete,
    /// It cannot be done, for this reason.
    Impossible(String),
    /// Somebody stopped it.
    Cancelled,
}

impl Ending {
    /// There are no cases any more.
    pub fn without_cases() -> Self {
        Self::Impossible("The test set was deleted before the run was done.".to_owned())
    }
}

/// What a run has to be compared with, by now.
enum Beside {
    /// Nothing, or nothing that could be measured.
    Nothing,
    /// It is still being measured: the run waits.
    NotYet,
    /// This came of it.
    Measured(Box<Comparison>),
}

impl Registry {
    /// Ends a run, unless it has ended, or has to wait for its baseline: then nothing happens. Runs that waited for
    /// this one end after it.
    pub async fn end_run(
        &self,
        caller: &Caller,
        prompt: PromptId,
        run: EvalRunId,
        ending: Ending,
    ) -> Result<()> {
        let attempt = || async {
            let missing = || Error::not_found("evaluation run");
            let prompt = self.store.prompt(prompt).await?.ok_or_else(missing)?;
            let before = self.store.run(prompt.prompt_id, run).await?.ok_or_else(missing)?;
            if !before.status.is_open() {
                return Ok(Step::Done(None));
            }
            let results = self.store.all_case_results(run).await?;
            let comparison = match &ending {
                Ending::Complete => match self.beside(&before, &results).await? {
                    Beside::NotYet => return Ok(Step::Done(None)),
                    Beside::Measured(comparison) => Some(*comparison),
                    Beside::Nothing => None,
                },
                Ending::Impossible(_) | Ending::Cancelled => None,
            };
            let (gate, _) = self.gate_of(&prompt).await?;
            let summary = summarise(&results, before.repeats);
            let after = EvalRun {
                revision: before.revision + 1,
                completed_at: Some(self.sources.now()),
                summary: Some(summary),
                comparison,
                ..before.clone()
            };
            let after = judged(after, &ending, &gate, &summary);
            let action = match ending {
                Ending::Cancelled => Action::EvaluationCancelled,
                Ending::Complete | Ending::Impossible(_) => Action::EvaluationEnded,
            };
            let mut fact = Fact::new(&caller.actor, action, run);
            fact.before = json!({ "status": before.status });
            fact.after = json!({
                "status": after.status, "gate_result": after.gate_result, "version_id": after.version.id,
                "version_number": after.version.number,
            });
            fact.evidence = json!({
                "purpose": after.purpose, "summary": after.summary, "reasons": after.gate_reasons,
                "test_set_id": after.test_set_id, "test_set_version": after.test_set_version,
                "model_id": after.model_id, "gate": gate, "comparison": after.comparison,
            });
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.sources)?;
            change.put_run(&after)?;
            if let Some(state) = self.state_after(&after).await? {
                change.put_version_state(&state)?;
            }
            Ok(Step::commit(change, Some(after)))
        };
        let act = Act::by(caller.clone());
        let ended = self.settle(&act, attempt, |_| async { Ok(None) }).await?.value;
        let Some(run) = ended else { return Ok(()) };
        alarm(&run);
        if matches!(run.purpose, Purpose::Baseline | Purpose::Watch) {
            self.end_those_who_waited(caller, &run).await?;
        }
        Ok(())
    }

    /// Whoever of a run and its baseline ends last sees that the other is done; should both die before, the sweep
    /// finds the run.
    async fn end_those_who_waited(&self, caller: &Caller, baseline: &EvalRun) -> Result<()> {
        let runs = self.store.runs(baseline.prompt_id, &PageRequest::first(100)).await?;
        let waits = |run: &EvalRun| {
            run.status.is_open()
                && run.baseline.is_some_and(|other| other.eval_run_id == baseline.eval_run_id)
        };
        for run in runs.data.iter().filter(|run| waits(run)) {
            let progress = self.store.run_progress(run.eval_run_id).await?;
            if progress.completed() >= run.total_cases as usize {
                Box::pin(self.end_run(caller, run.prompt_id, run.eval_run_id, Ending::Complete)).await?;
            }
        }
        Ok(())
    }

    async fn beside(&self, run: &EvalRun, results: &[CaseResult]) -> Result<Beside> {
        let Some(baseline) = run.baseline else { return Ok(Beside::Nothing) };
        let measured = self.store.run(run.prompt_id, baseline.eval_run_id).await?;
        match measured.map(|measured| measured.status) {
            Some(status) if status.is_open() => Ok(Beside::NotYet),
            Some(RunStatus::Completed) => {
                let others = self.store.all_case_results(baseline.eval_run_id).await?;
                let baseline = (baseline.version, baseline.eval_run_id);
                let compared = compare(baseline, &observations(results), &observations(&others));
                Ok(Beside::Measured(Box::new(compared)))
            }
            _ => Ok(Beside::Nothing),
        }
    }

    /// The version's state after a run, where it changes anything.
    async fn state_after(&self, run: &EvalRun) -> Result<Option<VersionState>> {
        let before = self.store.version_state(run.prompt_id, run.version.number).await?;
        let Some(before) = before else { return Ok(None) };
        let mut state = before.clone();
        state.measuring = before.measuring.filter(|measuring| measuring.eval_run_id != run.eval_run_id);
        if run.status == RunStatus::Completed {
            learn(&mut state, run);
        }
        state.revision += 1;
        let changed = VersionState { revision: before.revision, ..state.clone() } != before;
        Ok(changed.then_some(state))
    }
}

/// What a completed run tells of its version.
fn learn(state: &mut VersionState, run: &EvalRun) {
    if run.purpose.measures() {
        state.measured = Some(Evidence::of(run));
    }
    match (run.purpose, run.gate_result) {
        // Only the run that the version waits for decides.
        (Purpose::Verdict, Some(result)) if state.eval_run_id == Some(run.eval_run_id) => {
            state.eval_status = match result {
                GateResult::Pass => EvalStatus::Passed,
                GateResult::Fail => EvalStatus::Failed,
                GateResult::ManualReview => EvalStatus::ManualReview,
            };
            state.eval_score = run.summary.map(|summary| summary.avg_score);
            state.evidence = Some(Evidence::of(run));
        }
        (Purpose::OtherModel, result) if state.is_decided_by(&run.model_id, run.eval_run_id) => {
            if result == Some(GateResult::Pass) {
                state.models_passed.insert(run.model_id.clone(), run.eval_run_id);
            } else {
                state.models_passed.remove(&run.model_id);
            }
            if result == Some(GateResult::ManualReview) {
                state.models_waiting.insert(run.model_id.clone(), run.eval_run_id);
            } else {
                state.models_waiting.remove(&run.model_id);
            }
        }
        (Purpose::Watch, _) => {
            state.drift = drift(run).map(|reason| Drift {
                eval_run_id: run.eval_run_id,
                at: run.completed_at.unwrap_or(run.created_at),
                reason,
            });
        }
        _ => {}
    }
}

/// What a watching run found against the run that the version passed with.
fn drift(run: &EvalRun) -> Option<String> {
    let comparison = run.comparison.as_ref()?;
    (run.purpose == Purpose::Watch && comparison.is_clearly_worse()).then(|| {
        format!(
            "{} cases that this version passed when it was released fail today, and {} improve: its prompt is the \
             same, so the model `{}` changed.",
            comparison.regressed, comparison.improved, run.model_id
        )
    })
}

/// A version that is live and got worse is for people to look at at once.
fn alarm(run: &EvalRun) {
    if let Some(reason) = drift(run) {
        tracing::error!(
            alarm = Alarm::VersionDrifted.name(), prompt = %run.prompt_id, version = %run.version.id,
            run = %run.eval_run_id, reason, "a live version scores worse than when it passed"
        );
    }
}

/// A run with its verdict, from all else that is known of it.
fn judged(run: EvalRun, ending: &Ending, gate: &GatePolicy, summary: &RunSummary) -> EvalRun {
    let (status, gate_result, gate_reasons) = match ending {
        Ending::Complete => verdict(&run, gate, summary),
        Ending::Impossible(reason) => (RunStatus::Errored, None, vec![reason.clone()]),
        Ending::Cancelled => (RunStatus::Cancelled, None, vec!["Somebody stopped the run.".to_owned()]),
    };
    EvalRun { status, gate_result, gate_reasons, ..run }
}

fn verdict(
    run: &EvalRun,
    gate: &GatePolicy,
    summary: &RunSummary,
) -> (RunStatus, Option<GateResult>, Vec<String>) {
    if let Some(reason) = void_reason(&summary.tally) {
        return (RunStatus::Errored, None, vec![reason]);
    }
    if matches!(run.purpose, Purpose::Baseline | Purpose::Watch) {
        return (RunStatus::Completed, None, Vec::new());
    }
    let Verdict { result, reasons } = judge(gate, &summary.figures(), baseline_of(run));
    (RunStatus::Completed, Some(result), reasons)
}

/// What a run is judged beside, as it was when it ended.
pub fn baseline_of(run: &EvalRun) -> Baseline<'_> {
    match (&run.comparison, run.baseline) {
        (Some(comparison), _) => Baseline::Version(comparison),
        (None, Some(_)) => Baseline::Unknown,
        (None, None) => Baseline::Nothing,
    }
}
