//! What the metrics queue carries.

use serde::{Deserialize, Serialize};

use super::{Hour, Placement, Subject, Tally};
use crate::{Environment, MessageId, PromptId, TeamId, Timestamp, TraceId, VersionId, measure::Measure};

/// A message: what to add, at most 40 deltas of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id: ours, since a queue's own is another one after a redrive.
    pub id: MessageId,
    /// The team whose prompts it is about.
    pub team_id: TeamId,
    /// What to add.
    pub entries: Vec<Entry>,
    /// The trace of the request that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
}

/// What is added whole or not at all, and once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is known by: whatever has any of these marks was added before.
    pub marks: Vec<Mark>,
    /// What to add to the hourly counters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<Delta>,
    /// What to add to those of trials, and to the hourly ones as far as a value was not given before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
}

/// A text that no two entries share, save copies of one another.
pub type Mark = String;

/// An addition to the counters of a version, in an environment, in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version.
    pub version_id: VersionId,
    /// The environment.
    pub environment: Environment,
    /// The hour.
    pub hour: Hour,
    /// What to add.
    pub tally: Tally,
}

impl Delta {
    /// An addition to the counters of what an event is about.
    pub fn of(subject: &Subject, hour: Hour, tally: Tally) -> Self {
        let Subject { prompt_id, version_id, environment, .. } = subject.clone();
        Self { prompt_id, version_id, environment, hour, tally }
    }
}

/// What one event says of a trial's arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version.
    pub version_id: VersionId,
    /// The environment.
    pub environment: Environment,
    /// The place in the trial.
    pub placement: Placement,
    /// When the event happened.
    pub at: Timestamp,
    /// What it says of measures. Of two values for one measure of one resolve the later counts.
    pub readings: Vec<Reading>,
}

/// A value of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The measure.
    pub measure: Measure,
    /// Its value, in the measure's own unit; 0 and 1 stand for no and yes.
    pub value: f64,
}
