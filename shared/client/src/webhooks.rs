//! Webhooks.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result, call::segment, page::OfTeam};

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: String,
    /// A team, or `*`.
    pub team_id: String,
    /// Where messages are sent.
    pub url: String,
    /// What it is told of.
    pub events: Vec<String>,
    /// `json` or `slack`.
    pub format: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when the secret before this one signs too.
    pub former_secret_until: Option<Timestamp>,
    /// Since when nothing is sent.
    pub disabled_at: Option<Timestamp>,
}

/// A webhook with a secret just made, this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FreshWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// `whsec_…`.
    pub secret: String,
}

/// A webhook to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// A team, or `*`.
    pub team_id: String,
    /// Where messages are sent.
    pub url: String,
    /// What it is told of.
    pub events: Vec<String>,
    /// `json` or `slack`.
    pub format: Option<String>,
}

impl Client {
    /// Makes a webhook.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<FreshWebhook> {
        self.post_once("/api/webhooks").json(new).answer().await
    }

    /// Lists the webhooks of a team, or those for all teams.
    pub async fn webhooks(&self, team_id: Option<&str>, most: usize) -> Result<Page<Webhook>> {
        self.list("/api/webhooks", &OfTeam { team_id }, most).await
    }

    /// Replaces a webhook's secret; the old one signs too for a while.
    pub async fn rotate_webhook(&self, webhook: &str) -> Result<FreshWebhook> {
        self.post_once(&format!("/api/webhooks/{}/rotate", segment(webhook))).answer().await
    }

    /// Deletes a webhook.
    pub async fn delete_webhook(&self, webhook: &str) -> Result<Webhook> {
        self.delete(&format!("/api/webhooks/{}", segment(webhook))).answer().await
    }
}
