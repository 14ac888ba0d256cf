//! What people do to a canary.

use super::{Phase, Rollout, State, Status, Tick, tick::Decision};
use crate::{Error, ErrorKind, Result, Timestamp, VersionPointer};

impl Rollout {
    /// Holds the weights until [`Self::resume`]. Guardrails stay armed. What is paused stays paused.
    pub fn pause(&self, now: Timestamp) -> Result<Self> {
        self.active()?;
        let mut next = self.clone();
        next.state.paused_at.get_or_insert(now);
        Ok(next)
    }

    /// Goes on. The pause counts for no bake, no wait and no watch.
    pub fn resume(&self, now: Timestamp) -> Result<Self> {
        self.active()?;
        let mut next = self.clone();
        if let Some(paused_at) = next.state.paused_at.take() {
            next.state.since = next.state.since.plus(now.since(paused_at).unwrap_or_default());
        }
        Ok(next)
    }

    /// Goes on to the next stage, whatever this one lacks; after the last one, promotes. A pause is over.
    pub fn advance(&self, now: Timestamp) -> Result<Tick> {
        self.active()?;
        self.ramping()?;
        Ok(self.clone().advanced("a person advanced it", now))
    }

    /// Serves the control alone from now on. To abort what is stopped does nothing.
    pub fn abort(&self, reason: &str, now: Timestamp) -> Result<Tick> {
        if self.status == Status::Stopped {
            let reasons = self.reasons.clone();
            return Ok(Tick { rollout: self.clone(), decision: Decision::Hold, reasons });
        }
        self.active()?;
        Ok(self.clone().ended_by(vec![reason.to_owned()], now))
    }

    /// The end of a watch over a version that is not the only one any more: there is nothing to take back.
    #[must_use]
    pub fn superseded(&self, now: Timestamp) -> Tick {
        let reasons = vec!["another version or trial took its place".to_owned()];
        let mut rollout = self.clone();
        rollout.status = Status::Stopped;
        rollout.ended_at = Some(now);
        rollout.reasons.clone_from(&reasons);
        Tick { rollout, decision: Decision::Complete, reasons }
    }

    /// Starts again at the first stage with another version: what was found out about the former one is worth
    /// nothing.
    pub fn replaced(&self, canary: VersionPointer, now: Timestamp) -> Result<Self> {
        self.active()?;
        self.ramping()?;
        let fresh = State {
            iteration: self.state.iteration + 1,
            allocation_version: self.state.allocation_version + 1,
            ..State::begin(&self.plan, 0, now)
        };
        Ok(Self { canary, state: fresh, flags: [].into(), ..self.clone() })
    }

    fn active(&self) -> Result<()> {
        let ended =
            |how| Err(Error::new(ErrorKind::Conflict, format!("The canary {how}. Start another one.")));
        match self.status {
            Status::Active => Ok(()),
            Status::Completed => ended("is complete"),
            Status::Stopped => ended("was stopped"),
        }
    }

    fn ramping(&self) -> Result<()> {
        if self.state.phase == Phase::Watch {
            let detail = "The version is promoted already and is watched. Abort the canary to take it back.";
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        Ok(())
    }
}
