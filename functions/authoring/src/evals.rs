//! Evaluation runs.

mod view;

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Error, EvalRunId, TestSetId, VersionId,
    eval_run::{CaseOutcome, RunStatus},
};
use registry::evaluation::{CaseFilter, Decision, NewRun};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use web::{Author, Created, Empty, Listed, Path, Query, Tagged, Write, page_request};

pub use view::{CaseView, EvalView};

use crate::{
    App,
    versions::{PageQuery, WaitQuery},
};

/// A run to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvalBody {
    /// Left out: the prompt's.
    #[schema(value_type = Option<String>)]
    test_set_id: Option<TestSetId>,
    /// Left out: the version's.
    model_id: Option<String>,
    /// How often each case is asked, 1 to 10; averaged within the case. Left out: once.
    repeats: Option<u32>,
    /// Whether an answer to the very same question, at temperature 0, may be taken from a former run. Left out: no.
    reuse: Option<bool>,
    /// After how long the run is given up, 1 to 1440. Left out: 60.
    deadline_minutes: Option<u64>,
}

impl NewEvalBody {
    fn new_run(self) -> domain::Result<NewRun> {
        let minutes = self.deadline_minutes;
        if minutes.is_some_and(|minutes| !(1..=1440).contains(&minutes)) {
            let detail = "deadline_minutes lies between 1 and 1,440.";
            return Err(Error::invalid("/deadline_minutes", detail));
        }
        Ok(NewRun {
            test_set_id: self.test_set_id,
            model_id: self.model_id,
            repeats: self.repeats,
            reuse: self.reuse.unwrap_or_default(),
            deadline: minutes.map(Duration::from_mins),
        })
    }
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
    let new = body.new_run()?;
    let made = app.registry().queue_run(&act, version, &new).await?;
    Ok(Created::new(StatusCode::ACCEPTED, made, EvalView::new))
}

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `queued`, `running`, `completed`, `errored` or `cancelled`; or `waiting`: too close to call, and undecided.
    #[param(value_type = String)]
    status: Standing,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Which runs are listed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected queued, running, completed, errored, cancelled or waiting")]
enum Standing {
    /// Those with this status.
    Are(RunStatus),
    /// Those that are completed, and for somebody to decide.
    Wait(Waiting),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Waiting {
    Waiting,
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
    let page = match query.status {
        Standing::Are(status) => app.registry().runs_that_are(&caller, status, &page).await?,
        Standing::Wait(Waiting::Waiting) => app.registry().runs_that_wait(&caller, &page).await?,
    };
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
    /// `passed`, `failed` or `errored`; `regressed` for those that production passes and this run does not; all when
    /// left out.
    outcome: Option<String>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
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
    let filter = match query.outcome.as_deref() {
        None => CaseFilter::All,
        Some("passed") => CaseFilter::Outcome(CaseOutcome::Passed),
        Some("failed") => CaseFilter::Outcome(CaseOutcome::Failed),
        Some("errored") => CaseFilter::Outcome(CaseOutcome::Errored),
        Some("regressed") => CaseFilter::Regressed,
        Some(_) => {
            let detail = "outcome is `passed`, `failed`, `errored` or `regressed`.";
            return Err(Error::invalid("/outcome", detail).into());
        }
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = app.registry().case_results(&caller, run, filter, &page).await?;
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

/// A reviewer's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewBody {
    /// `approve` or `reject`.
    #[schema(value_type = String)]
    decision: ReviewDecision,
    #[schema(max_length = 2000)]
    reason: String,
}

/// What a reviewer may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// The version may go live.
    Approve,
    /// It may not.
    Reject,
}

/// Decides a run that was too close to call. A releaser does, who did not write the version.
#[utoipa::path(post, path = "/api/evals/{eval_run_id}/review", tag = "evaluations", request_body = ReviewBody,
    params(("eval_run_id" = String, Path)),
    responses((status = 200, body = EvalView, description = "The reviewed run"),
        (status = 409, description = "There is nothing to decide"), (status = 410, description = "The prompt is archived")))]
pub async fn review(
    State(app): State<App>,
    Path(run, _): Path<EvalRunId>,
    Write { act, body }: Write<ReviewBody>,
) -> web::Result<Created<EvalView>> {
    let decision = Decision { approve: body.decision == ReviewDecision::Approve, reason: body.reason };
    let made = app.registry().review_run(&act, run, &decision).await?;
    Ok(Created::new(StatusCode::OK, made, EvalView::new))
}
