//! Evaluation runs.

use std::collections::BTreeMap;

use domain::{
    EvalRunId, PromptId, TestSetId, Timestamp, VersionId, assertion::AssertionResult, gate::MetricComparison,
    money::Usd,
};
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result};

/// An evaluation run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Its id.
    pub eval_run_id: EvalRunId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// The test set.
    pub test_set_id: TestSetId,
    /// Its version.
    pub test_set_version: u32,
    /// The model.
    pub model_id: String,
    /// `verdict`, `baseline`, `watch`, `other_model` or `trial`.
    pub purpose: String,
    /// How often each case is asked.
    pub repeats: u32,
    /// When it is given up.
    pub deadline: Option<Timestamp>,
    /// `queued`, `running`, `completed`, `errored` or `cancelled`.
    pub status: String,
    /// All cases.
    pub total_cases: u32,
    /// Passed, failed and errored ones.
    pub completed_cases: usize,
    /// Cases that passed.
    pub passed_cases: usize,
    /// Cases that failed.
    pub failed_cases: usize,
    /// Cases without an answer.
    pub errored_cases: usize,
    /// Cases that were sent out again.
    pub redelivered_cases: u32,
    /// The average score, 0 to 1.
    pub avg_score: Option<f64>,
    /// The median latency.
    pub p50_latency_ms: Option<u64>,
    /// What 95 of 100 answers stayed below.
    pub p95_latency_ms: Option<u64>,
    /// What it cost.
    pub total_cost_usd: Option<Usd>,
    /// Who asked for it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// `pass`, `fail` or `manual_review`; none without a verdict.
    pub gate_result: Option<String>,
    /// The gate's reasons, or why there is no verdict.
    pub gate_reasons: Vec<String>,
    /// Cases whose answer was taken from a former run.
    pub reused_cases: Option<u32>,
    /// The version in production that it is compared with.
    pub baseline_version_id: Option<VersionId>,
    /// The run that measured that one.
    pub baseline_eval_run_id: Option<EvalRunId>,
    /// What the comparison came to.
    pub comparison: Option<Comparison>,
}

/// A run beside the version in production. Differences are this version's minus production's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version in production.
    pub baseline_version_number: u32,
    /// Cases that both were judged on.
    pub pairs: u32,
    /// Cases that production passes and this version does not.
    pub regressed: u32,
    /// The other way round.
    pub improved: u32,
    /// Regressed ones that are critical.
    pub critical_regressed: u32,
    /// How likely so many regressions are by chance.
    pub p_regression: f64,
    /// Of the pass rates.
    pub difference: f64,
    /// Its lower bound.
    pub lower_bound: f64,
    /// The scores beside production's.
    pub scores: Vec<MetricComparison>,
    /// The first of the regressed cases.
    pub regressed_cases: Vec<String>,
}

impl Eval {
    /// Whether nothing more will come of it.
    pub fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "queued" | "running")
    }
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its place in the test set.
    pub number: u32,
    /// Its id.
    pub case_id: String,
    /// `passed`, `failed` or `errored`.
    pub outcome: String,
    /// Whether it may never regress.
    pub critical: bool,
    /// 0 to 1.
    pub score: Option<f64>,
    /// Each assertion.
    pub assertions: Vec<AssertionResult>,
    /// What the model answered.
    pub output: Option<String>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// How long the model took.
    pub latency_ms: Option<u64>,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// What it cost.
    pub cost_usd: Usd,
    /// The run whose answer this is.
    pub reused_from: Option<String>,
}

/// A run to be made; what is `None` is the prompt's, the version's, or the platform's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewEval {
    /// On which test set.
    pub test_set_id: Option<TestSetId>,
    /// On which model.
    pub model_id: Option<String>,
    /// How often each case is asked.
    pub repeats: Option<u32>,
    /// Whether former answers may be taken.
    pub reuse: Option<bool>,
    /// After how long it is given up.
    pub deadline_minutes: Option<u64>,
}

/// How a prompt's versions did on models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// All models that a version was evaluated on.
    pub models: Vec<String>,
    /// A row for each version, newest first.
    pub versions: Vec<MatrixRow>,
}

/// A version on each model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// The version.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// By model.
    pub results: BTreeMap<String, MatrixCell>,
}

/// The newest completed run of a version on a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatrixCell {
    /// The run.
    pub eval_run_id: EvalRunId,
    /// The version of the test set.
    pub test_set_version: u32,
    /// `pass`, `fail` or `manual_review`; none where it only measured.
    pub gate_result: Option<String>,
    /// Of the judged cases.
    pub pass_rate: Option<f64>,
    /// The average score.
    pub avg_score: Option<f64>,
    /// What 95 of 100 answers stayed below.
    pub p95_latency_ms: Option<u64>,
    /// What a case cost.
    pub cost_usd_per_case: Option<Usd>,
}

#[derive(Serialize)]
struct WithStatus<'q> {
    status: &'q str,
}

#[derive(Serialize)]
struct WithOutcome<'q> {
    outcome: Option<&'q str>,
}

#[derive(Serialize)]
struct Wait {
    wait: u64,
}

#[derive(Serialize)]
struct Review<'a> {
    decision: &'a str,
    reason: &'a str,
}

impl Client {
    /// Asks for an evaluation of a version.
    pub async fn create_eval(&self, version: VersionId, new: &NewEval) -> Result<Eval> {
        self.post_once(&format!("/api/versions/{version}/evals")).json(new).answer().await
    }

    /// Lists all runs that stand so, newest first.
    pub async fn evals(&self, status: &str, most: usize) -> Result<Page<Eval>> {
        self.list("/api/evals", &WithStatus { status }, most).await
    }

    /// Lists a prompt's runs, newest first.
    pub async fn prompt_evals(&self, prompt: &str, most: usize) -> Result<Page<Eval>> {
        let path = self.prompt_path(prompt).await?;
        self.list(&format!("{path}/evals"), &(), most).await
    }

    /// A run, after waiting up to `wait` seconds (25 at most) for its end.
    pub async fn eval(&self, run: EvalRunId, wait: u64) -> Result<Eval> {
        self.get(&format!("/api/evals/{run}")).query(&Wait { wait }).answer().await
    }

    /// A run once it has ended. `progress` sees it about once a second until then.
    pub async fn ended_eval(&self, run: EvalRunId, mut progress: impl FnMut(&Eval)) -> Result<Eval> {
        loop {
            let eval = self.eval(run, 1).await?;
            progress(&eval);
            if eval.has_ended() {
                return Ok(eval);
            }
        }
    }

    /// Lists what came of a run's cases: all, or those of an outcome.
    pub async fn eval_cases(&self, run: EvalRunId, outcome: Option<&str>, most: usize) -> Result<Page<Case>> {
        self.list(&format!("/api/evals/{run}/cases"), &WithOutcome { outcome }, most).await
    }

    /// All cases of a run as CSV.
    pub async fn eval_cases_csv(&self, run: EvalRunId) -> Result<String> {
        self.get(&format!("/api/evals/{run}/cases.csv")).text().await
    }

    /// A run in Markdown.
    pub async fn eval_summary(&self, run: EvalRunId) -> Result<String> {
        self.get(&format!("/api/evals/{run}/summary")).text().await
    }

    /// Stops a run.
    pub async fn cancel_eval(&self, run: EvalRunId) -> Result<Eval> {
        self.post_once(&format!("/api/evals/{run}/cancel")).answer().await
    }

    /// Decides a run that was too close to call: `approve` or `reject`.
    pub async fn review_eval(&self, run: EvalRunId, decision: &str, reason: &str) -> Result<Eval> {
        let review = Review { decision, reason };
        self.post_once(&format!("/api/evals/{run}/review")).json(&review).answer().await
    }

    /// How a prompt's versions did on each model.
    pub async fn matrix(&self, prompt: &str) -> Result<Matrix> {
        let path = self.prompt_path(prompt).await?;
        self.get(&format!("{path}/models")).answer().await
    }
}
