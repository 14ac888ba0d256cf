//! Evaluation runs.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Error, EvalRunId, TestSetId, VersionId,
    eval_run::{CaseOutcome, CaseResult, RunStatus},
    gate::GateResult,
    money::Usd,
};
use registry::evaluation::{NewRun, RunDetails};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Author, Created, Empty, Listed, Path, Query, Tagged, Write, page_request};

use crate::{
    App,
    versions::{PageQuery, WaitQuery},
};

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
    /// Whether its verdict is the version's: it ran the prompt's test set on the version's model.
    decides: bool,
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
    /// The version that this one was compared with; null: judged by itself.
    baseline_version_id: Option<String>,
    /// The comparison; null without a baseline.
    comparison: Option<String>,
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
            decides: run.decides,
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
            baseline_version_id: None,
            comparison: None,
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
    /// Each assertion: `{type, metric, passed, score, weight, reason}`.
    #[schema(value_type = Vec<Object>)]
    assertions: Vec<domain::assertion::AssertionResult>,
    output: Option<String>,
    error: Option<String>,
    latency_ms: Option<u64>,
    input_tokens: u64,
    output_tokens: u64,
    #[schema(value_type = f64)]
    cost_usd: Usd,
}

impl CaseView {
    fn new(case: CaseResult) -> Self {
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
        }
    }
}

/// A run to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvalBody {
    /// Left out: the prompt's.
    #[schema(value_type = Option<String>)]
    test_set_id: Option<TestSetId>,
    /// Left out: the version's.
    model_id: Option<String>,
    /// Not enforced yet: refused unless 1.
    repeats: Option<u32>,
    /// Not enforced yet: refused unless false.
    reuse: Option<bool>,
}

/// Asks for an evaluation of a version.
#[utoipa::path(post, path = "/api/versions/{version_id}/evals", tag = "evaluations", request_body = NewEvalBody,
    params(("version_id" = String, Path)),
    responses((status = 202, body = EvalView, description = "The queued run"), (status = 410, description = "The prompt is archived")))]
pub async fn create(
    State(app): State<App>,
    Path(version, _): Path<VersionId>,
    Write { act, body }: Write<NewEvalBody>,
) -> web::Result<Created<EvalView>> {
    if body.repeats.is_some_and(|repeats| repeats != 1) {
        return Err(
            Error::invalid("/repeats", "`repeats` is not enforced yet, so it is not accepted.").into()
        );
    }
    if body.reuse == Some(true) {
        return Err(Error::invalid("/reuse", "`reuse` is not enforced yet, so it is not accepted.").into());
    }
    let new = NewRun { test_set_id: body.test_set_id, model_id: body.model_id };
    let made = app.registry().queue_run(&act, version, &new).await?;
    Ok(Created::new(StatusCode::ACCEPTED, made, EvalView::new))
}

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `queued`, `running`, `completed`, `errored` or `cancelled`.
    #[param(value_type = String)]
    status: RunStatus,
    /// How many, 1 to 100.
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Lists runs by where they stand, newest first.
#[utoipa::path(get, path = "/api/evals", tag = "evaluations", params(ListQuery),
    responses((status = 200, body = Listed<EvalView>, description = "A page of runs")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ListQuery>,
) -> web::Result<Json<Listed<EvalView>>> {
    let page = page_request(query.limit, query.cursor)?;
    let page = app.registry().runs_that_are(&caller, query.status, &page).await?;
    Ok(Json(Listed::new(page, EvalView::new)))
}

/// Lists a prompt's runs, newest first.
#[utoipa::path(get, path = "/api/prompts/{prompt}/evals", tag = "evaluations",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), PageQuery),
    responses((status = 200, body = Listed<EvalView>, description = "A page of runs")))]
pub async fn of_prompt(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<EvalView>>> {
    let page = app.registry().runs_of(&caller, &prompt, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, EvalView::new)))
}

/// Reads a run, after waiting for its end if asked to.
#[utoipa::path(get, path = "/api/evals/{eval_run_id}", tag = "evaluations", params(("eval_run_id" = String, Path), WaitQuery),
    responses((status = 200, body = EvalView, description = "The run"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(run, _): Path<EvalRunId>,
    Query(wait): Query<WaitQuery>,
) -> web::Result<Tagged> {
    let details = app.registry().run_when_ended(&caller, run, wait.duration()?).await?;
    Tagged::new(&headers, &EvalView::new(details))
}

/// Which cases are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CasesQuery {
    /// `passed`, `failed` or `errored`; all when left out. `regressed` needs a comparison, which no run has yet.
    outcome: Option<String>,
    /// How many, 1 to 100.
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Lists what came of a run's cases.
#[utoipa::path(get, path = "/api/evals/{eval_run_id}/cases", tag = "evaluations",
    params(("eval_run_id" = String, Path), CasesQuery),
    responses((status = 200, body = Listed<CaseView>, description = "A page of cases")))]
pub async fn cases(
    State(app): State<App>,
    Author(caller): Author,
    Path(run, _): Path<EvalRunId>,
    Query(query): Query<CasesQuery>,
) -> web::Result<Json<Listed<CaseView>>> {
    let outcome = match query.outcome.as_deref() {
        None => None,
        Some("passed") => Some(CaseOutcome::Passed),
        Some("failed") => Some(CaseOutcome::Failed),
        Some("errored") => Some(CaseOutcome::Errored),
        Some("regressed") => {
            let detail = "This run was compared with no other version, so no case regressed or improved.";
            return Err(Error::invalid("/outcome", detail).into());
        }
        Some(_) => {
            return Err(Error::invalid("/outcome", "outcome is `passed`, `failed` or `errored`.").into());
        }
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = app.registry().case_results(&caller, run, outcome, &page).await?;
    Ok(Json(Listed::new(page, CaseView::new)))
}

/// All cases of a run as CSV.
#[utoipa::path(get, path = "/api/evals/{eval_run_id}/cases.csv", tag = "evaluations", params(("eval_run_id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/csv", description = "A row for each case")))]
pub async fn cases_csv(
    State(app): State<App>,
    Author(caller): Author,
    Path(run, _): Path<EvalRunId>,
) -> web::Result<Response> {
    let results = app.registry().all_case_results(&caller, run).await?;
    let csv = registry::evaluation::cases_csv(&results);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response())
}

/// A run in Markdown, for a pull request.
#[utoipa::path(get, path = "/api/evals/{eval_run_id}/summary", tag = "evaluations", params(("eval_run_id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/markdown", description = "The run")))]
pub async fn summary(
    State(app): State<App>,
    Author(caller): Author,
    Path(run, _): Path<EvalRunId>,
) -> web::Result<Response> {
    let details = app.registry().run(&caller, run).await?;
    let results = app.registry().all_case_results(&caller, run).await?;
    let markdown = registry::evaluation::summary_markdown(&details, &results);
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], markdown).into_response())
}

/// Stops a run.
#[utoipa::path(post, path = "/api/evals/{eval_run_id}/cancel", tag = "evaluations", params(("eval_run_id" = String, Path)),
    responses((status = 200, body = EvalView, description = "The cancelled run"), (status = 409, description = "It has ended")))]
pub async fn cancel(
    State(app): State<App>,
    Path(run, _): Path<EvalRunId>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<EvalView>> {
    Ok(Json(EvalView::new(app.registry().cancel_run(&act, run).await?)))
}
