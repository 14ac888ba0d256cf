//! Versions.

mod view;

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Error, EvalStatus, VersionId,
    content::{ChatMessage, Literal},
    template::Values,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{
    Author, Created, JsonBody, Listed, NewVersionBody, Path, Query, Tagged, Write, page_request, status_for,
};

pub use view::{ContentView, VersionView};

use crate::{App, evals::EvalView};

/// How long a request may wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Seconds to wait for the evaluation, 0 to 25.
    #[param(minimum = 0, maximum = 25)]
    wait: Option<u64>,
}

impl WaitQuery {
    pub(crate) fn duration(&self) -> domain::Result<Duration> {
        match self.wait.unwrap_or(0) {
            seconds @ 0..=25 => Ok(Duration::from_secs(seconds)),
            _ => Err(Error::invalid("/wait", "A request waits 0 to 25 seconds.")),
        }
    }
}

/// Writes a version.
#[utoipa::path(post, path = "/api/prompts/{prompt}/versions", tag = "versions", request_body = NewVersionBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), WaitQuery),
    responses((status = 201, body = VersionView, description = "The version"),
        (status = 200, body = VersionView, description = "The newest version says the same already"),
        (status = 202, body = VersionView, description = "The version; its evaluation has not decided in time"),
        (status = 409, description = "There is a newer version"), (status = 410, description = "The prompt is archived")))]
pub async fn create(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Query(wait): Query<WaitQuery>,
    Write { act, body }: Write<NewVersionBody>,
) -> web::Result<Created<VersionView>> {
    let wait = wait.duration()?;
    let made = app.registry().create_version(&act, &prompt, &body.new_version()?).await?;
    let mut status = status_for(made.value.unchanged);
    let mut details = made.value.details.clone();
    let mut eval_run = None;
    if !wait.is_zero() && details.state.eval_status == EvalStatus::Pending {
        let version = details.version.version_id;
        details = app.registry().version_when_decided(&act.caller, version, wait).await?;
        if let (EvalStatus::Pending, Some(run)) = (details.state.eval_status, details.state.eval_run_id) {
            status = StatusCode::ACCEPTED;
            eval_run = Some(EvalView::new(app.registry().run(&act.caller, run).await?));
        }
    }
    Ok(Created::new(status, made, |written| {
        let mut view = VersionView::new(details);
        view.unchanged = written.unchanged;
        view.eval_run = eval_run;
        view
    }))
}

/// Which page of a list is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
    /// From the former page.
    pub(crate) cursor: Option<String>,
}

/// Lists a prompt's versions, newest first.
#[utoipa::path(get, path = "/api/prompts/{prompt}/versions", tag = "versions",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), PageQuery),
    responses((status = 200, body = Listed<VersionView>, description = "A page of versions")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<VersionView>>> {
    let page = app.registry().versions(&caller, &prompt, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, VersionView::new)))
}

/// Reads a version with where it stands.
#[utoipa::path(get, path = "/api/versions/{version_id}", tag = "versions", params(("version_id" = String, Path)),
    responses((status = 200, body = VersionView, description = "The version"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(version, _): Path<VersionId>,
) -> web::Result<Tagged> {
    Tagged::new(&headers, &VersionView::new(app.registry().version(&caller, version).await?))
}

/// Reads what a version says: it never changes.
#[utoipa::path(get, path = "/api/versions/{version_id}/content", tag = "versions", params(("version_id" = String, Path)),
    responses((status = 200, body = ContentView, description = "The content"), (status = 304, description = "Unchanged")))]
pub async fn content(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(version, _): Path<VersionId>,
) -> web::Result<Response> {
    let details = app.registry().version(&caller, version).await?;
    let mut response = Tagged::new(&headers, &ContentView::new(details.version))?.into_response();
    let cached = HeaderValue::from_static("private, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, cached);
    Ok(response)
}

/// Values to render with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderBody {
    #[schema(schema_with = web::schema::optional_object)]
    variables: Option<Literal>,
}

/// A rendered version.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenderedView {
    resolved_text: Option<String>,
    system_prompt: Option<String>,
    #[schema(value_type = Vec<Object>)]
    messages: Vec<ChatMessage>,
    ignored_variables: Vec<String>,
}

/// Renders a version with values, as resolving it would.
#[utoipa::path(post, path = "/api/versions/{version_id}/render", tag = "versions", request_body = RenderBody,
    params(("version_id" = String, Path)),
    responses((status = 200, body = RenderedView, description = "The rendered version")))]
pub async fn render(
    State(app): State<App>,
    Author(caller): Author,
    Path(version, _): Path<VersionId>,
    JsonBody(body): JsonBody<RenderBody>,
) -> web::Result<Json<RenderedView>> {
    let values = body.variables.map(|json| Values::parse(json.as_str())).transpose()?.unwrap_or_default();
    let rendered = app.registry().render(&caller, version, &values).await?;
    Ok(Json(RenderedView {
        resolved_text: rendered.text,
        system_prompt: rendered.system_prompt,
        messages: rendered.messages,
        ignored_variables: rendered.ignored_variables,
    }))
}

/// Which versions are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The id or the number of the older version.
    from: String,
    /// The id or the number of the newer version.
    to: String,
}

/// How two versions differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffView {
    from: PointerView,
    to: PointerView,
    /// Parameters that changed: `{field, from?, to?}`.
    #[schema(value_type = Vec<Object>)]
    fields: Vec<domain::diff::FieldChange>,
    /// Texts that changed, in hunks, by line and by word.
    #[schema(value_type = Vec<Object>)]
    text: Vec<domain::diff::TextChange>,
}

/// A version's id and number.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointerView {
    version_id: String,
    version_number: u32,
}

/// Compares two versions.
#[utoipa::path(get, path = "/api/prompts/{prompt}/diff", tag = "versions",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), DiffQuery),
    responses((status = 200, body = DiffView, description = "What changed")))]
pub async fn diff(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(query): Query<DiffQuery>,
) -> web::Result<Json<DiffView>> {
    let (from, to, diff) = app.registry().diff(&caller, &prompt, &query.from, &query.to).await?;
    let pointer = |version: domain::Version| PointerView {
        version_id: version.version_id.to_string(),
        version_number: version.number,
    };
    Ok(Json(DiffView { from: pointer(from), to: pointer(to), fields: diff.fields, text: diff.text }))
}
