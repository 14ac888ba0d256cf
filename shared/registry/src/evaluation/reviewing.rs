//! People who decide: reviews of what was too close to call, and approvals.

use domain::{
    Environment, Error, ErrorKind, EvalRunId, EvalStatus, KeyRole, Prompt, Result, VersionId, VersionState,
    audit::{Action, Fact},
    eval_run::Purpose,
    gate::GateResult,
    version::{Approval, Review},
};
use serde_json::json;
use store::Change;

use super::RunDetails;
use crate::{
    Act, Made, Registry,
    settle::Step,
    version::{VersionDetails, refuse_archived},
};

/// A reviewer's decision.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Whether the version may go live.
    pub approve: bool,
    /// Why.
    pub reason: String,
}

/// A releaser's word that a version may go live somewhere.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// Where.
    pub environment: Environment,
    /// Why.
    pub reason: String,
}

/// How long a reason may be, in characters.
const MAX_REASON_CHARS: usize = 2000;

/// How many approvals a version keeps.
const MAX_APPROVALS: usize = 50;

impl Registry {
    /// Decides a run that was too close to call: a releaser does, who did not write the version.
    pub async fn review_run(
        &self,
        act: &Act,
        run: EvalRunId,
        decision: &Decision,
    ) -> Result<Made<RunDetails>> {
        act.caller.require(KeyRole::Releaser)?;
        check_reason(&decision.reason)?;
        let attempt = || async {
            let details = self.run(&act.caller, run).await?;
            let found = &details.run;
            let (prompt, version) = self.version_in_prompt(&act.caller, found.version.id).await?;
            refuse_archived(&prompt)?;
            self.refuse_author(act, &version).await?;
            if found.gate_result != Some(GateResult::ManualReview) {
                let detail = "Only a run whose gate_result is manual_review is reviewed.";
                return Err(Error::new(ErrorKind::Conflict, detail));
            }
            let state = self.reviewed(act, &version.state, found.purpose, &found.model_id, run, decision)?;
            let mut fact = Fact::new(&act.caller.actor, Action::EvaluationReviewed, run);
            fact.reason = Some(decision.reason.clone());
            fact.before = json!({ "eval_status": version.state.eval_status });
            fact.after = json!({
                "eval_status": state.eval_status, "version_id": found.version.id,
                "version_number": found.version.number, "approved": decision.approve, "model_id": found.model_id,
            });
            fact.evidence = json!({ "reasons": found.gate_reasons, "comparison": found.comparison });
            let change = self.state_change(act, &prompt, &state, fact, 200, run)?;
            Ok(Step::commit(change, details))
        };
        let replay = |_| async { self.run(&act.caller, run).await };
        self.settle(act, attempt, replay).await
    }

    fn reviewed(
        &self,
        act: &Act,
        state: &VersionState,
        purpose: Purpose,
        model_id: &str,
        run: EvalRunId,
        decision: &Decision,
    ) -> Result<VersionState> {
        let other_model = purpose == Purpose::OtherModel;
        let waits = if other_model {
            state.is_decided_by(model_id, run)
        } else {
            state.eval_status == EvalStatus::ManualReview && state.eval_run_id == Some(run)
        };
        if !waits {
            let detail =
                "The version does not wait for a review of this run (any more). Read the version again.";
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        let mut next = VersionState { revision: state.revision + 1, ..state.clone() };
        if other_model {
            next.models_waiting.remove(model_id);
            if decision.approve {
                next.models_passed.insert(model_id.to_owned(), run);
            } else {
                next.models_passed.remove(model_id);
            }
            return Ok(next);
        }
        next.eval_status = if decision.approve { EvalStatus::Passed } else { EvalStatus::Failed };
        next.review = Some(Review {
            eval_run_id: run,
            approved: decision.approve,
            by: act.caller.actor.id.clone(),
            at: self.sources.now(),
            reason: decision.reason.clone(),
        });
        Ok(next)
    }

    /// Gives a releaser's word for a version, who did not write it. Given again for the same environment it replaces
    /// their former one.
    pub async fn approve_version(
        &self,
        act: &Act,
        version: VersionId,
        new: &NewApproval,
    ) -> Result<Made<VersionDetails>> {
        act.caller.require(KeyRole::Releaser)?;
        check_reason(&new.reason)?;
        let attempt = || async {
            let (prompt, details) = self.version_in_prompt(&act.caller, version).await?;
            refuse_archived(&prompt)?;
            self.refuse_author(act, &details).await?;
            let by = &act.caller.actor.id;
            let mut state = VersionState { revision: details.state.revision + 1, ..details.state };
            state.approvals.retain(|known| known.by != *by || known.environment != new.environment);
            if state.approvals.len() >= MAX_APPROVALS {
                let detail = format!("A version keeps at most {MAX_APPROVALS} approvals.");
                return Err(Error::new(ErrorKind::Conflict, detail));
            }
            state.approvals.push(Approval {
                environment: new.environment.clone(),
                by: by.clone(),
                at: self.sources.now(),
                reason: new.reason.clone(),
            });
            let mut fact = Fact::new(&act.caller.actor, Action::Approved, version);
            fact.environment = Some(new.environment.clone());
            fact.reason = Some(new.reason.clone());
            let change = self.state_change(act, &prompt, &state, fact, 201, version)?;
            Ok(Step::commit(change, VersionDetails { version: details.version, state }))
        };
        let replay = |_| async { self.version(&act.caller, version).await };
        self.settle(act, attempt, replay).await
    }

    /// Four eyes: nobody decides on what they wrote themselves, nor by the key that took its key's place.
    async fn refuse_author(&self, act: &Act, version: &VersionDetails) -> Result<()> {
        let (author, decider) = (&version.version.created_by, &act.caller.actor.id);
        if !self.became(author, decider).await? && !self.became(decider, author).await? {
            return Ok(());
        }
        let detail = "Whoever wrote a version does not decide on it. Ask another releaser.";
        Err(Error::new(ErrorKind::Forbidden, detail))
    }

    /// Whether a key is the other one, or was rotated to it, however often.
    async fn became(&self, key: &str, other: &str) -> Result<bool> {
        let (mut key, other) = (key.trim_start_matches("key_").to_owned(), other.trim_start_matches("key_"));
        while key != other {
            let found = self.store.api_key(&key).await?;
            let Some(next) = found.and_then(|found| found.rotated_to) else { return Ok(false) };
            key = next;
        }
        Ok(true)
    }

    fn state_change(
        &self,
        act: &Act,
        prompt: &Prompt,
        state: &VersionState,
        fact: Fact,
        status: u16,
        made: impl std::fmt::Display,
    ) -> Result<Change> {
        let mut change = Change::of_prompt(prompt, prompt.clone(), fact, &self.sources)?;
        change.put_version_state(state)?;
        if let Some(mark) = &act.once {
            change.once(mark, status, made)?;
        }
        Ok(change)
    }
}

fn check_reason(reason: &str) -> Result<()> {
    if !reason.trim().is_empty() && reason.chars().count() <= MAX_REASON_CHARS {
        return Ok(());
    }
    Err(Error::invalid("/reason", format!("Say why, in 1 to {MAX_REASON_CHARS} characters.")))
}
