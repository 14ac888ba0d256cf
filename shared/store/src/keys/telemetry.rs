//! The keys of the telemetry table.

use domain::EvalRunId;

use super::META;

/// A key of the telemetry table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelemetryKey {
    /// What came of a case.
    Case(EvalRunId, u32),
    /// An output too long to stand in the result.
    Output(EvalRunId, u32),
    /// The cases of a chunk that are done.
    Chunk(EvalRunId, u32),
    /// The chunks that are done.
    Done(EvalRunId),
    /// When an API key was last used.
    KeyUse(String),
    /// Writes of an API key in a minute since the epoch.
    KeyWrites(String, i64),
    /// What is left of a model's budget.
    Budget(String),
    /// Where the answer to a question is found, by the question's SHA-256.
    Answer(String),
    /// How far the daily watch over live versions is.
    Watch,
}

impl TelemetryKey {
    /// The partition key.
    pub fn pk(&self) -> String {
        match self {
            Self::Case(run, _) | Self::Output(run, _) | Self::Chunk(run, _) | Self::Done(run) => {
                run_partition(*run)
            }
            Self::KeyUse(id) | Self::KeyWrites(id, _) => format!("KEYUSE#{id}"),
            Self::Budget(model) => format!("LIMIT#{model}"),
            Self::Answer(question) => format!("ANSWER#{question}"),
            Self::Watch => "WATCH".to_owned(),
        }
    }

    /// The sort key.
    pub fn sk(&self) -> String {
        match self {
            Self::Case(_, number) => format!("{CASES}{number:05}"),
            Self::Output(_, number) => format!("OUT#{number:05}"),
            Self::Chunk(_, number) => format!("{CHUNKS}{number:02}"),
            Self::Done(_) => "DONE".to_owned(),
            Self::KeyUse(_) | Self::Budget(_) | Self::Answer(_) | Self::Watch => META.to_owned(),
            Self::KeyWrites(_, minute) => format!("W#{minute}"),
        }
    }
}

pub(crate) const CASES: &str = "CASE#";
pub(crate) const CHUNKS: &str = "CHUNK#";

pub(crate) fn run_partition(run: EvalRunId) -> String {
    format!("RUN#{run}")
}
