//! Prompts.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use domain::{
    PromptName, Ref, TeamId, TestSetId, Timestamp, VersionId,
    name::{PRODUCTION, STAGING},
};
use registry::prompt::{NewPrompt, PromptDetails, PromptFilter};
use release::PromptUpdate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Author, Created, Empty, Listed, Path, Query, Tagged, Write, nullable, page_request};

use crate::{
    App,
    gate::{GateBody, GateView},
};

/// A prompt.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptView {
    prompt_id: String,
    name: String,
    team_id: String,
    description: Option<String>,
    tags: Vec<String>,
    created_by: String,
    created_at: String,
    updated_at: String,
    production_version_id: Option<String>,
    staging_version_id: Option<String>,
    environments: Vec<EnvironmentSummary>,
    test_set_id: Option<String>,
    gate: GateView,
    /// Whether versions go to production without the gate's word.
    ungated: bool,
    newest_version_id: Option<String>,
    newest_version_number: Option<u32>,
    archived_at: Option<String>,
}

/// What one environment of a prompt holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentSummary {
    name: String,
    version_id: Option<String>,
    version_number: Option<u32>,
    revision: u64,
    experiment_id: Option<String>,
}

impl PromptView {
    pub(crate) fn new(details: PromptDetails) -> Self {
        let PromptDetails { prompt, refs, gate } = details;
        let live = |environment: &str| {
            let found = refs.iter().find(|reference| reference.environment.as_str() == environment);
            found.and_then(Ref::version_id).map(|id: VersionId| id.to_string())
        };
        Self {
            production_version_id: live(PRODUCTION),
            staging_version_id: live(STAGING),
            environments: refs.iter().map(EnvironmentSummary::new).collect(),
            prompt_id: prompt.prompt_id.to_string(),
            name: prompt.name.to_string(),
            team_id: prompt.team_id.to_string(),
            description: prompt.description,
            tags: prompt.tags,
            created_by: prompt.created_by,
            created_at: prompt.created_at.to_string(),
            updated_at: prompt.updated_at.to_string(),
            test_set_id: prompt.test_set_id.map(|id| id.to_string()),
            ungated: registry::prompt::is_ungated(&gate),
            gate: GateView::new(&gate, prompt.gate.is_none()),
            newest_version_id: prompt.newest_version.map(|version| version.id.to_string()),
            newest_version_number: prompt.newest_version.map(|version| version.number),
            archived_at: prompt.archived_at.map(|at: Timestamp| at.to_string()),
        }
    }
}

impl EnvironmentSummary {
    fn new(reference: &Ref) -> Self {
        Self {
            name: reference.environment.to_string(),
            version_id: reference.version.map(|version| version.id.to_string()),
            version_number: reference.version.map(|version| version.number),
            revision: reference.revision,
            experiment_id: reference.allocation.as_ref().map(|running| running.trial.to_string()),
        }
    }
}

/// A prompt to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPromptBody {
    #[schema(value_type = String, max_length = 200)]
    name: PromptName,
    #[schema(value_type = String, max_length = 64)]
    team_id: TeamId,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[schema(value_type = Option<String>)]
    test_set_id: Option<TestSetId>,
    gate: Option<GateBody>,
}

/// What shall change: left out stays, null goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptUpdateBody {
    #[schema(value_type = Option<String>)]
    name: Option<PromptName>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    test_set_id: Option<Option<TestSetId>>,
    /// Null: the team's default.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<GateBody>)]
    gate: Option<Option<GateBody>>,
}

/// Which prompts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Of one team.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// With this tag.
    tag: Option<String>,
    /// With this text in name or description.
    q: Option<String>,
    /// `active` or `archived`; both when left out.
    #[param(inline)]
    status: Option<Status>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Whether a prompt is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    Active,
    /// Archived.
    Archived,
}

/// A prompt by name.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NameQuery {
    /// Any name, present or former, or `team/name`.
    name: String,
}

/// Makes a prompt.
#[utoipa::path(post, path = "/api/prompts", tag = "prompts", request_body = NewPromptBody,
    responses((status = 201, body = PromptView, description = "The prompt"), (status = 409, description = "The name is taken")))]
pub async fn create(
    State(app): State<App>,
    Write { act, body }: Write<NewPromptBody>,
) -> web::Result<Created<PromptView>> {
    let gate = body.gate.as_ref().map(GateBody::policy).transpose()?;
    let NewPromptBody { name, team_id, description, tags, test_set_id, .. } = body;
    let new = NewPrompt { name, team_id, description, tags, test_set_id, gate };
    let made = app.registry().create_prompt(&act, new).await?;
    Ok(Created::new(StatusCode::CREATED, made, PromptView::new))
}

/// Lists prompts.
#[utoipa::path(get, path = "/api/prompts", tag = "prompts", params(ListQuery),
    responses((status = 200, body = Listed<PromptView>, description = "A page of prompts")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ListQuery>,
) -> web::Result<Json<Listed<PromptView>>> {
    let archived = query.status.map(|status| status == Status::Archived);
    let filter = PromptFilter { team_id: query.team_id, tag: query.tag, q: query.q, archived };
    let page = app.registry().prompts(&caller, &filter, &page_request(query.limit, query.cursor)?).await?;
    Ok(Json(Listed::new(page, PromptView::new)))
}

/// Reads a prompt by any name, also one with slashes and spaces.
#[utoipa::path(get, path = "/api/prompts/by-name", tag = "prompts", params(NameQuery),
    responses((status = 200, body = PromptView, description = "The prompt"), (status = 304, description = "Unchanged")))]
pub async fn by_name(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Query(query): Query<NameQuery>,
) -> web::Result<Tagged> {
    let prompt = app.registry().prompt(&caller, &query.name).await?;
    Tagged::new(&headers, &PromptView::new(app.registry().prompt_details(prompt).await?))
}

/// Reads a prompt.
#[utoipa::path(get, path = "/api/prompts/{prompt}", tag = "prompts",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = PromptView, description = "The prompt"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(prompt, _): Path<String>,
) -> web::Result<Tagged> {
    let prompt = app.registry().prompt(&caller, &prompt).await?;
    Tagged::new(&headers, &PromptView::new(app.registry().prompt_details(prompt).await?))
}

/// Changes a prompt.
#[utoipa::path(patch, path = "/api/prompts/{prompt}", tag = "prompts", request_body = PromptUpdateBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = PromptView, description = "The prompt"), (status = 409, description = "The name is taken"),
        (status = 410, description = "The prompt is archived")))]
pub async fn update(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Write { act, body }: Write<PromptUpdateBody>,
) -> web::Result<Json<PromptView>> {
    let gate = match body.gate {
        Some(Some(gate)) => Some(Some(gate.policy()?)),
        Some(None) => Some(None),
        None => None,
    };
    let PromptUpdateBody { name, description, tags, test_set_id, .. } = body;
    let update = PromptUpdate { name, description, tags, test_set_id, gate };
    Ok(Json(PromptView::new(app.release.update_prompt(&act, &prompt, &update).await?)))
}

/// Archives a prompt. Everything is kept.
#[utoipa::path(delete, path = "/api/prompts/{prompt}", tag = "prompts",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = PromptView, description = "The archived prompt")))]
pub async fn archive(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<PromptView>> {
    Ok(Json(PromptView::new(app.release.archive_prompt(&act, &prompt).await?)))
}

/// Brings an archived prompt back.
#[utoipa::path(post, path = "/api/prompts/{prompt}/restore", tag = "prompts",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = PromptView, description = "The restored prompt")))]
pub async fn restore(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<PromptView>> {
    Ok(Json(PromptView::new(app.release.restore_prompt(&act, &prompt).await?)))
}
