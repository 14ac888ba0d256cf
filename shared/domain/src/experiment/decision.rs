//! Whether a trial has a winner (statistics.md §4).
//!
//! One pure function of numbers, so that whoever ticks at the same time decides the same, and a simulation
//! can ask it a million times. The words come after it, of [`Decision::reasons`].

mod reasons;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    estimate::{Estimate, Standing},
    evidence,
};

/// The two-sided 95 % point of the normal distribution, for the one look that was planned.
const Z_PLANNED: f64 = 1.96;

/// How likely the best arm must be, and for how many ticks in a row.
pub const CONFIDENT: f64 = 0.95;
/// Hourly ticks: a day.
pub const CONFIDENT_TICKS: u32 = 24;

/// The loss, as a share of the control's mean, that makes it all the same which arm serves.
const NEGLIGIBLE: f64 = 0.01;

/// What a winner has to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At most 5 % of the trials of equal arms have a winner: an e-value of 40 at any time, or 1.96 standard
    /// errors at the planned end.
    #[default]
    Strict,
    /// A probability of 95 % for a day. About one in four trials of equal arms has a winner.
    Balanced,
    /// A person decides.
    Manual,
}

/// When and how a trial may be decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// What a winner has to show.
    pub mode: Mode,
    /// How many observations each arm needs.
    pub min_samples: f64,
    /// How long it must run.
    pub min_duration: Duration,
    /// When it ends, as planned before it started or extended since; `None` for one that goes on until it is
    /// stopped.
    pub max_duration: Option<Duration>,
    /// Whether the end is later than was planned: then the look at the end was used up, and only the e-value
    /// is left.
    pub extended: bool,
}

/// What forbids to decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// The arms were not served as their weights say.
    pub srm: bool,
    /// One arm's users answer more often than another's.
    pub feedback_bias: bool,
    /// All arms fail: the provider is down, and what is seen is not of the prompt.
    pub frozen: bool,
}

/// For how many hourly ticks in a row the same arm was the best with [`CONFIDENT`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// The arm.
    pub arm: usize,
    /// How many ticks; 0 where no arm is sure enough.
    pub ticks: u32,
}

impl Streak {
    /// After one more hourly tick.
    #[must_use]
    pub fn next(self, standing: &Standing) -> Self {
        let sure = standing.p_best.iter().position(|p| *p >= CONFIDENT);
        match sure {
            Some(arm) if arm == self.arm => Self { arm, ticks: self.ticks.saturating_add(1) },
            Some(arm) => Self { arm, ticks: 1 },
            None => Self::default(),
        }
    }
}

/// How far a trial has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// For how long it was active, pauses left out.
    pub active: Duration,
    /// What forbids to decide.
    pub flags: Flags,
    /// The streak after the last hourly tick.
    pub streak: Streak,
    /// What 1 % of is negligible: [`Estimate::scale`] of the control.
    pub scale: f64,
}

/// How a trial ended, or that it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Undecided,
    /// This arm is better than each other; the control if it is arm 0.
    Winner(usize),
    /// Time is up and it is all the same: the control stays.
    Equivalent,
    /// Time is up and nobody knows: the control stays.
    Inconclusive,
    /// Every arm but the control broke a guardrail: the control stays.
    Guardrail,
    /// With one arm there is nothing to decide.
    NotApplicable,
}

/// What was decided, with the numbers that it was decided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The end, or none yet.
    pub outcome: Outcome,
    /// The arm with the highest estimate.
    pub leader: usize,
    /// The arm from which the leader is the least sure to differ.
    pub rival: usize,
    /// How likely the leader is the best.
    pub p_best: f64,
    /// What is lost on average by keeping the control, as a share of its mean; infinite where that is 0.
    pub control_loss: f64,
    /// ln e⁺ of the leader against `rival`.
    pub ln_e: f64,
    /// How many standard errors the leader is above the arm to which it is nearest in them.
    pub z: f64,
    /// The arm with the fewest observations of those that compete, and how many.
    pub fewest: (usize, f64),
    settings: Settings,
    flags: Flags,
    active: Duration,
    streak: Streak,
}

/// Decides. `standing` is of the same estimate.
pub fn decide(estimate: &Estimate, standing: &Standing, settings: Settings, progress: Progress) -> Decision {
    let leader = standing.leader;
    let tau = evidence::EXPERIMENT_TAU * estimate.sigma();
    let (mut ln_e, mut z, mut rival) = (f64::INFINITY, f64::INFINITY, leader);
    for arm in standing.competing().filter(|arm| *arm != leader) {
        let ahead = estimate.contrast(leader, arm);
        let evidence = evidence::ln_e(ahead, tau);
        if evidence < ln_e {
            (ln_e, rival) = (evidence, arm);
        }
        z = z.min(ahead.z());
    }
    let fewer = |few: (usize, f64), arm: (usize, f64)| if arm.1 < few.1 { arm } else { few };
    let fewest =
        standing.competing().map(|arm| (arm, estimate.samples[arm])).reduce(fewer).unwrap_or_default();
    let mut decision = Decision {
        outcome: Outcome::Undecided,
        leader,
        rival,
        p_best: standing.p_best[leader],
        control_loss: standing.expected_loss[0] / progress.scale,
        ln_e,
        z,
        fewest,
        settings,
        flags: progress.flags,
        active: progress.active,
        streak: progress.streak,
    };
    decision.outcome = match (estimate.arms(), standing.competing().count()) {
        (..=1, _) => Outcome::NotApplicable,
        (_, ..=1) => Outcome::Guardrail,
        _ => decision.outcome(),
    };
    decision
}

impl Decision {
    /// e⁺ of the leader, never infinite; 1 where it has no rival.
    pub fn e_value(&self) -> f64 {
        if self.leader == self.rival { 1.0 } else { evidence::e_value(self.ln_e) }
    }

    /// What a winner must reach: an e-value; in balanced mode a probability.
    pub fn threshold(&self) -> f64 {
        if self.settings.mode == Mode::Balanced { CONFIDENT } else { evidence::ENOUGH }
    }

    fn outcome(&self) -> Outcome {
        if self.is_ready() && self.settings.mode != Mode::Manual {
            match self.winner() {
                Some(arm) => return Outcome::Winner(arm),
                None if !self.is_over() => return Outcome::Undecided,
                None if self.control_loss <= NEGLIGIBLE => return Outcome::Equivalent,
                None => return Outcome::Inconclusive,
            }
        }
        // An outage passes, and a person takes the time that it takes: the data are still good then.
        let waits = !self.is_over() || self.flags.frozen || self.settings.mode == Mode::Manual;
        if waits { Outcome::Undecided } else { Outcome::Inconclusive }
    }

    fn winner(&self) -> Option<usize> {
        let wins = match self.settings.mode {
            Mode::Strict => {
                let planned_end = self.is_over() && !self.settings.extended;
                self.ln_e >= libm::log(evidence::ENOUGH) || (planned_end && self.z >= Z_PLANNED)
            }
            Mode::Balanced => self.streak.arm == self.leader && self.streak.ticks >= CONFIDENT_TICKS,
            Mode::Manual => false,
        };
        wins.then_some(self.leader)
    }

    /// Whether there is enough, for long enough, and nothing forbids to look at it.
    fn is_ready(&self) -> bool {
        self.flags == Flags::default() && self.has_samples() && self.active >= self.settings.min_duration
    }

    fn has_samples(&self) -> bool {
        self.fewest.1 >= self.settings.min_samples
    }

    fn is_over(&self) -> bool {
        self.settings.max_duration.is_some_and(|end| self.active >= end)
    }
}

#[cfg(test)]
mod tests;
