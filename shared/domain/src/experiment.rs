//! Experiments: several versions serve parts of the units side by side until one is better, or time is up.
//!
//! [`tick`] looks at an [`Experiment`] and at what was [`Observed`] of it, and says what is to be done. Decisions are
//! made from differences within strata: `estimate` finds them, `evidence` weighs them, `decision` ends the
//! experiment, `weights` divides the traffic until then, and `balance` says when none of it can be trusted
//! (statistics.md §1, §2, §4, §5.5). What a person sees of a single arm is its `posterior`.

pub mod balance;
pub mod decision;
pub mod estimate;
pub mod evidence;
pub mod normal;
pub mod observed;
pub mod posterior;
pub mod settings;
pub mod tick;
pub mod weights;

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use observed::{Observed, Served};
pub use settings::{Feedback, NewSettings, Settings, Strategy};
pub use tick::{Action, Tick, tick};

use crate::{
    Environment, Error, ErrorKind, ExperimentId, PromptId, Result, Timestamp, VersionId,
    allocation::{Allocation, Arm, Rule},
    rollout::process::Process,
};
use decision::{Mode, Outcome, Streak};

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its id.
    pub experiment_id: ExperimentId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where it runs.
    pub environment: Environment,
    /// The arms with the weights that were asked for; the first is the control, which was live when it began.
    pub arms: Vec<Arm>,
    /// What was asked for, with what was left out filled in.
    pub settings: Settings,
    /// How far it is.
    pub state: State,
    /// What people should know of it.
    pub flags: BTreeSet<Flag>,
    /// Whether it runs.
    pub status: Status,
    /// How it ended; `None` while it runs, and where a person stopped it.
    pub outcome: Option<Ended>,
    /// The version that won, also if that is the control's.
    pub winner_version_id: Option<VersionId>,
    /// What ended it.
    pub verdict: Option<Verdict>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Counts the writes of it.
    pub revision: u64,
}

/// Whether an experiment runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It runs.
    Active,
    /// It was decided.
    Completed,
    /// A person stopped it, or something that a person did.
    Stopped,
}

/// How an experiment was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// One arm is better than each other.
    Winner,
    /// It is all the same.
    Equivalent,
    /// Nobody knows.
    Inconclusive,
    /// Every arm but the control broke a guardrail.
    Guardrail,
}

/// What people should know of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The arms were not served as their weights say: weights are held, nothing is decided.
    Srm,
    /// One arm's users answer more often than another's: nothing is decided.
    FeedbackBias,
    /// All arms fail, likely for the provider's reasons: weights are held, nothing is decided.
    Frozen,
    /// For a day nothing was served.
    Stalled,
}

/// How far an experiment is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Which of its runs: another one assigns everybody anew.
    pub iteration: u32,
    /// Counts the changes of the weights.
    pub allocation_version: u64,
    /// The weights since then, by arm.
    pub weights: Vec<f64>,
    /// Since when.
    pub allocated_at: Timestamp,
    /// For how many hours in a row the same arm was surely the best.
    pub streak: Streak,
    /// When that was last looked at.
    pub looked_at: Timestamp,
    /// Of each arm but the control, what is known against it.
    pub challengers: Vec<Challenger>,
    /// How many resolves were heard of.
    pub exposures: u64,
    /// When there were last more of them than before.
    pub data_at: Timestamp,
}

/// What is known against an arm that is compared with the control.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Challenger {
    /// The evidence for each of the binary guardrails, in their order.
    pub processes: Vec<Process>,
    /// The guardrails that it broke, each in a sentence; then it serves nobody any more.
    pub breaches: Vec<String>,
}

/// What a decision was made by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What a winner had to show.
    pub mode: Mode,
    /// The evidence that the leader beats its closest rival.
    pub e_value: f64,
    /// What it had to reach; in balanced mode a probability.
    pub threshold: f64,
    /// Why, each in a sentence, the chief one first.
    pub reasons: Vec<String>,
}

impl State {
    /// That of an experiment that begins.
    pub fn begin(arms: &[Arm], settings: &Settings, now: Timestamp) -> Self {
        let binary = settings.guardrails.iter().filter(|guardrail| guardrail.measure().is_binary());
        let challenger =
            Challenger { processes: binary.map(|_| Process::default()).collect(), ..Challenger::default() };
        Self {
            iteration: 1,
            allocation_version: 1,
            weights: arms.iter().map(|arm| arm.weight).collect(),
            allocated_at: now,
            streak: Streak::default(),
            looked_at: now,
            challengers: vec![challenger; arms.len().saturating_sub(1)],
            exposures: 0,
            data_at: now,
        }
    }

    /// Other weights from now on. Units count anew under them; the evidence stays.
    fn allocate(&mut self, weights: Vec<f64>, now: Timestamp) {
        self.allocation_version += 1;
        self.weights = weights;
        self.allocated_at = now;
        for process in self.challengers.iter_mut().flat_map(|challenger| &mut challenger.processes) {
            *process = process.at_next_stage();
        }
    }
}

impl Experiment {
    /// What the ref says of it while it runs.
    pub fn allocation(&self) -> Option<Allocation> {
        let State { iteration, allocation_version, weights, .. } = &self.state;
        let arms = self.arms.iter().zip(weights).map(|(arm, weight)| Arm { weight: *weight, ..arm.clone() });
        (self.status == Status::Active).then(|| Allocation {
            trial: self.experiment_id.into(),
            iteration: *iteration,
            allocation_version: *allocation_version,
            rule: Rule::Split { enrolled: self.settings.traffic_allocation },
            arms: arms.collect(),
        })
    }

    /// Which arms compete: those that broke no guardrail. The control always does.
    pub fn competing(&self) -> Vec<bool> {
        let challengers = self.state.challengers.iter().map(|challenger| challenger.breaches.is_empty());
        std::iter::once(true).chain(challengers).collect()
    }

    /// For how long it was active at this moment.
    pub fn active_for(&self, now: Timestamp) -> Duration {
        self.ended_at.unwrap_or(now).since(self.started_at).unwrap_or_default()
    }

    /// The keys of its arms, the control's first.
    pub fn keys(&self) -> Vec<&str> {
        self.arms.iter().map(|arm| arm.key.as_str()).collect()
    }

    /// What three and more arms are drawn by, so that whoever looks at the same counters sees the same.
    pub fn seed(&self) -> u64 {
        let mut digest = Sha256::new_with_prefix(self.experiment_id.to_bytes());
        digest.update(self.state.allocation_version.to_be_bytes());
        u64::from_be_bytes(digest.finalize().first_chunk().copied().unwrap_or_default())
    }

    /// The experiment after a person stopped it, or did something that stops it. What has ended stays as it is.
    pub fn stopped(&self, reason: &str, winner: Option<VersionId>, now: Timestamp) -> Result<Self> {
        if self.status != Status::Active {
            let detail = "The experiment has ended already. Start another one.";
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        let reasons = vec![reason.to_owned()];
        let verdict =
            Verdict { mode: self.settings.decision, e_value: 1.0, threshold: evidence::ENOUGH, reasons };
        Ok(Self {
            status: Status::Stopped,
            winner_version_id: winner,
            verdict: Some(self.verdict.clone().unwrap_or(verdict)),
            ended_at: Some(now),
            ..self.clone()
        })
    }
}

impl Ended {
    /// What ends an experiment; `None` while it goes on.
    pub fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Undecided | Outcome::NotApplicable => None,
            Outcome::Winner(_) => Some(Self::Winner),
            Outcome::Equivalent => Some(Self::Equivalent),
            Outcome::Inconclusive => Some(Self::Inconclusive),
            Outcome::Guardrail => Some(Self::Guardrail),
        }
    }
}

#[cfg(test)]
mod tests;
