//! Canaries: a new version serves a growing part of the units, and is taken back by itself where it does harm
//! (statistics.md §5).
//!
//! [`tick`] looks at a [`Rollout`] and at what was [`Observed`] of it, and says what is to be done. It reads
//! and writes nothing: whoever calls it does as it says and writes the canary back, in one transaction, if
//! nobody else did. What people do to a canary are methods of it.

pub mod guardrail;
mod health;
pub mod observed;
pub mod plan;
pub mod process;
mod steering;
pub mod tick;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use guardrail::Guardrail;
pub(crate) use health::{Health, Words};
pub use observed::{Compared, Mean, Observed, Units};
pub use plan::{Plan, Stage};
pub use tick::{Decision, Tick, tick};

use crate::{Environment, PromptId, RolloutId, Timestamp, VersionPointer, allocation::Allocation};
use guardrail::Limit;
use process::Process;

/// A canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its id.
    pub rollout_id: RolloutId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where it runs.
    pub environment: Environment,
    /// The version that was live when it began.
    pub control: VersionPointer,
    /// The new version.
    pub canary: VersionPointer,
    /// How it is to grow.
    pub plan: Plan,
    /// How far it is.
    pub state: State,
    /// What people should know of it.
    pub flags: BTreeSet<Flag>,
    /// Whether it runs.
    pub status: Status,
    /// Why it was stopped, each in a sentence.
    pub reasons: Vec<String>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When it was completed or stopped.
    pub ended_at: Option<Timestamp>,
    /// Counts the writes of it.
    pub revision: u64,
}

/// Whether a canary runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It grows, or its version is promoted and watched.
    Active,
    /// The new version serves everybody and has stood the watch.
    Completed,
    /// The control serves everybody.
    Stopped,
}

/// What people should know of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// A guardrail is breached. Without `auto_rollback` a person decides.
    Breached,
    /// Both versions fail, likely for the provider's reasons: weights are held, nothing is rolled back.
    Frozen,
    /// The stage has waited in vain for what it needs.
    Stalled,
}

/// How far a canary is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Which of its runs: it begins anew with another version.
    pub iteration: u32,
    /// Counts the changes of the weights.
    pub allocation_version: u64,
    /// The stage, or the watch after all of them.
    pub phase: Phase,
    /// When that began, later by as long as it was paused.
    pub since: Timestamp,
    /// When a person paused it.
    pub paused_at: Option<Timestamp>,
    /// The requests that the new version is known to have answered.
    pub requests: u64,
    /// The ratings and scores that are known of them.
    pub labels: u64,
    /// When there were last more requests than before.
    pub data_at: Timestamp,
    /// The evidence for each of the plan's binary guardrails, in their order.
    pub processes: Vec<Process>,
}

/// A part of a canary's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A stage of the plan, counted from 0.
    Stage(usize),
    /// The new version is promoted and compared with the time before.
    Watch,
}

impl State {
    /// That of a canary that begins with this stage of its plan; see [`Plan::start_stage`].
    pub fn begin(plan: &Plan, stage: usize, now: Timestamp) -> Self {
        let binary = plan.guardrails.iter().filter(|guardrail| guardrail.measure().is_binary());
        Self {
            iteration: 1,
            allocation_version: 1,
            phase: Phase::Stage(stage),
            since: now,
            paused_at: None,
            requests: 0,
            labels: 0,
            data_at: now,
            processes: binary.map(|_| Process::default()).collect(),
        }
    }

    /// Takes in what was observed. Counts that are lower than known ones lag behind.
    fn take(&mut self, guardrails: &[Guardrail], observed: &Observed, now: Timestamp) {
        if observed.requests > self.requests {
            self.requests = observed.requests;
            self.data_at = now;
        }
        self.labels = self.labels.max(observed.labels);
        take_in(&mut self.processes, guardrails, observed);
    }

    /// Another stage counts anew; the evidence stays. The watch has evidence of its own: what it counts, by the hour,
    /// holds the last minutes of the stages once more.
    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.allocation_version += 1;
        self.since = now;
        self.paused_at = None;
        for process in &mut self.processes {
            *process = if phase == Phase::Watch { Process::default() } else { process.at_next_stage() };
        }
    }
}

/// Takes what was observed of units into the evidence for each of the binary guardrails, in their order.
pub(crate) fn take_in(processes: &mut [Process], guardrails: &[Guardrail], observed: &Observed) {
    let limits = guardrails.iter().filter_map(|guardrail| match guardrail.limit() {
        Limit::Ratio { measure, tolerated } => Some((measure, tolerated)),
        Limit::Margin { .. } => None,
    });
    for ((measure, tolerated), process) in limits.zip(processes) {
        if let Some(units) = observed.failures.get(&measure) {
            process.take(*units, tolerated);
        }
    }
}

impl Rollout {
    /// The share of the units that the new version serves, 0 to 1.
    pub fn share(&self) -> f64 {
        match (self.status, self.state.phase) {
            (Status::Stopped, _) => 0.0,
            (Status::Completed, _) | (_, Phase::Watch) => 1.0,
            (Status::Active, Phase::Stage(stage)) => self.plan.stages.get(stage).map_or(0.0, Stage::share),
        }
    }

    /// What the ref says of it while it grows; afterwards the ref has one version again.
    pub fn allocation(&self) -> Option<Allocation> {
        let State { iteration, allocation_version, phase, .. } = self.state;
        let grows = self.status == Status::Active && phase != Phase::Watch;
        let versions = (self.control, self.canary);
        let trial = self.rollout_id.into();
        grows.then(|| Allocation::canary(trial, (iteration, allocation_version), versions, self.share()))
    }
}

#[cfg(test)]
mod tests;
