//! What runs and their cases look like.

use domain::{
    eval_run::{CaseOutcome, CaseResult, Purpose, RunStatus},
    gate::{Comparison, GateResult, MetricComparison},
    money::Usd,
};
use registry::evaluation::RunDetails;
use serde::Serialize;
use utoipa::ToSchema;

/// An evaluation run.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvalView {
    eval_run_id: String,
    prompt_id: String,
    version_id: String,
    version_number: u32,
    test_set_id: String,
    test_set_version: u32,
    model_id: String,
    /// `verdict` (its verdict becomes the version's), `baseline` (it measures production, for another run to be
    /// compared with), `watch` (it measures production again), `other_model`, or `trial`.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// How often each case is asked.
    repeats: u32,
    /// When the run is given up.
    deadline: Option<String>,
    /// `queued`, `running`, `completed`, `errored` or `cancelled`.
    #[schema(value_type = String)]
    status: RunStatus,
    total_cases: u32,
    /// Passed, failed and errored ones.
    completed_cases: usize,
    passed_cases: usize,
    failed_cases: usize,
    errored_cases: usize,
    /// Cases sent out again because their message was lost or their worker died.
    redelivered_cases: u32,
    avg_score: Option<f64>,
    p50_latency_ms: Option<u64>,
    p95_latency_ms: Option<u64>,
    #[schema(value_type = Option<f64>)]
    total_cost_usd: Option<Usd>,
    created_by: String,
    created_at: String,
    started_at: Option<String>,
    completed_at: Option<String>,
    /// `pass`, `fail` or `manual_review`; null without a verdict.
    #[schema(value_type = Option<String>)]
    gate_result: Option<GateResult>,
    /// The gate's reasons, or why there is no verdict.
    gate_reasons: Vec<String>,
    /// Cases whose answer was taken from a former run.
    reused_cases: Option<u32>,
    /// The version in production that this one is compared with; null: judged by itself.
    baseline_version_id: Option<String>,
    /// The run that measured it.
    baseline_eval_run_id: Option<String>,
    /// What the comparison came to; null without a baseline, and before the end.
    comparison: Option<ComparisonView>,
}

/// A run beside the version in production. Differences are this version's minus production's.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonView {
    baseline_version_number: u32,
    /// Cases that both were judged on, by id and content.
    pairs: u32,
    /// Cases that production passes and this version does not.
    regressed: u32,
    improved: u32,
    /// Of the regressed ones, those tagged `critical`.
    critical_regressed: u32,
    /// How likely so many regressions are by chance (exact one-sided `McNemar`).
    p_regression: f64,
    /// Of the pass rates.
    difference: f64,
    /// Its lower bound (one-sided 95 %, Bonett–Price).
    lower_bound: f64,
    /// `{metric, difference, lower_bound, dropped}`; the score of the whole case has no metric's name.
    #[schema(value_type = Vec<Object>)]
    scores: Vec<MetricComparison>,
    /// The first of the regressed cases, critical ones before others.
    regressed_cases: Vec<String>,
}

impl From<Comparison> for ComparisonView {
    fn from(comparison: Comparison) -> Self {
        Self {
            baseline_version_number: comparison.version.number,
            pairs: comparison.pairs,
            regressed: comparison.regressed,
            improved: comparison.improved,
            critical_regressed: comparison.critical_regressed,
            p_regression: comparison.p_regression,
            difference: comparison.difference,
            lower_bound: comparison.lower_bound,
            scores: comparison.scores,
            regressed_cases: comparison.regressed_cases,
        }
    }
}

impl EvalView {
    pub(crate) fn new(details: RunDetails) -> Self {
        let RunDetails { run, progress } = details;
        Self {
            eval_run_id: run.eval_run_id.to_string(),
            prompt_id: run.prompt_id.to_string(),
            version_id: run.version.id.to_string(),
            version_number: run.version.number,
            test_set_id: run.test_set_id.to_string(),
            test_set_version: run.test_set_version,
            model_id: run.model_id,
            purpose: run.purpose,
            repeats: run.repeats,
            deadline: run.deadline.map(|at| at.to_string()),
            status: run.status,
            total_cases: run.total_cases,
            completed_cases: progress.completed(),
            passed_cases: progress.passed.len(),
            failed_cases: progress.failed.len(),
            errored_cases: progress.errored.len(),
            redelivered_cases: run.redelivered_cases,
            avg_score: run.summary.map(|summary| summary.avg_score),
            p50_latency_ms: run.summary.and_then(|summary| summary.p50_latency_ms),
            p95_latency_ms: run.summary.and_then(|summary| summary.p95_latency_ms),
            total_cost_usd: run.summary.map(|summary| summary.total_cost_usd),
            created_by: run.created_by,
            created_at: run.created_at.to_string(),
            started_at: run.started_at.map(|at| at.to_string()),
            completed_at: run.completed_at.map(|at| at.to_string()),
            gate_result: run.gate_result,
            gate_reasons: run.gate_reasons,
            reused_cases: run.summary.map(|summary| summary.reused_cases),
            baseline_version_id: run.baseline.map(|baseline| baseline.version.id.to_string()),
            baseline_eval_run_id: run.baseline.map(|baseline| baseline.eval_run_id.to_string()),
            comparison: run.comparison.map(ComparisonView::from),
        }
    }
}

/// What came of one case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseView {
    number: u32,
    case_id: String,
    /// `passed`, `failed` or `errored`.
    #[schema(value_type = String)]
    outcome: CaseOutcome,
    critical: bool,
    score: Option<f64>,
    /// Each assertion: `{type, metric, passed, score, weight, reason, members?}`.
    #[schema(value_type = Vec<Object>)]
    assertions: Vec<domain::assertion::AssertionResult>,
    output: Option<String>,
    error: Option<String>,
    latency_ms: Option<u64>,
    input_tokens: u64,
    output_tokens: u64,
    #[schema(value_type = f64)]
    cost_usd: Usd,
    /// The run whose answer this is, where none was asked for anew.
    reused_from: Option<String>,
}

impl CaseView {
    pub(super) fn new(case: CaseResult) -> Self {
        Self {
            number: case.number,
            case_id: case.case_id,
            outcome: case.outcome,
            critical: case.critical,
            score: case.score.as_ref().map(|score| score.score),
            assertions: case.score.map_or(Vec::new(), |score| score.results),
            output: case.output,
            error: case.error,
            latency_ms: case.latency_ms,
            input_tokens: case.input_tokens,
            output_tokens: case.output_tokens,
            cost_usd: case.cost_usd,
            reused_from: case.reused_from.map(|run| run.to_string()),
        }
    }
}
