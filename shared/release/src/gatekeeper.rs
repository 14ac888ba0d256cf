//! What stands between a version and an environment: locks, the gate's verdict, and callers that rely on variables.

use domain::{
    Error, ErrorKind, EvalRunId, EvalStatus, Prompt, Ref, Result, Team, Version,
    content::{Content, Variable},
    gate::{GateMode, GatePolicy, GateResult, judge},
    version::Evidence,
};
use registry::{Act, evaluation::NewRun, version::VersionDetails};
use serde_json::{Value, json};

use crate::{
    Release,
    promote::{Promotion, may_be_overridden, override_evidence},
};

/// How many failing cases a refusal shows.
const SHOWN_CASES: usize = 10;

/// Leave to promote.
pub(crate) struct Clearance {
    /// What it rests on, for the audit.
    pub(crate) evidence: Value,
    /// The team whose gate was the measure: it must still be so when the ref moves.
    pub(crate) judged_by: Option<Team>,
}

impl Release {
    /// Asks everybody who may refuse. An admin's override turns refusals into evidence.
    pub(crate) async fn clear(
        &self,
        act: &Act,
        prompt: &Prompt,
        before: &Ref,
        candidate: &VersionDetails,
        live: Option<&Version>,
        wish: &Promotion,
    ) -> Result<Clearance> {
        let (gate, team) = self.registry.gate_of(prompt).await?;
        let judged_by = if prompt.gate.is_none() { team } else { None };
        match self.examine(act, prompt, before, candidate, live, &gate).await {
            Ok(evidence) => Ok(Clearance { evidence, judged_by }),
            Err(refusal) if wish.override_reason.is_some() && may_be_overridden(&refusal) => {
                Ok(Clearance { evidence: override_evidence(&refusal), judged_by })
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn examine(
        &self,
        act: &Act,
        prompt: &Prompt,
        before: &Ref,
        candidate: &VersionDetails,
        live: Option<&Version>,
        gate: &GatePolicy,
    ) -> Result<Value> {
        if let Some(lock) = before.active_lock(self.registry.sources.now()) {
            let detail = format!(
                "`{}` is locked by {}: {}. Take the lock off first: DELETE …/environments/{}/lock",
                before.environment, lock.by, lock.reason, before.environment
            );
            return Err(Error::new(ErrorKind::Locked, detail));
        }
        if !before.environment.is_production() {
            return Ok(Value::Null);
        }
        if let Some(live) = live {
            check_variables(&live.content, &candidate.version.content)?;
        }
        if gate.mode != GateMode::Required {
            return Ok(json!({ "ungated": true, "gate": gate, "eval_status": candidate.state.eval_status }));
        }
        self.check_gate(act, prompt, candidate, gate).await
    }

    async fn check_gate(
        &self,
        act: &Act,
        prompt: &Prompt,
        candidate: &VersionDetails,
        gate: &GatePolicy,
    ) -> Result<Value> {
        let state = &candidate.state;
        match (state.eval_status, state.evidence) {
            (EvalStatus::None, _) => Err(not_evaluated(
                prompt,
                "It has no evaluation: give the prompt a test set (PATCH /api/prompts/{id}), then evaluate the \
                 version (POST /api/versions/{id}/evals).",
            )),
            (EvalStatus::Pending, _) | (_, None) => {
                let refusal = not_evaluated(
                    prompt,
                    "Its evaluation has no verdict yet. Wait for the run, or start another.",
                );
                Err(refusal.fact("eval_run_id", state.eval_run_id.map(|run| run.to_string())))
            }
            (EvalStatus::Failed, Some(evidence)) => {
                self.refuse(ErrorKind::GateFailed, evidence.eval_run_id, gate).await
            }
            (EvalStatus::ManualReview, Some(evidence)) => {
                self.refuse(ErrorKind::ReviewNeeded, evidence.eval_run_id, gate).await
            }
            (EvalStatus::Passed, Some(evidence)) => {
                self.check_evidence(act, prompt, candidate, evidence).await?;
                self.check_verdict(prompt, evidence, gate).await
            }
        }
    }

    /// The evidence must be about the test set as it is today; else a new run is queued, and named.
    async fn check_evidence(
        &self,
        act: &Act,
        prompt: &Prompt,
        candidate: &VersionDetails,
        evidence: Evidence,
    ) -> Result<()> {
        let store = &self.registry.store;
        let newest = store.test_set(evidence.test_set_id).await?.map(|set| set.newest_version);
        if prompt.test_set_id == Some(evidence.test_set_id) && newest == Some(evidence.test_set_version) {
            return Ok(());
        }
        let stale = Error::new(
            ErrorKind::EvidenceStale,
            "It passed on a test set that is not the newest any more. A new evaluation is needed.",
        );
        let anew = Act::by(act.caller.clone());
        match self.registry.queue_run(&anew, candidate.version.version_id, &NewRun::default()).await {
            Ok(queued) => Err(stale.fact("eval_run_id", queued.value.run.eval_run_id.to_string())),
            Err(error) if error.retryable() => Err(error),
            Err(error) => Err(stale.fact("not_queued", error.detail())),
        }
    }

    /// The verdict must hold by the policy of today, which may be stricter than the one of the run's day.
    async fn check_verdict(&self, prompt: &Prompt, evidence: Evidence, gate: &GatePolicy) -> Result<Value> {
        let run = self.registry.store.run(prompt.prompt_id, evidence.eval_run_id).await?;
        let summary = run.as_ref().and_then(|run| run.summary);
        let summary =
            summary.ok_or_else(|| Error::internal(format!("{} has no summary", evidence.eval_run_id)))?;
        match judge(gate, &summary.tally).result {
            GateResult::Pass => Ok(json!({ "gate": gate, "evaluation": evidence, "tally": summary.tally })),
            GateResult::Fail => self.refuse(ErrorKind::GateFailed, evidence.eval_run_id, gate).await,
            GateResult::ManualReview => {
                self.refuse(ErrorKind::ReviewNeeded, evidence.eval_run_id, gate).await
            }
        }
    }

    /// A refusal with the run, its score, and cases that did not pass.
    async fn refuse(&self, kind: ErrorKind, run_id: EvalRunId, gate: &GatePolicy) -> Result<Value> {
        let store = &self.registry.store;
        let run = store.run_by_id(run_id).await?;
        let summary =
            run.as_ref().and_then(|run| run.summary).unwrap_or_else(|| domain::eval_run::summarise(&[]));
        let reasons = judge(gate, &summary.tally).reasons;
        let cases = self.registry.not_passed(run_id, SHOWN_CASES).await?;
        let shown = cases.iter().map(|case| {
            json!({
                "case_id": case.case_id, "number": case.number, "outcome": case.outcome, "output": case.output,
                "error": case.error,
                "score": case.score.as_ref().map(|score| score.score),
            })
        });
        Err(Error::new(kind, reasons.join(" "))
            .fact("eval_run_id", run_id.to_string())
            .fact("avg_score", summary.avg_score)
            .fact("pass_rate", summary.tally.pass_rate())
            .fact("gate_reasons", json!(reasons))
            .fact("failing_cases", shown.collect::<Vec<_>>()))
    }
}

fn not_evaluated(prompt: &Prompt, what: &str) -> Error {
    let detail = format!("The gate of `{}` wants a passed evaluation. {what}", prompt.name);
    Error::new(ErrorKind::NotEvaluated, detail)
}

/// Refuses content that breaks callers of what is live: they keep sending the variables that they send today.
fn check_variables(live: &Content, candidate: &Content) -> Result<()> {
    let mut error = Error::new(
        ErrorKind::VariablesIncompatible,
        "Callers of the version that is live would break. Keep its variables, give new ones a default, or let an \
         admin override.",
    );
    let named = |content: &Content, name: &str| content.variables.iter().find(|v| v.name == name).cloned();
    let mut broken = false;
    for old in &live.variables {
        let problem = match named(candidate, &old.name) {
            None => format!("`{}` is declared by the live version and dropped here", old.name),
            Some(new) if new.kind != old.kind => {
                format!("`{}` has another type than in the live version", old.name)
            }
            Some(_) => continue,
        };
        broken = true;
        error = error.at(format!("/variables/{}", old.name), problem);
    }
    let must_be_given = |variable: &Variable| variable.required && variable.default.is_none();
    for new in candidate.variables.iter().filter(|new| must_be_given(new)) {
        if named(live, &new.name).is_none_or(|old| !must_be_given(&old)) {
            broken = true;
            let problem = format!("`{}` is newly required, without a default", new.name);
            error = error.at(format!("/variables/{}", new.name), problem);
        }
    }
    if broken { Err(error) } else { Ok(()) }
}
