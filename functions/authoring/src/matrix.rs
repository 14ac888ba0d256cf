//! Versions and models in one table.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{EvalRun, gate::GateResult, money::Usd};
use registry::evaluation::Matrix;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Author, Path};

use crate::App;

/// How a prompt's versions did on models.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixView {
    /// All models that a version was evaluated on.
    models: Vec<String>,
    /// A row for each version, newest first.
    versions: Vec<MatrixRow>,
}

/// A version on each model.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixRow {
    version_id: String,
    version_number: u32,
    /// By model; what was never evaluated is left out.
    results: BTreeMap<String, MatrixCell>,
}

/// The newest completed run of a version on a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixCell {
    eval_run_id: String,
    test_set_version: u32,
    /// `pass`, `fail` or `manual_review`; null where the run only measured.
    #[schema(value_type = Option<String>)]
    gate_result: Option<GateResult>,
    /// Of the judged cases.
    pass_rate: Option<f64>,
    avg_score: Option<f64>,
    p95_latency_ms: Option<u64>,
    #[schema(value_type = Option<f64>)]
    cost_usd_per_case: Option<Usd>,
}

impl MatrixCell {
    fn new(run: &EvalRun) -> Self {
        Self {
            eval_run_id: run.eval_run_id.to_string(),
            test_set_version: run.test_set_version,
            gate_result: run.gate_result,
            pass_rate: run.summary.map(|summary| summary.tally.pass_rate()),
            avg_score: run.summary.map(|summary| summary.avg_score),
            p95_latency_ms: run.summary.and_then(|summary| summary.p95_latency_ms),
            cost_usd_per_case: run.summary.map(|summary| summary.cost_per_case_usd),
        }
    }
}

impl MatrixView {
    fn new(matrix: Matrix) -> Self {
        let row = |runs: BTreeMap<String, EvalRun>| {
            let version = runs.values().next()?.version;
            let results = runs.iter().map(|(model, run)| (model.clone(), MatrixCell::new(run))).collect();
            Some(MatrixRow { version_id: version.id.to_string(), version_number: version.number, results })
        };
        Self {
            models: matrix.models.into_iter().collect(),
            versions: matrix.versions.into_iter().filter_map(row).collect(),
        }
    }
}

/// Shows how a prompt's versions did on each model, on the prompt's own test set.
#[utoipa::path(get, path = "/api/prompts/{prompt}/models", tag = "evaluations",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = MatrixView, description = "Versions and models")))]
pub async fn matrix(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
) -> web::Result<Json<MatrixView>> {
    Ok(Json(MatrixView::new(app.registry().matrix(&caller, &prompt).await?)))
}
