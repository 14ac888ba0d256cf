//! Evaluation runs: a version against a test set on a model, case by case.

use serde::{Deserialize, Serialize};

use crate::{
    EvalRunId, PromptId, TestSetId, Timestamp, VersionPointer,
    assertion::CaseScore,
    gate::{GateResult, Tally},
    money::Usd,
};

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
    /// Whether its verdict becomes the version's: it runs the prompt's own test set on the version's own model.
    pub decides: bool,
    /// Where it stands.
    pub status: RunStatus,
    /// Counts all writes.
    pub revision: u64,
    /// How often its cases were asked to be sent out.
    pub dispatch_attempt: u32,
    /// How often they were sent out.
    pub dispatched_attempt: u32,
    /// When they were last sent out.
    pub dispatched_at: Option<Timestamp>,
    /// How often in a row they were sent out and not one came back.
    pub attempts_in_vain: u32,
    /// Cases sent out again because their message was lost or their worker died.
    pub redelivered_cases: u32,
    /// Who asked for it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When its cases were first sent out.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What it came to.
    pub summary: Option<RunSummary>,
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
}

/// The figures of an ended run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Cases by outcome.
    pub tally: Tally,
    /// The mean score over all cases, 0 to 1.
    pub avg_score: f64,
    /// The median latency of the model's answers, in ms.
    pub p50_latency_ms: Option<u64>,
    /// The 95th percentile, in ms.
    pub p95_latency_ms: Option<u64>,
    /// What the calls cost.
    pub total_cost_usd: Usd,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// Its assertions hold.
    Passed,
    /// They do not.
    Failed,
    /// There is no output to judge.
    Errored,
}

/// What came of one case. Put once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// Its position in the test set, from 1.
    pub number: u32,
    /// Its name there.
    pub case_id: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Whether it is tagged `critical`.
    pub critical: bool,
    /// The assertions, one by one; `None` when errored.
    pub score: Option<CaseScore>,
    /// What the model answered.
    pub output: Option<String>,
    /// Why there is no output.
    pub error: Option<String>,
    /// Whether the error is the provider's doing.
    pub provider_error: bool,
    /// How long the model took, in ms.
    pub latency_ms: Option<u64>,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// What the call cost.
    pub cost_usd: Usd,
}

/// The figures of a run from all its results, in any order.
pub fn summarise(results: &[CaseResult]) -> RunSummary {
    let mut tally = Tally::default();
    let mut latencies: Vec<u64> = results.iter().filter_map(|result| result.latency_ms).collect();
    latencies.sort_unstable();
    let mut score = 0.0;
    let mut cost = Usd::default();
    for result in results {
        match result.outcome {
            CaseOutcome::Passed => tally.passed += 1,
            CaseOutcome::Failed => tally.failed += 1,
            CaseOutcome::Errored => tally.errored += 1,
        }
        tally.provider_errors += u32::from(result.provider_error);
        tally.critical_not_passed += u32::from(result.critical && result.outcome != CaseOutcome::Passed);
        score += result.score.as_ref().map_or(0.0, |score| score.score);
        cost += result.cost_usd;
    }
    RunSummary {
        tally,
        avg_score: score / f64::from(tally.total().max(1)),
        p50_latency_ms: percentile(&latencies, 50),
        p95_latency_ms: percentile(&latencies, 95),
        total_cost_usd: cost,
    }
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
