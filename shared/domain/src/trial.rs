//! A trial: an experiment or a canary, whichever splits the traffic of an environment.

use serde::{Deserialize, Serialize};

pub use crate::allocation::TrialId;
use crate::{
    Environment, PromptId, Result, Timestamp, VersionPointer,
    allocation::{Allocation, CANARY, CONTROL},
    experiment::{self, Experiment},
    rollout::{self, Guardrail, Rollout},
};

/// An experiment or a canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trial {
    /// Versions side by side until one is better.
    Experiment(Box<Experiment>),
    /// A new version that grows.
    Rollout(Box<Rollout>),
}

/// What an allocation version was made of, so that a later look can tell who was served what, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The trial.
    pub trial: TrialId,
    /// Which one.
    pub allocation_version: u64,
    /// Since when.
    pub at: Timestamp,
    /// The keys of the arms, the control's first.
    pub keys: Vec<String>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// How likely each arm was the best by then; nothing where nobody asked that.
    pub p_best: Vec<f64>,
    /// How far each arm was above the control by then, in the unit in which the primary metric is counted.
    pub effects: Vec<f64>,
    /// Why the weights are so, each in a sentence.
    pub reasons: Vec<String>,
}

impl Trial {
    /// Its id.
    pub fn id(&self) -> TrialId {
        match self {
            Self::Experiment(experiment) => experiment.experiment_id.into(),
            Self::Rollout(rollout) => rollout.rollout_id.into(),
        }
    }

    /// The prompt.
    pub fn prompt_id(&self) -> PromptId {
        match self {
            Self::Experiment(experiment) => experiment.prompt_id,
            Self::Rollout(rollout) => rollout.prompt_id,
        }
    }

    /// Where it runs.
    pub fn environment(&self) -> &Environment {
        match self {
            Self::Experiment(experiment) => &experiment.environment,
            Self::Rollout(rollout) => &rollout.environment,
        }
    }

    /// The keys of its arms with their versions, the control's first.
    pub fn arms(&self) -> Vec<(&str, VersionPointer)> {
        match self {
            Self::Experiment(experiment) => {
                experiment.arms.iter().map(|arm| (arm.key.as_str(), arm.version)).collect()
            }
            Self::Rollout(rollout) => vec![(CONTROL, rollout.control), (CANARY, rollout.canary)],
        }
    }

    /// From when on it ran, and until when: `None` while it runs.
    pub fn time(&self) -> (Timestamp, Option<Timestamp>) {
        match self {
            Self::Experiment(experiment) => (experiment.started_at, experiment.ended_at),
            Self::Rollout(rollout) => (rollout.started_at, rollout.ended_at),
        }
    }

    /// Whether it runs; a canary also while its promoted version is watched.
    pub fn is_active(&self) -> bool {
        match self {
            Self::Experiment(experiment) => experiment.status == experiment::Status::Active,
            Self::Rollout(rollout) => rollout.status == rollout::Status::Active,
        }
    }

    /// What the ref says of it.
    pub fn allocation(&self) -> Option<Allocation> {
        match self {
            Self::Experiment(experiment) => experiment.allocation(),
            Self::Rollout(rollout) => rollout.allocation(),
        }
    }

    /// How long a call may take where one of its guardrails watches that, in milliseconds.
    pub fn slo_ms(&self) -> Option<u64> {
        let guardrails: &[Guardrail] = match self {
            Self::Experiment(experiment) => &experiment.settings.guardrails,
            Self::Rollout(rollout) => &rollout.plan.guardrails,
        };
        rollout::guardrail::slo_ms(guardrails)
    }

    /// Counts the writes of it.
    pub fn revision(&self) -> u64 {
        match self {
            Self::Experiment(experiment) => experiment.revision,
            Self::Rollout(rollout) => rollout.revision,
        }
    }

    /// The same as the next write after `before`.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        let revision = match &mut self {
            Self::Experiment(experiment) => &mut experiment.revision,
            Self::Rollout(rollout) => &mut rollout.revision,
        };
        *revision = before.revision() + 1;
        self
    }

    /// The trial after something that ends it without a decision of its own. One that has ended is refused.
    pub fn called_off(&self, reason: &str, now: Timestamp) -> Result<Self> {
        Ok(match self {
            Self::Experiment(experiment) => experiment.stopped(reason, None, now)?.into(),
            Self::Rollout(rollout) => rollout.abort(reason, now)?.rollout.into(),
        })
    }
}

impl From<Experiment> for Trial {
    fn from(experiment: Experiment) -> Self {
        Self::Experiment(Box::new(experiment))
    }
}

impl From<Rollout> for Trial {
    fn from(rollout: Rollout) -> Self {
        Self::Rollout(Box::new(rollout))
    }
}
