//! How runs end: judged, void, or stopped. One transaction, under the condition that the run is still open.

use domain::{
    Caller, Error, EvalRun, EvalRunId, EvalStatus, PromptId, Result, VersionState,
    audit::{Action, Fact},
    eval_run::{CaseResult, RunStatus, RunSummary, summarise},
    gate::{GatePolicy, GateResult, Verdict, judge, void_reason},
    version::Evidence,
};
use serde_json::json;
use store::Change;

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

impl Registry {
    /// Ends a run, unless it has ended: then nothing happens.
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
                return Ok(Step::Done(()));
            }
            let results = self.store.all_case_results(run).await?;
            let (gate, _) = self.gate_of(&prompt).await?;
            let after = ended(&before, &ending, &results, &gate, self.sources.now());
            let action = match ending {
                Ending::Cancelled => Action::EvaluationCancelled,
                Ending::Complete | Ending::Impossible(_) => Action::EvaluationEnded,
            };
            let mut fact = Fact::new(&caller.actor, action, run);
            fact.before = json!({ "status": before.status });
            fact.after = json!({ "status": after.status, "gate_result": after.gate_result, "version_id": after.version.id });
            fact.evidence = json!({
                "summary": after.summary, "reasons": after.gate_reasons, "test_set_id": after.test_set_id,
                "test_set_version": after.test_set_version, "model_id": after.model_id, "gate": gate,
            });
            let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.sources)?;
            change.put_run(&after)?;
            if let Some(state) = self.state_after(&after).await? {
                change.put_version_state(&state)?;
            }
            Ok(Step::commit(change, ()))
        };
        let act = Act::by(caller.clone());
        self.settle(&act, attempt, |_| async { Ok(()) }).await.map(|_| ())
    }

    /// The version's state after a verdict, if the version still waits for this very run.
    async fn state_after(&self, run: &EvalRun) -> Result<Option<VersionState>> {
        let Some(result) = run.gate_result.filter(|_| run.decides) else { return Ok(None) };
        let state = self.store.version_state(run.prompt_id, run.version.number).await?;
        let Some(state) = state.filter(|state| state.eval_run_id == Some(run.eval_run_id)) else {
            return Ok(None);
        };
        let eval_status = match result {
            GateResult::Pass => EvalStatus::Passed,
            GateResult::Fail => EvalStatus::Failed,
            GateResult::ManualReview => EvalStatus::ManualReview,
        };
        Ok(Some(VersionState {
            revision: state.revision + 1,
            eval_status,
            eval_score: run.summary.map(|summary| summary.avg_score),
            evidence: Some(Evidence {
                eval_run_id: run.eval_run_id,
                test_set_id: run.test_set_id,
                test_set_version: run.test_set_version,
            }),
            ..state
        }))
    }
}

fn ended(
    run: &EvalRun,
    ending: &Ending,
    results: &[CaseResult],
    gate: &GatePolicy,
    now: domain::Timestamp,
) -> EvalRun {
    let summary = summarise(results);
    let (status, gate_result, gate_reasons) = match ending {
        Ending::Complete => verdict(gate, &summary),
        Ending::Impossible(reason) => (RunStatus::Errored, None, vec![reason.clone()]),
        Ending::Cancelled => (RunStatus::Cancelled, None, vec!["Somebody stopped the run.".to_owned()]),
    };
    EvalRun {
        status,
        revision: run.revision + 1,
        completed_at: Some(now),
        summary: Some(summary),
        gate_result,
        gate_reasons,
        ..run.clone()
    }
}

fn verdict(gate: &GatePolicy, summary: &RunSummary) -> (RunStatus, Option<GateResult>, Vec<String>) {
    if let Some(reason) = void_reason(&summary.tally) {
        return (RunStatus::Errored, None, vec![reason]);
    }
    let Verdict { result, reasons } = judge(gate, &summary.tally);
    (RunStatus::Completed, Some(result), reasons)
}
