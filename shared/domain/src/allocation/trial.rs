//! What splits the traffic of an environment.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{ExperimentId, RolloutId};

/// The id of a trial, that is of an experiment or of a canary; its text is `exp_…` or `rol_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrialId {
    /// An experiment.
    Experiment(ExperimentId),
    /// A canary.
    Rollout(RolloutId),
}

impl From<ExperimentId> for TrialId {
    fn from(id: ExperimentId) -> Self {
        Self::Experiment(id)
    }
}

impl From<RolloutId> for TrialId {
    fn from(id: RolloutId) -> Self {
        Self::Rollout(id)
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Experiment(id) => id.fmt(f),
            Self::Rollout(id) => id.fmt(f),
        }
    }
}

impl FromStr for TrialId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if RolloutId::looks_like(text) {
            text.parse().map(Self::Rollout)
        } else {
            text.parse().map(Self::Experiment)
        }
    }
}

impl Serialize for TrialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TrialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_known_by_its_text() {
        let trials = [ExperimentId::from_bytes([3; 16]).into(), RolloutId::from_bytes([3; 16]).into()];
        for (trial, prefix) in trials.into_iter().zip(["exp_", "rol_"]) {
            let trial: TrialId = trial;
            let text = trial.to_string();
            assert!(text.starts_with(prefix));
            assert_eq!(text.parse(), Ok(trial));
            let json = serde_json::to_string(&trial).unwrap();
            assert_eq!(serde_json::from_str::<TrialId>(&json).unwrap(), trial);
        }
        assert!("ver_03".parse::<TrialId>().is_err());
    }
}
