//! What becomes of a canary this minute.

use std::time::Duration;

use super::{
    Flag, Observed, Phase, Rollout, Status,
    health::{Health, Words},
};
use crate::{Result, Timestamp};

/// How often canaries are looked at.
pub const INTERVAL: Duration = Duration::from_mins(1);

/// How long after its promotion a version is watched.
pub const WATCH: Duration = Duration::from_hours(24);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Hold,
    /// Serve the part of the units that this stage says, counted from 0.
    Advance(usize),
    /// Serve the control alone; after the promotion, roll back to it.
    Abort,
    /// Nothing, though a guardrail is breached: the control fails as well.
    Freeze,
    /// Nothing but tell people: the stage does not get what it needs.
    Stall,
    /// Promote the new version, and go on watching.
    Promote,
    /// End it: the new version has stood the watch.
    Complete,
}

/// A canary after a look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The canary as it is from now on; as it was, where there is nothing to write.
    pub rollout: Rollout,
    /// What is to be done, by whoever writes it.
    pub decision: Decision,
    /// Why, each in a sentence without its full stop.
    pub reasons: Vec<String>,
}

/// Looks at a canary.
///
/// It is a function of its arguments alone, so that two who look at once find the same; whoever writes second
/// under the condition that the canary is unchanged, fails and looks again. Looking twice at the same
/// counters changes nothing more. An error: the counters cannot be.
pub fn tick(rollout: &Rollout, observed: &Observed, now: Timestamp) -> Result<Tick> {
    if rollout.status != Status::Active {
        return Ok(Tick::hold(rollout.clone(), "it has ended"));
    }
    if observed.allocation_version != rollout.state.allocation_version {
        return Ok(Tick::hold(rollout.clone(), "the counters are those of another stage"));
    }
    let mut next = rollout.clone();
    next.state.take(&next.plan.guardrails, observed, now);
    let health = Health::of(&next.plan.guardrails, &next.state.processes, observed, Words::OF_VERSIONS)?;
    let breached = !health.breaches.is_empty();
    next.set(Flag::Breached, breached && !health.outage);
    next.set(Flag::Frozen, health.outage);
    next.set(Flag::Stalled, false);
    Ok(match (breached, health) {
        (true, Health { breaches, outage: true, .. }) => {
            let cause =
                "more than 20 % of the former version's users meet errors too: likely neither is to blame"
                    .to_owned();
            Tick { rollout: next, decision: Decision::Freeze, reasons: [vec![cause], breaches].concat() }
        }
        (true, Health { breaches, .. }) if next.plan.auto_rollback => next.ended_by(breaches, now),
        (true, Health { breaches, .. }) => {
            Tick { rollout: next, decision: Decision::Hold, reasons: breaches }
        }
        (false, Health { doubt: Some(doubt), .. }) => Tick::hold(next, doubt),
        (false, _) => next.proceed(now),
    })
}

impl Tick {
    /// A canary that a person changed, without anything that follows from it.
    pub fn held(rollout: Rollout) -> Self {
        Self { rollout, decision: Decision::Hold, reasons: Vec::new() }
    }

    fn hold(rollout: Rollout, reason: impl Into<String>) -> Self {
        Self { rollout, decision: Decision::Hold, reasons: vec![reason.into()] }
    }
}

impl Rollout {
    /// A canary that does no harm goes on once it has all it needs.
    fn proceed(mut self, now: Timestamp) -> Tick {
        if self.state.paused_at.is_some() {
            return Tick::hold(self, "it is paused");
        }
        let lasted = now.since(self.state.since).unwrap_or_default();
        let stage = match self.state.phase {
            Phase::Watch if lasted >= WATCH => return self.complete(now),
            Phase::Watch => return Tick::hold(self, "the promoted version is watched for 24 hours"),
            Phase::Stage(stage) => stage,
        };
        let lacks = self.lacks(stage, lasted, now);
        if lacks.is_empty() {
            return self.advanced("the stage has all it needs", now);
        }
        let stalled = self.plan.stages.get(stage).is_some_and(|stage| lasted >= stage.max_wait());
        self.set(Flag::Stalled, stalled);
        let decision = if stalled { Decision::Stall } else { Decision::Hold };
        Tick { rollout: self, decision, reasons: lacks }
    }

    fn lacks(&self, stage: usize, lasted: Duration, now: Timestamp) -> Vec<String> {
        let Some(stage) = self.plan.stages.get(stage) else { return Vec::new() };
        let known = &self.state;
        let counted = |least: u64, found: u64, what: &str| {
            (found < least).then(|| format!("{found} of at least {least} {what}"))
        };
        let bakes = stage.bake().saturating_sub(lasted);
        let silent = now.since(known.data_at).unwrap_or_default();
        [
            (!bakes.is_zero()).then(|| format!("{} more minutes to bake", bakes.as_secs().div_ceil(60))),
            counted(stage.min_samples, known.requests, "requests"),
            counted(stage.min_labels, known.labels, "ratings or scores"),
            (silent > 2 * INTERVAL).then(|| "no data has come for two minutes".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The next stage; after the last one, the promotion and the watch.
    pub(super) fn advanced(mut self, reason: &str, now: Timestamp) -> Tick {
        let next = match self.state.phase {
            Phase::Stage(stage) if stage + 1 < self.plan.stages.len() => Phase::Stage(stage + 1),
            _ => Phase::Watch,
        };
        let decision = match next {
            Phase::Stage(stage) => Decision::Advance(stage),
            Phase::Watch => Decision::Promote,
        };
        self.state.enter(next, now);
        Tick { rollout: self, decision, reasons: vec![reason.to_owned()] }
    }

    fn complete(mut self, now: Timestamp) -> Tick {
        self.status = Status::Completed;
        self.ended_at = Some(now);
        let reasons = vec!["the promoted version has stood the watch of 24 hours".to_owned()];
        Tick { rollout: self, decision: Decision::Complete, reasons }
    }

    pub(super) fn ended_by(mut self, reasons: Vec<String>, now: Timestamp) -> Tick {
        self.status = Status::Stopped;
        self.ended_at = Some(now);
        self.reasons.clone_from(&reasons);
        self.state.allocation_version += 1;
        Tick { rollout: self, decision: Decision::Abort, reasons }
    }

    pub(super) fn set(&mut self, flag: Flag, is_up: bool) {
        if is_up {
            self.flags.insert(flag);
        } else {
            self.flags.remove(&flag);
        }
    }
}
