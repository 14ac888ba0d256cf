//! Environments of a prompt: what is live there, and locks.

use axum::{Json, extract::State, http::HeaderMap};
use domain::{Environment, Error, Ref, Timestamp, reference::Overrides};
use release::NewLock;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Empty, Path, Tagged, Write};

use crate::App;

/// What is live in an environment. Its `ETag` is the revision of its last move.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentView {
    prompt_id: String,
    environment: String,
    version_id: Option<String>,
    version_number: Option<u32>,
    /// Counts every write.
    revision: u64,
    /// The revision of the last move: what `If-Match` and `expected_revision` compare.
    moved_revision: u64,
    moved_at: String,
    moved_by: String,
    /// The experiment or canary that runs here; null when none does.
    experiment_id: Option<String>,
    lock: Option<LockView>,
    /// What stands here instead of the version's own settings, until the next move.
    overrides: OverridesView,
    /// Whether a rollback holds automatic promotions until a person promotes again.
    automation_held: bool,
    archived: bool,
    /// Where a rollback without a target would go.
    rollback_version_id: Option<String>,
}

/// A freeze on promotions.
#[derive(Debug, Serialize, ToSchema)]
pub struct LockView {
    by: String,
    reason: String,
    until: Option<String>,
}

/// What stands instead of a version's own settings; null: the version's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverridesView {
    temperature: Option<f64>,
    max_tokens: Option<u32>,
    model_id: Option<String>,
}

/// All overrides of an environment; what is left out is the version's own again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverridesBody {
    /// 0 to 2.
    temperature: Option<f64>,
    #[schema(format = Int64)]
    max_tokens: Option<u32>,
    /// A model on which the version has passed.
    model_id: Option<String>,
}

/// A lock to be put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockBody {
    /// RFC 3339; left out: until somebody takes it off.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    reason: String,
}

impl EnvironmentView {
    fn new(reference: &Ref) -> Self {
        Self {
            prompt_id: reference.prompt_id.to_string(),
            environment: reference.environment.to_string(),
            version_id: reference.version.map(|version| version.id.to_string()),
            version_number: reference.version.map(|version| version.number),
            revision: reference.revision,
            moved_revision: reference.moved_revision,
            moved_at: reference.moved_at.to_string(),
            moved_by: reference.moved_by.clone(),
            experiment_id: reference.allocation.as_ref().map(|running| running.trial.to_string()),
            lock: reference.lock.as_ref().map(|lock| LockView {
                by: lock.by.clone(),
                reason: lock.reason.clone(),
                until: lock.until.map(|until| until.to_string()),
            }),
            overrides: OverridesView {
                temperature: reference.overrides.temperature,
                max_tokens: reference.overrides.max_tokens,
                model_id: reference.overrides.model_id.clone(),
            },
            automation_held: reference.automation_held,
            archived: reference.archived,
            rollback_version_id: reference.rollback_target().map(|version| version.id.to_string()),
        }
    }
}

/// Reads what is live.
#[utoipa::path(get, path = "/api/prompts/{prompt}/environments/{environment}", tag = "environments",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), ("environment" = String, Path)),
    responses((status = 200, body = EnvironmentView, description = "What is live"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(prompt, environment): Path<String, Environment>,
) -> web::Result<Tagged> {
    let reference = app.release.reference(&caller, &prompt, &environment).await?;
    let body = serde_json::to_vec(&EnvironmentView::new(&reference)).map_err(Error::internal)?;
    Ok(Tagged::with_tag(&headers, &format!("\"{}\"", reference.moved_revision), body))
}

/// Locks an environment: nothing is promoted there until the lock is off.
#[utoipa::path(put, path = "/api/prompts/{prompt}/environments/{environment}/lock", tag = "environments", request_body = LockBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), ("environment" = String, Path)),
    responses((status = 200, body = EnvironmentView, description = "The locked environment")))]
pub async fn lock(
    State(app): State<App>,
    Path(prompt, environment): Path<String, Environment>,
    Write { act, body }: Write<LockBody>,
) -> web::Result<Json<EnvironmentView>> {
    let lock = NewLock { until: body.until, reason: body.reason };
    let reference = app.release.set_lock(&act, &prompt, &environment, Some(&lock)).await?;
    Ok(Json(EnvironmentView::new(&reference)))
}

/// Takes a lock off.
#[utoipa::path(delete, path = "/api/prompts/{prompt}/environments/{environment}/lock", tag = "environments",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), ("environment" = String, Path)),
    responses((status = 200, body = EnvironmentView, description = "The environment")))]
pub async fn unlock(
    State(app): State<App>,
    Path(prompt, environment): Path<String, Environment>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<EnvironmentView>> {
    let reference = app.release.set_lock(&act, &prompt, &environment, None).await?;
    Ok(Json(EnvironmentView::new(&reference)))
}

/// Sets the overrides of an environment. They last until the next move.
#[utoipa::path(put, path = "/api/prompts/{prompt}/environments/{environment}/overrides", tag = "environments",
    request_body = OverridesBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), ("environment" = String, Path)),
    responses((status = 200, body = EnvironmentView, description = "The environment"),
        (status = 409, description = "The version has not passed on this model"),
        (status = 410, description = "The prompt is archived")))]
pub async fn set_overrides(
    State(app): State<App>,
    Path(prompt, environment): Path<String, Environment>,
    Write { act, body }: Write<OverridesBody>,
) -> web::Result<Json<EnvironmentView>> {
    let OverridesBody { temperature, max_tokens, model_id } = body;
    let overrides = Overrides { temperature, max_tokens, model_id };
    let reference = app.release.set_overrides(&act, &prompt, &environment, &overrides).await?;
    Ok(Json(EnvironmentView::new(&reference)))
}
