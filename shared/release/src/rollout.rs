//! Starting canaries, and what people do to them.

use std::{sync::OnceLock, time::Duration};

use domain::{
    Environment, Error, ErrorKind, KeyRole, Result, RolloutId, Trial, VersionId,
    audit::Action,
    metric::{Count, Hour, Tally},
    rollout::{Decision, Observed, Plan, Rollout, State, Status, Tick},
};
use registry::{Act, Made, settle};
use serde_json::{Value, json};
use store::Change;

use crate::{
    Release, evidence,
    moved::{News, check_reason},
    promote::Promotion,
    trial::{Field, trial_fact},
};

/// A wish to release a version step by step.
#[derive(Debug, Clone)]
pub struct NewRollout {
    /// The version.
    pub version_id: VersionId,
    /// Where.
    pub environment: Environment,
    /// How it grows.
    pub plan: Plan,
    /// Whether the stages are the caller's: then it begins with the first of them, and else with the one that fits the
    /// traffic.
    pub own_stages: bool,
    /// Why.
    pub reason: Option<String>,
}

/// What a person does to a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Goes on to the next stage, whatever this one lacks.
    Advance,
    /// Holds the stage.
    Pause,
    /// Goes on.
    Resume,
    /// Serves the control alone from now on.
    Abort,
}

type Settled = settle::Step<(Rollout, Option<News>)>;

impl Release {
    /// Starts a canary. It passes the same gate as a promotion.
    pub async fn start_rollout(&self, act: &Act, address: &str, new: &NewRollout) -> Result<Made<Rollout>> {
        act.caller.require(KeyRole::Releaser)?;
        check_reason("/reason", new.reason.as_deref())?;
        new.plan.validate()?;
        let registry = &self.registry;
        let attempt = || self.build_rollout(act, address, new);
        let replay = |made: String| async move {
            let id: RolloutId = made.parse().map_err(Error::internal)?;
            Ok((registry.rollout(&act.caller, id).await?, None))
        };
        let Made { value: (rollout, news), replayed } = registry.settle(act, attempt, replay).await?;
        if let Some(news) = &news {
            self.propagate(news).await;
        }
        Ok(Made { value: rollout, replayed })
    }

    async fn build_rollout(&self, act: &Act, address: &str, new: &NewRollout) -> Result<Settled> {
        let field = self.field(&act.caller, address, &new.environment).await?;
        let Field { prompt, before, live, .. } = &field;
        let details = self.registry.version_of(prompt, "/version_id", new.version_id).await?;
        if new.version_id == live.version_id {
            let detail = format!("{} is live in `{}` already.", new.version_id, new.environment);
            return Err(Error::invalid("/version_id", detail));
        }
        let wish = new.promotion(None);
        let clearance = self.clear(act, prompt, before, &details, Some(live), &wish).await?;
        self.registry.cache.keep_version(&details.version)?;
        let stage = if new.own_stages { 0 } else { new.plan.start_stage(self.calls_a_day(&field).await?) };
        let now = self.registry.sources.now();
        let rollout = Rollout {
            rollout_id: self.registry.sources.id(),
            prompt_id: prompt.prompt_id,
            environment: new.environment.clone(),
            control: live.pointer(),
            canary: details.version.pointer(),
            plan: new.plan.clone(),
            state: State::begin(&new.plan, stage, now),
            flags: [].into(),
            status: Status::Active,
            reasons: Vec::new(),
            created_by: act.caller.actor.id.clone(),
            started_at: now,
            ended_at: None,
            revision: 1,
        };
        let trial = Trial::from(rollout.clone());
        let mut fact = trial_fact(act, Action::RolloutStarted, &trial);
        fact.after["plan"] = json!(rollout.plan);
        fact.reason.clone_from(&new.reason);
        fact.evidence = clearance.evidence;
        let (mut change, after) = self.begin(act, &field, &trial, fact)?;
        change.require_version_state(&details.state);
        if let Some(set) = &clearance.passed_on {
            change.require_test_set(set);
        }
        let news = News { reference: after, read_at: field.read_at };
        Ok(settle::Step::commit(change, (rollout, Some(news))))
    }

    /// How many calls what is live answered in the last 24 hours, as far as they were reported.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    async fn calls_a_day(&self, field: &Field) -> Result<f64> {
        let now = self.registry.sources.now();
        let from = now.minus(Duration::from_hours(24));
        let Field { live, before, .. } = field;
        let hours = self
            .registry
            .store
            .hours(live.version_id, &before.environment, Hour::of(from), Hour::of(now))
            .await?;
        let calls = |hour: &Tally| hour.counts.get(Count::Calls).max(hour.counts.get(Count::Resolves));
        Ok(hours.values().map(calls).sum::<i64>() as f64)
    }

    /// Does to a canary what a person wants. It advances by one stage, whoever else does so at the same moment; `seen` is
    /// the allocation version at which the person saw it, if they say so.
    pub async fn step_rollout(
        &self,
        act: &Act,
        id: RolloutId,
        (step, seen): (Step, Option<u64>),
        reason: Option<&str>,
    ) -> Result<Made<Rollout>> {
        act.caller.require(KeyRole::Releaser)?;
        check_reason("/reason", reason)?;
        let registry = &self.registry;
        let first = OnceLock::new();
        let attempt = || self.build_step(act, id, (step, seen, &first), reason);
        let replay = |_| async move { Ok((registry.rollout(&act.caller, id).await?, None)) };
        let Made { value: (rollout, news), replayed } = registry.settle(act, attempt, replay).await?;
        if let Some(news) = &news {
            self.propagate(news).await;
        }
        Ok(Made { value: rollout, replayed })
    }

    async fn build_step(
        &self,
        act: &Act,
        id: RolloutId,
        (step, seen, first): (Step, Option<u64>, &OnceLock<u64>),
        reason: Option<&str>,
    ) -> Result<Settled> {
        let before = self.registry.rollout(&act.caller, id).await?;
        if step == Step::Advance {
            let now = before.state.allocation_version;
            check_seen(&before, seen)?;
            // Whoever took it there was quicker. One that they ended instead is no further.
            if *first.get_or_init(|| now) != now && before.status == Status::Active {
                return Ok(settle::Step::Done((before, None)));
            }
        }
        let now = self.registry.sources.now();
        let said = reason.unwrap_or("a person aborted it");
        let tick = match step {
            Step::Advance => before.advance(now)?,
            Step::Abort => before.abort(said, now)?,
            Step::Pause => Tick::held(before.pause(now)?),
            Step::Resume => Tick::held(before.resume(now)?),
        };
        if tick.rollout == before {
            return Ok(settle::Step::Done((before, None)));
        }
        let reason = reason.map(str::to_owned);
        let settled = self.carry_out(&Act::by(act.caller.clone()), &before, &tick, (reason, None)).await?;
        settled.once(act, 200, id)
    }

    /// What has to be written for what a look at a canary, or a person, came to; with the person's reason, or else with
    /// what was seen.
    pub(crate) async fn carry_out(
        &self,
        act: &Act,
        before: &Rollout,
        tick: &Tick,
        (reason, observed): (Option<String>, Option<&Observed>),
    ) -> Result<Settled> {
        let former = Trial::from(before.clone());
        let trial = Trial::from(tick.rollout.clone()).after(&former);
        let observed = observed.map(evidence::of_canary);
        let evidence =
            json!({ "rollout_id": before.rollout_id, "decision": tick.reasons, "observed": observed });
        let after = tick.rollout.clone();
        if tick.decision == Decision::Promote {
            let wish = Promotion::of_canary(&after, reason, trial, evidence);
            let step = Box::pin(self.build_promotion(act, before.prompt_id, &wish)).await?;
            return Ok(step.map(|(_, news)| (after, news)));
        }
        let (prompt, reference, read_at) = self.place_of(&former).await?;
        let splits = reference.allocation.as_ref().is_some_and(|running| running.trial == trial.id());
        let watched = !splits && tick.decision == Decision::Abort;
        if watched && reference.version_id() == Some(before.canary.id) {
            return self.take_back(act, &trial, (&after, before), (reason, evidence)).await;
        }
        let mut fact = trial_fact(act, action_of(tick), &trial);
        fact.reason = reason;
        fact.evidence = evidence;
        let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &self.registry.sources)?;
        change.put_trial(&trial)?;
        if !splits || trial.allocation() == reference.allocation {
            return Ok(settle::Step::commit(change, (after, None)));
        }
        let reference = reference.with_allocation(trial.allocation());
        change.put_ref(&reference)?;
        let now = self.registry.sources.now();
        if let Some(weights) = crate::trial::weights_of(&trial, now, tick.reasons.clone()) {
            change.put_weights(&weights)?;
        }
        Ok(settle::Step::commit(change, (after, Some(News { reference, read_at }))))
    }

    /// Rolls a promoted canary back to its control.
    async fn take_back(
        &self,
        act: &Act,
        trial: &Trial,
        (after, before): (&Rollout, &Rollout),
        (reason, evidence): (Option<String>, Value),
    ) -> Result<Settled> {
        let wish = crate::Rollback {
            environment: before.environment.clone(),
            target_version_id: Some(before.control.id),
            expected_revision: None,
            reason: reason.or_else(|| Some(after.reasons.join("; "))),
        };
        let read_at = cache::ReadAt::now(&self.registry.sources);
        let built = self.build_rollback(act, before.prompt_id, &wish, &evidence).await?;
        let (mut change, _, reference) = built;
        change.put_trial(trial)?;
        Ok(settle::Step::commit(change, (after.clone(), Some(News { reference, read_at }))))
    }
}

/// What the audit calls it.
fn action_of(tick: &Tick) -> Action {
    match tick.decision {
        Decision::Advance(_) => Action::RolloutAdvanced,
        Decision::Abort | Decision::Complete => Action::RolloutEnded,
        _ if tick.rollout.state.paused_at.is_some() => Action::RolloutPaused,
        _ => Action::RolloutResumed,
    }
}

/// Refuses to advance a canary that another one has moved meanwhile.
fn check_seen(canary: &Rollout, seen: Option<u64>) -> Result<()> {
    if seen.is_none_or(|seen| canary.state.allocation_version == seen) {
        return Ok(());
    }
    let percent = 100.0 * canary.share();
    let detail = format!("The canary moved since you looked: it is at {percent} %. Look again, then decide.");
    Err(Error::new(ErrorKind::Moved, detail).fact("percent", percent))
}

impl NewRollout {
    /// The promotion that it comes to in the end.
    fn promotion(&self, reason: Option<String>) -> Promotion {
        Promotion {
            version_id: self.version_id,
            environment: self.environment.clone(),
            expected_revision: None,
            reason,
            override_reason: None,
            decided: None,
        }
    }
}
