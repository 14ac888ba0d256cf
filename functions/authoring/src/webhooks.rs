//! Webhooks.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use domain::{
    TeamScope, Webhook, WebhookId,
    webhook::{Event, Format},
};
use registry::webhook::NewWebhook;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Created, Empty, Listed, Path, Query, Write, page_request};

use crate::{App, of_scope::OfScopeQuery};

/// A webhook, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookView {
    webhook_id: String,
    /// A team, or `*`.
    team_id: String,
    url: String,
    events: Vec<&'static str>,
    /// `json` or `slack`.
    format: &'static str,
    created_by: String,
    created_at: String,
    /// Until when the secret before this one signs too.
    former_secret_until: Option<String>,
    /// Since when nothing is sent.
    disabled_at: Option<String>,
}

/// A webhook with a secret just made, this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct FreshWebhookView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// `whsec_…`, as Standard Webhooks writes it; it is shown only now.
    secret: String,
}

impl WebhookView {
    fn new(webhook: &Webhook) -> Self {
        Self {
            webhook_id: webhook.webhook_id.to_string(),
            team_id: webhook.team_id.as_str().to_owned(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(|event| event.name()).collect(),
            format: webhook.format.name(),
            created_by: webhook.created_by.clone(),
            created_at: webhook.created_at.to_string(),
            former_secret_until: webhook.formers.last().map(|former| former.until.to_string()),
            disabled_at: webhook.disabled_at.map(|at| at.to_string()),
        }
    }
}

impl FreshWebhookView {
    fn new(webhook: Webhook) -> Self {
        Self { webhook: WebhookView::new(&webhook), secret: webhook.secret.reveal().to_owned() }
    }
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookBody {
    /// A team, or `*` for all.
    #[schema(value_type = String)]
    team_id: TeamScope,
    /// `https://host[:port][/path]`, a public host.
    #[schema(max_length = 2048)]
    url: String,
    /// `version.created`, `gate.passed`, `gate.failed`, `review.needed`, `promotion`, `rollback`,
    /// `experiment.started`, `experiment.ended`, `canary.started`, `canary.advanced`, `canary.paused`,
    /// `canary.resumed`, `canary.ended`.
    #[schema(value_type = Vec<String>)]
    events: BTreeSet<Event>,
    /// `json` (left out) or `slack`.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
}

/// Makes a webhook.
#[utoipa::path(post, path = "/api/webhooks", tag = "webhooks", request_body = NewWebhookBody,
    responses((status = 201, body = FreshWebhookView, description = "The webhook with its secret"),
        (status = 409, description = "It was made before, and its secret is not repeated")))]
pub async fn create(
    State(app): State<App>,
    Write { act, body }: Write<NewWebhookBody>,
) -> web::Result<Created<FreshWebhookView>> {
    let NewWebhookBody { team_id, url, events, format } = body;
    let new = NewWebhook { team_id, url, events, format: format.unwrap_or(Format::Json) };
    let webhook = app.registry().create_webhook(&act, &new).await?;
    Ok(Created::fresh(webhook, FreshWebhookView::new))
}

/// Lists webhooks, those that are disabled too.
#[utoipa::path(get, path = "/api/webhooks", tag = "webhooks", params(OfScopeQuery),
    responses((status = 200, body = Listed<WebhookView>, description = "A page of webhooks")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<OfScopeQuery>,
) -> web::Result<Json<Listed<WebhookView>>> {
    let team = query.team_id.unwrap_or(TeamScope::All);
    let page = app.registry().webhooks(&caller, &team, &page_request(query.limit, query.cursor)?).await?;
    Ok(Json(Listed::new(page, |webhook| WebhookView::new(&webhook))))
}

/// Replaces a webhook's secret; the old one signs too for 24 hours.
#[utoipa::path(post, path = "/api/webhooks/{webhook_id}/rotate", tag = "webhooks",
    params(("webhook_id" = String, Path)),
    responses((status = 201, body = FreshWebhookView, description = "The webhook with its new secret"),
        (status = 409, description = "The webhook is disabled, or this was done before")))]
pub async fn rotate(
    State(app): State<App>,
    Path(webhook, _): Path<WebhookId>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Created<FreshWebhookView>> {
    let webhook = app.registry().rotate_webhook(&act, webhook).await?;
    Ok(Created::fresh(webhook, FreshWebhookView::new))
}

/// Deletes a webhook: nothing is sent there any more.
#[utoipa::path(delete, path = "/api/webhooks/{webhook_id}", tag = "webhooks",
    params(("webhook_id" = String, Path)),
    responses((status = 200, body = WebhookView, description = "The webhook as it was, disabled")))]
pub async fn delete(
    State(app): State<App>,
    Path(webhook, _): Path<WebhookId>,
    Write { act, body: Empty {} }: Write<Empty>,
) -> web::Result<Json<WebhookView>> {
    Ok(Json(WebhookView::new(&app.registry().delete_webhook(&act, webhook).await?)))
}
