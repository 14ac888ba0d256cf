//! Asking for runs: what is measured, and what it is compared with.

use std::time::Duration;

use domain::{
    Caller, Error, EvalRun, KeyRole, Prompt, Result, TestSetId, Version, VersionId, VersionState,
    audit::{Action, Fact},
    eval_run::{BaselineRun, DEADLINE, MAX_REPEATS, Purpose, RunStatus},
    version::Evidence,
};
use serde_json::json;
use store::{Change, RunProgress, TestSet, TestSetVersion};

use super::RunDetails;
use crate::{Act, Made, Registry, settle::Step, version::refuse_archived};

/// What a run is asked to be, where it is not the prompt's and the version's own.
#[derive(Debug, Clone, Default)]
pub struct NewRun {
    /// Another test set.
    pub test_set_id: Option<TestSetId>,
    /// Another model.
    pub model_id: Option<String>,
    /// How often each case is asked; once when left out.
    pub repeats: Option<u32>,
    /// Whether answers of former runs may stand for new ones.
    pub reuse: bool,
    /// How long it may take; [`DEADLINE`] when left out.
    pub deadline: Option<Duration>,
}

impl NewRun {
    fn validate(&self) -> Result<()> {
        let repeats = self.repeats.unwrap_or(1);
        if !(1..=MAX_REPEATS).contains(&repeats) {
            return Err(Error::invalid("/repeats", format!("repeats lies between 1 and {MAX_REPEATS}.")));
        }
        if self.reuse && repeats > 1 {
            let detail = "An answer is never reused for repeats: they are there to see how answers differ.";
            return Err(Error::invalid("/reuse", detail));
        }
        Ok(())
    }
}

/// The runs that a wish comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The run itself.
    pub(crate) run: EvalRun,
    /// The run of what is in production, where that was never measured on these cases, and the state that says so.
    pub(crate) baseline: Option<(EvalRun, VersionState)>,
    /// The state of a version that waits for the run from now on.
    state: Option<VersionState>,
}

impl Plan {
    /// Makes the version wait for the run, where it decides anything.
    fn wait_for(&mut self, before: &VersionState) {
        let Self { run, baseline, .. } = &*self;
        let mut state = match run.purpose {
            Purpose::Verdict => before.queued(run.eval_run_id),
            Purpose::OtherModel => before.queued_on(&run.model_id, run.eval_run_id),
            Purpose::Baseline | Purpose::Watch | Purpose::Trial => return,
        };
        // What is live is measured on its own model beside another one: then both are in one state.
        if let Some((_, live)) = baseline.as_ref().filter(|(_, live)| live.version_id == state.version_id) {
            state.measuring = live.measuring;
        }
        self.state = Some(state);
    }

    /// Adds the new runs to a change.
    pub(crate) fn put(&self, change: &mut Change) -> Result<()> {
        change.put_new_run(&self.run)?;
        if let Some((run, _)) = &self.baseline {
            change.put_new_run(run)?;
        }
        let live = self.baseline.as_ref().map(|(_, live)| live);
        let own = self.state.as_ref();
        let others = live.filter(|live| own.is_none_or(|own| own.version_id != live.version_id));
        for state in own.into_iter().chain(others) {
            change.put_version_state(state)?;
        }
        Ok(())
    }
}

impl Registry {
    /// The run of a version just written, if its prompt has a test set with cases.
    pub(crate) async fn first_run(
        &self,
        prompt: &Prompt,
        version: &Version,
        caller: &Caller,
    ) -> Result<Option<Plan>> {
        let Some(set) = prompt.test_set_id else { return Ok(None) };
        let set = self.test_set_of(&prompt.team_id, set).await?;
        if set.newest_version == 0 {
            return Ok(None);
        }
        self.plan_run(prompt, version, caller, &set, &NewRun::default()).await.map(Some)
    }

    /// Asks for a run of a version that exists. A run that decides makes the version's verdict pending again.
    pub async fn queue_run(&self, act: &Act, version: VersionId, new: &NewRun) -> Result<Made<RunDetails>> {
        act.caller.require(KeyRole::Author)?;
        new.validate()?;
        let attempt = || async {
            let (prompt, details) = self.version_in_prompt(&act.caller, version).await?;
            refuse_archived(&prompt)?;
            let set = new.test_set_id.or(prompt.test_set_id).ok_or_else(|| {
                let detail = "The prompt has no test set. Name one, or give the prompt one with PATCH.";
                Error::invalid("/test_set_id", detail)
            })?;
            let set = self.test_set_of(&prompt.team_id, set).await?;
            let mut plan = self.plan_run(&prompt, &details.version, &act.caller, &set, new).await?;
            plan.wait_for(&details.state);
            let change = self.queue_change(act, &prompt, &plan)?;
            Ok(Step::commit(change, RunDetails { run: plan.run, progress: RunProgress::default() }))
        };
        let replay =
            |made: String| async move { self.run(&act.caller, made.parse().map_err(Error::internal)?).await };
        self.settle(act, attempt, replay).await
    }

    fn queue_change(&self, act: &Act, prompt: &Prompt, plan: &Plan) -> Result<Change> {
        let Plan { run, baseline, .. } = plan;
        let mut fact = Fact::new(&act.caller.actor, Action::EvaluationQueued, run.eval_run_id);
        fact.after = json!({
            "version_id": run.version.id, "test_set_id": run.test_set_id, "test_set_version": run.test_set_version,
            "model_id": run.model_id, "purpose": run.purpose, "baseline": run.baseline,
            "baseline_run_queued": baseline.is_some(),
        });
        let mut change = Change::of_prompt(prompt, prompt.clone(), fact, &self.sources)?;
        plan.put(&mut change)?;
        if let Some(mark) = &act.once {
            change.once(mark, 202, run.eval_run_id)?;
        }
        Ok(change)
    }

    async fn plan_run(
        &self,
        prompt: &Prompt,
        version: &Version,
        caller: &Caller,
        set: &TestSet,
        new: &NewRun,
    ) -> Result<Plan> {
        let cases =
            self.store.test_set_version(set.test_set_id, set.newest_version).await?.ok_or_else(|| {
                let detail = format!("The test set {} has no cases yet. Put some first.", set.test_set_id);
                Error::invalid("/test_set_id", detail)
            })?;
        let model_id = new.model_id.as_ref().unwrap_or(&version.content.model_id);
        let purpose = if prompt.test_set_id != Some(set.test_set_id) {
            Purpose::Trial
        } else if *model_id == version.content.model_id {
            Purpose::Verdict
        } else {
            Purpose::OtherModel
        };
        let mut run = self.new_run(version, purpose, caller, &cases);
        run.model_id.clone_from(model_id);
        run.repeats = new.repeats.unwrap_or(1);
        run.reuse = new.reuse;
        run.deadline = Some(run.created_at.plus(new.deadline.unwrap_or(DEADLINE)));
        let (baseline, to_measure) = self.baseline_of(&run, caller, &cases).await?;
        Ok(Plan { run: EvalRun { baseline, ..run }, baseline: to_measure, state: None })
    }

    /// A run as it is queued: of the version's own model, once, compared with nothing.
    pub(crate) fn new_run(
        &self,
        version: &Version,
        purpose: Purpose,
        caller: &Caller,
        cases: &TestSetVersion,
    ) -> EvalRun {
        let now = self.sources.now();
        EvalRun {
            eval_run_id: self.sources.id(),
            prompt_id: version.prompt_id,
            version: version.pointer(),
            test_set_id: cases.test_set_id,
            test_set_version: cases.version,
            total_cases: cases.cases,
            model_id: version.content.model_id.clone(),
            purpose,
            baseline: None,
            repeats: 1,
            reuse: false,
            deadline: Some(now.plus(DEADLINE)),
            status: RunStatus::Queued,
            revision: 1,
            dispatch_attempt: 1,
            dispatched_attempt: 0,
            claim: None,
            dispatched_at: None,
            attempts_in_vain: 0,
            redelivered_cases: 0,
            created_by: caller.actor.id.clone(),
            trace_id: caller.trace_id,
            created_at: now,
            started_at: None,
            completed_at: None,
            summary: None,
            comparison: None,
            gate_result: None,
            gate_reasons: Vec::new(),
        }
    }

    /// What a run is compared with: what is in production, as its newest run on these very cases measured it. Where
    /// there is none and none is under way, production is measured too. Both ask each case as often: most of three
    /// answers are right more often than one is, of the very same prompt.
    async fn baseline_of(
        &self,
        run: &EvalRun,
        caller: &Caller,
        cases: &TestSetVersion,
    ) -> Result<(Option<BaselineRun>, Option<(EvalRun, VersionState)>)> {
        if !matches!(run.purpose, Purpose::Verdict | Purpose::OtherModel) {
            return Ok((None, None));
        }
        let production = self.store.reference(run.prompt_id, &domain::name::production()).await?;
        let Some(live) = production.and_then(|reference| reference.version) else { return Ok((None, None)) };
        if live.id == run.version.id && run.purpose == Purpose::Verdict {
            return Ok((None, None));
        }
        let state = self.store.version_state(run.prompt_id, live.number).await?;
        let state = state.ok_or_else(|| Error::internal(format!("{} has no state", live.id)))?;
        let of_these_cases = |evidence: &Evidence| {
            evidence.test_set_id == cases.test_set_id
                && evidence.test_set_version == cases.version
                && evidence.repeats == run.repeats
        };
        // What was measured on former cases must not hide what is being measured on these.
        if let Some(known) = [state.measured, state.measuring].into_iter().flatten().find(of_these_cases) {
            let baseline = BaselineRun { version: live, eval_run_id: known.eval_run_id };
            return Ok((Some(baseline), None));
        }
        let version = self.store.version(run.prompt_id, live.number).await?;
        let version = version.ok_or_else(|| Error::internal(format!("{} is missing", live.id)))?;
        let measuring = EvalRun {
            repeats: run.repeats,
            // Whoever gives the one more time has to wait for the other too.
            deadline: run.deadline,
            ..self.new_run(&version, Purpose::Baseline, caller, cases)
        };
        let baseline = BaselineRun { version: live, eval_run_id: measuring.eval_run_id };
        let state = state.measured_by(&measuring);
        Ok((Some(baseline), Some((measuring, state))))
    }
}
