//! API keys.

use axum::{Json, extract::State};
use domain::{ApiKey, KeyRole, TeamScope, Timestamp};
use registry::key::{FreshKey, NewKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Created, Empty, Listed, Path, Query, Write, page_request};

use crate::{App, of_scope::OfScopeQuery};

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    key_id: String,
    /// A team, or `*`.
    team_id: String,
    /// `resolver`, `author`, `releaser` or `admin`.
    role: String,
    name: String,
    email: Option<String>,
    created_by: String,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    /// The key that took its place.
    rotated_to: Option<String>,
    /// To the hour.
    last_used_at: Option<String>,
}

/// A key just made, with its secret, this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshKeyView {
    #[serde(flatten)]
    key: KeyView,
    /// `cue_<id>_<secret>`; it is shown only now.
    secret: String,
}

impl KeyView {
    fn new(key: &ApiKey, last_used_at: Option<Timestamp>) -> Self {
        Self {
            key_id: key.key_id(),
            team_id: key.team_id.as_str().to_owned(),
            role: key.role.name().to_owned(),
            name: key.name.clone(),
            email: key.email.clone(),
            created_by: key.created_by.clone(),
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            rotated_to: key.rotated_to.as_deref().map(domain::key::key_id),
            last_used_at: last_used_at.map(|at| at.to_string()),
        }
    }
}

impl FreshKeyView {
    fn new(fresh: FreshKey) -> Self {
        Self { key: KeyView::new(&fresh.key, None), secret: fresh.secret }
    }
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// A team, or `*` for all.
    #[schema(value_type = String)]
    team_id: TeamScope,
    /// `resolver`, `author`, `releaser` or `admin`.
    #[schema(value_type = String)]
    role: KeyRole,
    /// The person or service that it belongs to.
    #[schema(max_length = 200)]
    name: String,
    email: Option<String>,
    /// RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Makes a key.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = NewKeyBody,
    responses((status = 201, body = FreshKeyView, description = "The key with its secret"),
        (status = 409, description = "It was made before, and its secret is not repeated")))]
pub async fn create(
    State(app): State<App>,
    Write { act, body }: Write<NewKeyBody>,
) -> web::Result<Created<FreshKeyView>> {
    let NewKeyBody { team_id, role, name, email, expires_at } = body;
    let fresh = app.registry().create_key(&act, &NewKey { team_id, role, name, email, expires_at }).await?;
    Ok(Created::fresh(fresh, FreshKeyView::new))
}

/// Lists keys.
#[utoipa::path(get, path = "/api/keys", tag = "keys", params(OfScopeQuery),
    responses((status = 200, body = Listed<KeyView>, description = "A page of keys")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<OfScopeQuery>,
) -> web::Result<Json<Listed<KeyView>>> {
    let team = query.team_id.unwrap_or(TeamScope::All);
    let page = app.registry().keys(&caller, &team, &page_request(query.limit, query.cursor)?).await?;
    Ok(Json(Listed::new(page, |(key, last_used)| KeyView::new(&key, last_used))))
}

/// Puts another key in a key's place; the old one stays good for 24 hours.
#[utoipa::path(post, path = "/api/keys/{key_id}/rotate", tag = "keys", params(("key_id" = String, Path)),
    responses((status = 201, body = FreshKeyView, description = "The new key with its secret"),
        (status = 409, description = "The key is not live, or was rotated before")))]
pub async fn rotate(
    State(app): State<App>,
    Path(key, _): Path<String>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Created<FreshKeyView>> {
    let fresh = app.registry().rotate_key(&act, public_part(&key)).await?;
    Ok(Created::fresh(fresh, FreshKeyView::new))
}

/// Revokes a key.
#[utoipa::path(delete, path = "/api/keys/{key_id}", tag = "keys", params(("key_id" = String, Path)),
    responses((status = 200, body = KeyView, description = "The revoked key")))]
pub async fn revoke(
    State(app): State<App>,
    Path(key, _): Path<String>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<KeyView>> {
    Ok(Json(KeyView::new(&app.registry().revoke_key(&act, public_part(&key)).await?, None)))
}

/// `key_<id>` and `<id>` name the same key.
fn public_part(key: &str) -> &str {
    key.strip_prefix("key_").unwrap_or(key)
}
