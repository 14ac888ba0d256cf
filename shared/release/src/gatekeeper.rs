//! What stands between a version and an environment: locks, the gate's verdict, and callers that rely on variables.

mod checks;

use domain::{
    Error, ErrorKind, EvalRunId, EvalStatus, Prompt, Ref, Result, Team, Version,
    gate::{GateMode, GatePolicy, GateResult, judge},
    version::Evidence,
};
use registry::{
    Act,
    evaluation::{NewRun, baseline_of},
    version::VersionDetails,
};
use serde_json::{Value, json};
use store::TestSet;

use crate::{
    Release,
    promote::{Promotion, may_be_overridden, override_evidence},
};
pub(crate) use checks::check_lock;
use checks::{check_people, check_trial, check_variables};

/// How many failing cases a refusal shows.
const SHOWN_CASES: usize = 10;

/// Leave to promote.
pub(crate) struct Clearance {
    /// What it rests on, for the audit.
    pub(crate) evidence: Value,
    /// The team whose gate was the measure: it must still be so when the ref moves.
    pub(crate) judged_by: Option<Team>,
    /// The test set whose newest version it passed: it must still be the newest then.
    pub(crate) passed_on: Option<TestSet>,
}

impl Clearance {
    fn of(evidence: Value) -> Self {
        Self { evidence, judged_by: None, passed_on: None }
    }
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
        let examined = match check_trial(before, wish.decided.as_ref()) {
            Ok(()) => self.examine(act, prompt, before, candidate, live, &gate).await,
            Err(refusal) => Err(refusal),
        };
        match examined {
            Ok(clearance) => Ok(Clearance { judged_by, ..clearance }),
            Err(refusal) if wish.override_reason.is_some() && may_be_overridden(&refusal) => {
                Ok(Clearance { judged_by, ..Clearance::of(override_evidence(&refusal)) })
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
    ) -> Result<Clearance> {
        check_lock(before, self.registry.sources.now())?;
        if !before.environment.is_production() {
            return Ok(Clearance::of(Value::Null));
        }
        if let Some(live) = live {
            check_variables(&live.content, &candidate.version.content)?;
        }
        if gate.mode != GateMode::Required {
            let evidence =
                json!({ "ungated": true, "gate": gate, "eval_status": candidate.state.eval_status });
            return Ok(Clearance::of(evidence));
        }
        check_people(&before.environment, candidate, gate)?;
        self.check_gate(act, prompt, candidate, live, gate).await
    }

    async fn check_gate(
        &self,
        act: &Act,
        prompt: &Prompt,
        candidate: &VersionDetails,
        live: Option<&Version>,
        gate: &GatePolicy,
    ) -> Result<Clearance> {
        let evidence = self.evidence_of(prompt, candidate, gate).await?;
        let passed_on = self.check_evidence(act, prompt, candidate, live, evidence).await?;
        let evidence = self.check_verdict(prompt, candidate, evidence, gate).await?;
        Ok(Clearance { passed_on, ..Clearance::of(evidence) })
    }

    /// Asks what a version must show before it serves a part of the traffic beside the one that is live: it has passed,
    /// or nothing is asked. Returns what that rests on.
    pub(crate) async fn admit(
        &self,
        prompt: &Prompt,
        before: &Ref,
        candidate: &VersionDetails,
        live: &Version,
        gate: &GatePolicy,
    ) -> Result<Value> {
        if !before.environment.is_production() {
            return Ok(Value::Null);
        }
        check_variables(&live.content, &candidate.version.content)?;
        if gate.mode != GateMode::Required {
            return Ok(json!({ "ungated": true, "gate": gate, "eval_status": candidate.state.eval_status }));
        }
        check_people(&before.environment, candidate, gate)?;
        let evidence = self.evidence_of(prompt, candidate, gate).await?;
        self.check_verdict(prompt, candidate, evidence, gate).await
    }

    /// What a version passed by. One that has not passed is refused.
    async fn evidence_of(
        &self,
        prompt: &Prompt,
        candidate: &VersionDetails,
        gate: &GatePolicy,
    ) -> Result<Evidence> {
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
            (EvalStatus::Passed, Some(evidence)) => Ok(evidence),
        }
    }

    /// The evidence must be about the test set, and beside the version in production, as they are today; else a new
    /// run is queued, and named. Returns the test set as it is.
    async fn check_evidence(
        &self,
        act: &Act,
        prompt: &Prompt,
        candidate: &VersionDetails,
        live: Option<&Version>,
        evidence: Evidence,
    ) -> Result<Option<TestSet>> {
        let store = &self.registry.store;
        let set = store.test_set(evidence.test_set_id).await?;
        let newest = set.as_ref().map(|set| set.newest_version);
        let version_id = candidate.version.version_id;
        let compared = evidence.baseline.map(|baseline| baseline.id);
        let live = live.map(|live| live.version_id);
        let stale = if prompt.test_set_id != Some(evidence.test_set_id)
            || newest != Some(evidence.test_set_version)
        {
            "It passed on a test set that is not the newest any more."
        } else if live.is_some_and(|live| live != version_id) && compared != live {
            "It was compared with a version that is not in production any more."
        } else {
            return Ok(set);
        };
        let stale = Error::new(ErrorKind::EvidenceStale, format!("{stale} A new evaluation is needed."));
        let anew = Act::by(act.caller.clone());
        match self.registry.queue_run(&anew, version_id, &NewRun::default()).await {
            Ok(queued) => Err(stale.fact("eval_run_id", queued.value.run.eval_run_id.to_string())),
            Err(error) if error.retryable() => Err(error),
            Err(error) => Err(stale.fact("not_queued", error.detail())),
        }
    }

    /// The verdict must hold by the policy of today, which may be stricter than the one of the run's day. What a
    /// person has approved needs no second look while it is no clear miss.
    async fn check_verdict(
        &self,
        prompt: &Prompt,
        candidate: &VersionDetails,
        evidence: Evidence,
        gate: &GatePolicy,
    ) -> Result<Value> {
        let run = self.registry.store.run(prompt.prompt_id, evidence.eval_run_id).await?;
        let summary = run.as_ref().and_then(|run| Some((run, run.summary?)));
        let (run, summary) =
            summary.ok_or_else(|| Error::internal(format!("{} has no summary", evidence.eval_run_id)))?;
        let review = candidate.state.review.as_ref().filter(|review| review.eval_run_id == run.eval_run_id);
        match judge(gate, &summary.figures(), baseline_of(run)).result {
            GateResult::Fail => self.refuse(ErrorKind::GateFailed, evidence.eval_run_id, gate).await,
            GateResult::ManualReview if !review.is_some_and(|review| review.approved) => {
                self.refuse(ErrorKind::ReviewNeeded, evidence.eval_run_id, gate).await
            }
            GateResult::Pass | GateResult::ManualReview => Ok(json!({
                "gate": gate, "evaluation": evidence, "tally": summary.tally, "comparison": run.comparison,
                "review": review, "approvals": candidate.state.approvals,
            })),
        }
    }

    /// A refusal with the run, its score, and cases that did not pass.
    async fn refuse<T>(&self, kind: ErrorKind, run_id: EvalRunId, gate: &GatePolicy) -> Result<T> {
        let store = &self.registry.store;
        let run = store.run_by_id(run_id).await?;
        let run = run.ok_or_else(|| Error::internal(format!("{run_id} is missing")))?;
        let summary = run.summary.unwrap_or_else(|| domain::eval_run::summarise(&[], 1));
        let reasons = judge(gate, &summary.figures(), baseline_of(&run)).reasons;
        let cases = self.registry.not_passed(&run, SHOWN_CASES).await?;
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
