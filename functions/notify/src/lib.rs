//! `notify`: sends webhooks. What a receiver does not take comes again, and in the end lies in the dead letters.
//!
//! It is a function of its own, so that a receiver that is slow keeps nothing else waiting.

use std::{error, time::Duration};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::{
    Error, Result,
    webhook::{Notice, Told, Webhook},
};
use registry::Registry;
use reqwest::{Client, StatusCode, header};

/// How long a receiver may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Who receivers are told that it is.
const USER_AGENT: &str = "Cuecard-Webhooks";

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    registry: Registry,
    client: Client,
}

impl App {
    /// Over these use cases, and to where they let webhooks be.
    pub fn new(registry: Registry) -> Result<Self> {
        let client = models::client(TIMEOUT, registry.models.places_of_webhooks().loopback)?;
        Ok(Self { registry, client })
    }

    /// Sends a message, unless nobody waits for it any more.
    async fn send(&self, notice: Notice) -> Result<()> {
        let store = &self.registry.store;
        let webhook = store.webhook(notice.webhook_id).await?;
        let Some(webhook) = webhook.filter(|webhook| webhook.disabled_at.is_none()) else { return Ok(()) };
        let missing = || Error::internal(format!("what {} is about is missing", notice.message_id()));
        let entry = store.prompt_audit_entry(notice.prompt_id, notice.audit_id).await?.ok_or_else(missing)?;
        let prompt = store.prompt(notice.prompt_id).await?.ok_or_else(missing)?;
        let told = Told { event: notice.event, entry: &entry, prompt: &prompt };
        match self.post(&webhook, &notice.message_id(), told.body(webhook.format)?).await? {
            StatusCode::GONE => self.registry.webhook_is_gone("notify", webhook.webhook_id).await.map(drop),
            status if status.is_success() => Ok(()),
            status => Err(refused(&webhook, format!("it answered {status}"))),
        }
    }

    /// Posts a body and reads the status alone. No error holds the address, whose path may be as good as a key.
    async fn post(&self, webhook: &Webhook, id: &str, body: String) -> Result<StatusCode> {
        let places = self.registry.models.places_of_webhooks();
        places.check(&webhook.url).map_err(|reason| refused(webhook, reason))?;
        let now = self.registry.sources.now();
        let signatures = webhook.signatures(id, now, &body)?;
        let call = self
            .client
            .post(&webhook.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_seconds())
            .header("webhook-signature", signatures)
            .body(body);
        let answer = call.send().await.map_err(|error| refused(webhook, error.without_url()))?;
        Ok(answer.status())
    }
}

/// Handles a batch of messages.
pub async fn handle(event: SqsEvent, app: &App) -> Result<SqsBatchResponse> {
    Ok(runtime::batch::messages(event, |notice: Notice| app.send(notice)).await)
}

fn refused(webhook: &Webhook, why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Error {
    Error::unavailable(&format!("The receiver of {}", webhook.webhook_id), why)
}
