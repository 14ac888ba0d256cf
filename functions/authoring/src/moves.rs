//! Moves of refs, and their history.

use axum::{Json, extract::State, http::StatusCode};
use domain::{Environment, Timestamp, VersionId};
use release::{Moved, Promotion, Rollback, RolledBackView};
use serde::{Deserialize, Serialize};
use store::audit::Order;
use utoipa::{IntoParams, ToSchema};
use web::{Author, Created, ExpectedRevision, Listed, Path, Query, Write, page_request};

use crate::{App, audit::EntryView, versions::PageQuery};

/// A promotion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteBody {
    #[schema(value_type = String)]
    version_id: VersionId,
    #[schema(value_type = String)]
    environment: Environment,
    /// The environment's `ETag`, as a number: refused when it moved since.
    expected_revision: Option<u64>,
    reason: Option<String>,
    /// An admin's reason to pass the gate, locks and warnings.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Why the gate is passed by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideBody {
    reason: String,
}

/// A promotion that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromotedView {
    prompt_id: String,
    environment: String,
    version_id: String,
    previous_version_id: Option<String>,
    revision: u64,
    /// The moment after which no resolve may show the version before.
    propagated_at: String,
    /// From commit to the cache's acknowledgement, in ms; null without a cache.
    cache_invalidation_ms: Option<u64>,
    /// False when the cache did not answer; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    propagated: Option<bool>,
}

/// A rollback.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackBody {
    #[schema(value_type = String)]
    environment: Environment,
    /// Where to; left out: what was live before.
    #[schema(value_type = Option<String>)]
    target_version_id: Option<VersionId>,
    /// The environment's `ETag`, as a number: refused when it moved since.
    expected_revision: Option<u64>,
    reason: Option<String>,
}

impl PromotedView {
    fn new(moved: Moved) -> Self {
        Self {
            prompt_id: moved.prompt_id.to_string(),
            environment: moved.environment.to_string(),
            version_id: moved.version_id.to_string(),
            previous_version_id: moved.previous_version_id.map(|id| id.to_string()),
            revision: moved.revision,
            propagated_at: moved.reach.propagated_at.to_string(),
            cache_invalidation_ms: moved.reach.cache_invalidation_ms,
            propagated: moved.reach.cache_unanswered.then_some(false),
        }
    }
}

/// Promotes a version.
#[utoipa::path(post, path = "/api/prompts/{prompt}/promote", tag = "moves", request_body = PromoteBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = PromotedView, description = "The version is live"),
        (status = 409, description = "The gate, a lock or the variables refuse"),
        (status = 410, description = "The prompt is archived"), (status = 412, description = "The ref moved")))]
pub async fn promote(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    expected: ExpectedRevision,
    Write { act, body }: Write<PromoteBody>,
) -> web::Result<Created<PromotedView>> {
    let wish = Promotion {
        version_id: body.version_id,
        environment: body.environment,
        expected_revision: expected.or(body.expected_revision)?,
        reason: body.reason,
        override_reason: body.overriding.map(|overriding| overriding.reason),
        decided: None,
    };
    let made = app.release.promote(&act, &prompt, &wish).await?;
    Ok(Created::new(StatusCode::OK, made, PromotedView::new))
}

/// Rolls back.
#[utoipa::path(post, path = "/api/prompts/{prompt}/rollback", tag = "moves", request_body = RollbackBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 200, body = RolledBackView, description = "The version before is live again"),
        (status = 409, description = "Nothing to roll back to"), (status = 410, description = "The prompt is archived"),
        (status = 412, description = "The ref moved")))]
pub async fn rollback(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    expected: ExpectedRevision,
    Write { act, body }: Write<RollbackBody>,
) -> web::Result<Created<RolledBackView>> {
    let wish = Rollback {
        environment: body.environment,
        target_version_id: body.target_version_id,
        expected_revision: expected.or(body.expected_revision)?,
        reason: body.reason,
    };
    let made = app.release.roll_back(&act, &prompt, &wish).await?;
    Ok(Created::new(StatusCode::OK, made, |moved| RolledBackView::new(&moved)))
}

/// Lists a prompt's moves, newest first: who, why, with what evidence.
#[utoipa::path(get, path = "/api/prompts/{prompt}/history", tag = "moves",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), PageQuery),
    responses((status = 200, body = Listed<EntryView>, description = "A page of moves")))]
pub async fn history(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<EntryView>>> {
    let page = app.registry().history(&caller, &prompt, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, EntryView::new)))
}

/// From when on changes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// RFC 3339.
    #[param(value_type = String, format = DateTime)]
    since: Timestamp,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Lists what moved since a moment, over all prompts, oldest first.
#[utoipa::path(get, path = "/api/changes", tag = "moves", params(ChangesQuery),
    responses((status = 200, body = Listed<EntryView>, description = "A page of moves")))]
pub async fn changes(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ChangesQuery>,
) -> web::Result<Json<Listed<EntryView>>> {
    let page = page_request(query.limit, query.cursor)?;
    let page = app.registry().changes(&caller, query.since, Order::OldestFirst, &page).await?;
    Ok(Json(Listed::new(page, EntryView::new)))
}
