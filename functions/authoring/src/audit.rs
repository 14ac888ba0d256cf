//! The audit.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use domain::{TeamId, Timestamp, audit::AuditEntry};
use registry::audit::{AuditFilter, ExportWish};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use web::{Author, Listed, Query, page_request};

use crate::App;

/// An entry of the audit.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    audit_id: String,
    /// A prompt's id, or `team:<team>`.
    chain: String,
    sequence: u64,
    at: String,
    /// `{id, name, role, user?}`.
    #[schema(value_type = Object)]
    actor: domain::Actor,
    #[schema(value_type = String)]
    action: domain::audit::Action,
    subject: String,
    environment: Option<String>,
    #[schema(schema_with = web::schema::any_json)]
    before: Value,
    #[schema(schema_with = web::schema::any_json)]
    after: Value,
    reason: Option<String>,
    #[schema(schema_with = web::schema::any_json)]
    evidence: Value,
    prev_hash: String,
    hash: String,
}

impl EntryView {
    pub(crate) fn new(entry: AuditEntry) -> Self {
        Self {
            audit_id: entry.audit_id.to_string(),
            chain: entry.chain,
            sequence: entry.sequence,
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            environment: entry.environment.map(|environment| environment.to_string()),
            before: entry.before,
            after: entry.after,
            reason: entry.reason,
            evidence: entry.evidence,
            prev_hash: entry.prev_hash,
            hash: entry.hash,
        }
    }
}

/// Which entries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Of one prompt, by id or name; left out: of a team's keys, models and test sets.
    prompt_id: Option<String>,
    /// Of this team; left out: the key's own, or what belongs to all.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// By this actor: `key_<id>`, or a key's name.
    actor: Option<String>,
    /// From this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// From the former page.
    cursor: Option<String>,
}

/// Which chains are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// One prompt's, by id or name; left out: all of the team, or of all teams.
    prompt_id: Option<String>,
    /// Of this team.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// What else is wanted of a prompt: the contents of its versions.
    #[param(inline)]
    include: Option<Include>,
    /// From the `more` line of a former answer.
    cursor: Option<String>,
}

/// What an export may hold beside entries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// What versions say, each after the entry that names its hash.
    Versions,
}

/// Lists entries, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(ListQuery),
    responses((status = 200, body = Listed<EntryView>, description = "A page of entries")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ListQuery>,
) -> web::Result<Json<Listed<EntryView>>> {
    let page = page_request(query.limit, query.cursor)?;
    let ListQuery { prompt_id: prompt, team_id: team, actor, from, to, .. } = query;
    let page = app.registry().audit(&caller, &AuditFilter { prompt, team, actor, from, to }, &page).await?;
    Ok(Json(Listed::new(page, EntryView::new)))
}

/// Exports whole chains as JSON lines: a head for each, then its entries. It can be verified with nothing else. A prompt's
/// may come in several answers, of which all but the last end with a `more` line.
#[utoipa::path(get, path = "/api/audit/export", tag = "audit", params(ExportQuery),
    responses((status = 200, body = String, content_type = "application/jsonl", description = "The chains"),
        (status = 413, description = "It is more than one answer can hold")))]
pub async fn export(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ExportQuery>,
) -> web::Result<Response> {
    let ExportQuery { prompt_id: prompt, team_id: team, include, cursor } = &query;
    let wish = ExportWish {
        prompt: prompt.as_deref(),
        team: team.as_ref(),
        versions: matches!(include, Some(Include::Versions)),
        cursor: cursor.as_deref(),
    };
    let lines = app.registry().export_audit(&caller, &wish).await?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response())
}
