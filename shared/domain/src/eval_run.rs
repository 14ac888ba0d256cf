//! Evaluation runs: a version against a test set on a model, case by case.

mod draft;
mod repeats;
mod result;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    EvalRunId, PromptId, TestSetId, Timestamp, TraceId, VersionPointer,
    gate::{Comparison, GateResult, Tally},
};

pub use draft::{Draft, Judged, Said};
pub use repeats::average;
pub use result::{CaseOutcome, CaseResult, RunSummary, observations, summarise};

/// How many cases share one progress item.
pub const CHUNK_CASES: u32 = 100;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waiting to be sent out.
    Queued,
    /// Its cases are out.
    Running,
    /// All cases are in, and judged.
    Completed,
    /// It says nothing about the version; `gate_reasons` say why.
    Errored,
    /// Somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// Whether work is left.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// The most often that a run asks a model for one case.
pub const MAX_REPEATS: u32 = 10;

/// How long a run may take when nothing else is said.
pub const DEADLINE: Duration = Duration::from_hours(1);

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Its verdict becomes the version's: the prompt's own test set, on the version's own model.
    Verdict,
    /// It measures what is in production, for another run to be compared with.
    Baseline,
    /// It measures what is in production again: did the model change?
    Watch,
    /// The prompt's own test set on another model.
    OtherModel,
    /// Anything else: somebody wants to know.
    #[default]
    Trial,
}

impl Purpose {
    /// Whether the run measures its version as it would run in production, on its own model. Where an environment
    /// names another model instead, what speaks for that one is the run with which the version passed on it, and
    /// nothing measures it again.
    pub fn measures(self) -> bool {
        matches!(self, Self::Verdict | Self::Baseline | Self::Watch)
    }
}

/// The run of another version that a run is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRun {
    /// The version that was in production when the run was asked for.
    pub version: VersionPointer,
    /// Its run.
    pub eval_run_id: EvalRunId,
}

/// A run. Its progress lives elsewhere, in number sets, until it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalRun {
    /// Its id.
    pub eval_run_id: EvalRunId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version under test.
    pub version: VersionPointer,
    /// The cases.
    pub test_set_id: TestSetId,
    /// The version of the cases.
    pub test_set_version: u32,
    /// How many cases.
    pub total_cases: u32,
    /// The model that answers.
    pub model_id: String,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// What it is compared with; `None`: nothing is in production.
    #[serde(default)]
    pub baseline: Option<BaselineRun>,
    /// How often each case is asked; its results are averaged within the case.
    #[serde(default = "once")]
    pub repeats: u32,
    /// Whether an answer to the very same question, at temperature 0, may be taken from a former run.
    #[serde(default)]
    pub reuse: bool,
    /// When it is given up.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    /// Where it stands.
    pub status: RunStatus,
    /// Counts all writes.
    pub revision: u64,
    /// How often its cases were asked to be sent out.
    pub dispatch_attempt: u32,
    /// How often they were sent out.
    pub dispatched_attempt: u32,
    /// Which claim that was: whoever made it knows it again, though the table's answer was lost.
    #[serde(default)]
    pub claim: Option<u64>,
    /// When they were last sent out.
    pub dispatched_at: Option<Timestamp>,
    /// How often in a row they were sent out and not one came back.
    pub attempts_in_vain: u32,
    /// Cases sent out again because their message was lost or their worker died.
    pub redelivered_cases: u32,
    /// Who asked for it.
    pub created_by: String,
    /// The trace of the request that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// When.
    pub created_at: Timestamp,
    /// When its cases were first sent out.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What it came to.
    pub summary: Option<RunSummary>,
    /// What it came to beside its baseline.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// The gate's answer, when it gave one.
    pub gate_result: Option<GateResult>,
    /// The gate's reasons, or why there is no answer.
    pub gate_reasons: Vec<String>,
}

impl EvalRun {
    /// How many progress items its cases share.
    pub fn chunks(&self) -> u32 {
        self.total_cases.div_ceil(CHUNK_CASES)
    }

    /// How many cases a chunk holds.
    pub fn chunk_cases(&self, chunk: u32) -> u32 {
        (self.total_cases - chunk * CHUNK_CASES).min(CHUNK_CASES)
    }
}

/// One case on its way to a worker: where it stands in the test set, not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseMessage {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The run.
    pub eval_run_id: EvalRunId,
    /// The case's position, from 1.
    pub number: u32,
    /// Its first byte in the test set.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// How often it was tried, from 1.
    pub attempt: u32,
    /// How often the provider gave no answer, as against asking for patience.
    #[serde(default)]
    pub failures: u32,
}

fn once() -> u32 {
    1
}
