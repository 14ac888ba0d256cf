//! Webhooks.

use domain::{Result, TeamScope, Webhook, WebhookId};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List},
};

impl Change {
    /// Puts a webhook; nobody may have changed it since the one before was read.
    pub fn put_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        let list = (List::Webhooks(&webhook.team_id), webhook.webhook_id.to_string());
        self.put_listed(
            Slot::Webhook,
            Key::Webhook(webhook.webhook_id),
            webhook,
            Guard::before(webhook.revision),
            &list,
        )
    }
}

impl Store {
    /// Reads a webhook.
    pub async fn webhook(&self, webhook: WebhookId) -> Result<Option<Webhook>> {
        self.get(&Key::Webhook(webhook)).await
    }

    /// A page of a team's webhooks.
    pub async fn webhooks(&self, team: &TeamScope, request: &PageRequest) -> Result<Page<Webhook>> {
        self.page(self.query_list(&List::Webhooks(team)), request).await
    }

    /// All webhooks of a team.
    pub async fn all_webhooks(&self, team: &TeamScope) -> Result<Vec<Webhook>> {
        self.all(self.query_list(&List::Webhooks(team))).await
    }
}
