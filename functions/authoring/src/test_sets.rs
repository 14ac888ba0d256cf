//! Test sets.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{TeamId, TestSetId, content::Literal};
use serde::{Deserialize, Serialize};
use store::{Made, TestSet, TestSetVersion};
use utoipa::{IntoParams, ToSchema};
use web::{Author, Created, Empty, Listed, Path, Query, Tagged, Upload, Uploaded, Write, page_request};

use crate::{App, versions::PageQuery};

/// A test set.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestSetView {
    test_set_id: String,
    name: String,
    team_id: String,
    /// The newest version; 0 before the first cases.
    newest_version: u32,
    created_by: String,
    created_at: String,
}

/// A version of a test set.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestSetVersionView {
    test_set_id: String,
    version: u32,
    cases: u32,
    sha256: String,
    created_by: String,
    created_at: String,
}

/// A test set to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTestSetBody {
    #[schema(max_length = 200)]
    name: String,
    #[schema(value_type = String, max_length = 64)]
    team_id: TeamId,
}

/// Which test sets are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Of this team; may be left out by a key of one team.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Which cases are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CasesQuery {
    /// Of this version; left out: the newest.
    version: Option<u32>,
}

impl TestSetView {
    fn new(set: TestSet) -> Self {
        Self {
            test_set_id: set.test_set_id.to_string(),
            name: set.name,
            team_id: set.team_id.to_string(),
            newest_version: set.newest_version,
            created_by: set.created_by,
            created_at: set.created_at.to_string(),
        }
    }
}

impl TestSetVersionView {
    fn new(version: TestSetVersion) -> Self {
        Self {
            test_set_id: version.test_set_id.to_string(),
            version: version.version,
            cases: version.cases,
            sha256: version.sha256,
            created_by: version.created_by,
            created_at: version.created_at.to_string(),
        }
    }
}

/// Makes a test set without cases.
#[utoipa::path(post, path = "/api/test-sets", tag = "test sets", request_body = NewTestSetBody,
    responses((status = 201, body = TestSetView, description = "The test set")))]
pub async fn create(
    State(app): State<App>,
    Write { act, body }: Write<NewTestSetBody>,
) -> web::Result<Created<TestSetView>> {
    let made = app.registry().create_test_set(&act, &body.team_id, &body.name).await?;
    Ok(Created::new(StatusCode::CREATED, made, TestSetView::new))
}

/// Lists the test sets of a team.
#[utoipa::path(get, path = "/api/test-sets", tag = "test sets", params(ListQuery),
    responses((status = 200, body = Listed<TestSetView>, description = "A page of test sets")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ListQuery>,
) -> web::Result<Json<Listed<TestSetView>>> {
    let team = query.team_id.or_else(|| caller.scope.team().cloned()).ok_or_else(|| {
        domain::Error::invalid("/team_id", "This key sees all teams: say whose test sets, with `team_id`.")
    })?;
    let page = app.registry().test_sets(&caller, &team, &page_request(query.limit, query.cursor)?).await?;
    Ok(Json(Listed::new(page, TestSetView::new)))
}

/// Reads a test set.
#[utoipa::path(get, path = "/api/test-sets/{test_set_id}", tag = "test sets", params(("test_set_id" = String, Path)),
    responses((status = 200, body = TestSetView, description = "The test set"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(set, _): Path<TestSetId>,
) -> web::Result<Tagged> {
    Tagged::new(&headers, &TestSetView::new(app.registry().test_set(&caller, set).await?))
}

/// Deletes a test set with the cases of all its versions; what models said to them is erased within the hour. The
/// figures of runs stay.
#[utoipa::path(delete, path = "/api/test-sets/{test_set_id}", tag = "test sets", params(("test_set_id" = String, Path)),
    responses((status = 204, description = "The cases are gone")))]
pub async fn delete(
    State(app): State<App>,
    Path(set, _): Path<TestSetId>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<StatusCode> {
    app.registry().delete_test_set(&act, set).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a new version of the cases, at most 4 MiB in the request: JSON lines, CSV, or promptfoo's YAML. Larger files
/// are uploaded first, and named here as `application/json`.
#[utoipa::path(put, path = "/api/test-sets/{test_set_id}/versions", tag = "test sets",
    request_body(content(
        (String = "application/jsonl"), (String = "text/csv"), (String = "application/yaml"),
        (UploadedBody = "application/json"))),
    params(("test_set_id" = String, Path)),
    responses((status = 201, body = TestSetVersionView, description = "The version")))]
pub async fn put_cases(
    State(app): State<App>,
    Path(set, _): Path<TestSetId>,
    Upload { act, format, cases }: Upload,
) -> web::Result<Created<TestSetVersionView>> {
    let version = match cases {
        Uploaded::Here(bytes) => app.registry().put_cases(&act, set, format, bytes).await?,
        Uploaded::There(upload) => app.registry().put_uploaded_cases(&act, set, format, &upload).await?,
    };
    let made = Made { value: version, replayed: false };
    Ok(Created::new(StatusCode::CREATED, made, TestSetVersionView::new))
}

/// Cases that were uploaded before.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadedBody {
    /// As the upload was answered.
    upload_id: String,
    /// How the file is written; left out: `application/jsonl`.
    #[schema(pattern = "^(application/jsonl|text/csv|application/yaml)$")]
    content_type: Option<String>,
}

/// Lists the versions of a test set, newest first.
#[utoipa::path(get, path = "/api/test-sets/{test_set_id}/versions", tag = "test sets",
    params(("test_set_id" = String, Path), PageQuery),
    responses((status = 200, body = Listed<TestSetVersionView>, description = "A page of versions")))]
pub async fn versions(
    State(app): State<App>,
    Author(caller): Author,
    Path(set, _): Path<TestSetId>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<TestSetVersionView>>> {
    let page =
        app.registry().test_set_versions(&caller, set, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, TestSetVersionView::new)))
}

/// Reads the cases as they were uploaded.
#[utoipa::path(get, path = "/api/test-sets/{test_set_id}/cases", tag = "test sets",
    params(("test_set_id" = String, Path), CasesQuery),
    responses((status = 200, body = String, content_type = "application/jsonl", description = "The cases")))]
pub async fn cases(
    State(app): State<App>,
    Author(caller): Author,
    Path(set, _): Path<TestSetId>,
    Query(query): Query<CasesQuery>,
) -> web::Result<Response> {
    let cases = app.registry().cases(&caller, set, query.version).await?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], cases).into_response())
}

/// Adds one case to the newest ones, as a new version: an input that somebody tried, or an answer that failed.
#[utoipa::path(post, path = "/api/test-sets/{test_set_id}/cases", tag = "test sets",
    request_body(content = Object, description = "`{case_id?, vars, expected?, assert?, threshold?, tags?, metadata?}`"),
    params(("test_set_id" = String, Path)),
    responses((status = 201, body = TestSetVersionView, description = "The version with the case")))]
pub async fn add_case(
    State(app): State<App>,
    Path(set, _): Path<TestSetId>,
    Write { act, body }: Write<Literal>,
) -> web::Result<Created<TestSetVersionView>> {
    let made = app.registry().add_case(&act, set, &body).await?;
    Ok(Created::new(StatusCode::CREATED, made, TestSetVersionView::new))
}
