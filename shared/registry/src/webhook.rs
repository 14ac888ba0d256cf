//! Webhooks: making, replacing the secrets of, listing and deleting them, and who of them is told of what.

use std::collections::BTreeSet;

use domain::{
    AuditId, Caller, Error, ErrorKind, KeyRole, PromptId, Result, TeamScope, Webhook, WebhookId,
    audit::{Action, Fact},
    webhook::{Event, Format, Notice, Secret},
};
use serde_json::{Value, json};
use store::{Change, Page, PageRequest};

use crate::{
    Act, Registry,
    settle::{Step, secret_not_repeated},
};

/// What a new webhook is given.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Whose prompts it is told of.
    pub team_id: TeamScope,
    /// Where messages are sent.
    pub url: String,
    /// What it is told of.
    pub events: BTreeSet<Event>,
    /// How its messages are shaped.
    pub format: Format,
}

impl Registry {
    /// Makes a webhook; only an admin may. Its secret is shown this once.
    pub async fn create_webhook(&self, act: &Act, new: &NewWebhook) -> Result<Webhook> {
        act.caller.require(KeyRole::Admin)?;
        let attempt = || async {
            let webhook = self.fresh_webhook(new, &act.caller);
            webhook.validate(self.models.places_of_webhooks())?;
            let mut fact = Fact::new(&act.caller.actor, Action::WebhookCreated, webhook.webhook_id);
            fact.after = describe(&webhook);
            let (change, id) = (self.webhook_change(&webhook, fact).await?, webhook.webhook_id);
            Step::commit(change, webhook).once(act, 201, id)
        };
        let again = "Delete it and make a new one.";
        let replay =
            |made: String| async move { Err(secret_not_repeated("webhook_id", &made, "made", again)) };
        Ok(self.settle(act, attempt, replay).await?.value)
    }

    /// Replaces the secret of a webhook; the old one signs too for 24 hours.
    pub async fn rotate_webhook(&self, act: &Act, id: WebhookId) -> Result<Webhook> {
        act.caller.require(KeyRole::Admin)?;
        let attempt = || async {
            let before = self.store.webhook(id).await?.ok_or_else(missing)?;
            if before.disabled_at.is_some() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "This webhook is deleted, or its receiver is gone.",
                ));
            }
            let after = before.rotated(&self.sources);
            let mut fact = Fact::new(&act.caller.actor, Action::WebhookRotated, id);
            fact.after = describe(&after);
            let change = self.webhook_change(&after, fact).await?;
            Step::commit(change, after).once(act, 201, id)
        };
        let again = "Rotate it again, with another Idempotency-Key.";
        let replay =
            |made: String| async move { Err(secret_not_repeated("webhook_id", &made, "rotated", again)) };
        Ok(self.settle(act, attempt, replay).await?.value)
    }

    /// Deletes a webhook: nothing is sent there any more. Deleting again changes nothing.
    pub async fn delete_webhook(&self, act: &Act, id: WebhookId) -> Result<Webhook> {
        act.caller.require(KeyRole::Admin)?;
        self.disable_webhook(act, id, None).await
    }

    /// The receiver says that it is gone for good, so nothing is sent there any more.
    pub async fn webhook_is_gone(&self, job: &str, id: WebhookId) -> Result<Webhook> {
        let act = Act::by(Caller::system(job));
        self.disable_webhook(&act, id, Some("Its receiver answered 410 Gone.".to_owned())).await
    }

    async fn disable_webhook(&self, act: &Act, id: WebhookId, reason: Option<String>) -> Result<Webhook> {
        let attempt = || async {
            let before = self.store.webhook(id).await?.ok_or_else(missing)?;
            if before.disabled_at.is_some() {
                return Ok(Step::Done(before));
            }
            let after = before.disabled(&self.sources);
            let mut fact = Fact::new(&act.caller.actor, Action::WebhookDisabled, id);
            fact.before = describe(&before);
            fact.after = describe(&after);
            fact.reason.clone_from(&reason);
            let change = self.webhook_change(&after, fact).await?;
            Ok(Step::commit(change, after))
        };
        Ok(self.settle(act, attempt, |_| async { Err(missing()) }).await?.value)
    }

    /// A page of webhooks, those that are disabled too.
    pub async fn webhooks(
        &self,
        caller: &Caller,
        team: &TeamScope,
        request: &PageRequest,
    ) -> Result<Page<Webhook>> {
        caller.require(KeyRole::Admin)?;
        self.store.webhooks(team, request).await
    }

    /// Who is to be told of an entry of a prompt's audit: webhooks of its team, and those of all teams.
    pub async fn notices(&self, prompt_id: PromptId, audit_id: AuditId) -> Result<Vec<Notice>> {
        let lost = || Error::internal(format!("the entry {audit_id} of {prompt_id} is missing"));
        let entry = self.store.prompt_audit_entry(prompt_id, audit_id).await?.ok_or_else(lost)?;
        let events = Event::of(&entry);
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let prompt = self.store.prompt(prompt_id).await?.ok_or_else(lost)?;
        let mut notices = Vec::new();
        for team in [TeamScope::Team(prompt.team_id), TeamScope::All] {
            for webhook in self.store.all_webhooks(&team).await? {
                let wanted = webhook.wants(&events, entry.at);
                let webhook_id = webhook.webhook_id;
                notices.extend(wanted.map(|event| Notice { webhook_id, prompt_id, audit_id, event }));
            }
        }
        Ok(notices)
    }

    fn fresh_webhook(&self, new: &NewWebhook, caller: &Caller) -> Webhook {
        Webhook {
            webhook_id: self.sources.id(),
            team_id: new.team_id.clone(),
            url: new.url.clone(),
            events: new.events.clone(),
            format: new.format,
            secret: Secret::generate(&self.sources),
            formers: Vec::new(),
            created_by: caller.actor.id.clone(),
            created_at: self.sources.now(),
            disabled_at: None,
            revision: 1,
        }
    }

    async fn webhook_change(&self, webhook: &Webhook, fact: Fact) -> Result<Change> {
        let team = self.team_or_new(&webhook.team_id).await?;
        let mut change = Change::of_team(&team, team.clone(), fact, &self.sources)?;
        change.put_webhook(webhook)?;
        Ok(change)
    }
}

fn missing() -> Error {
    Error::not_found("webhook")
}

/// How the audit describes a webhook: never its secrets, and of its address only the origin.
fn describe(webhook: &Webhook) -> Value {
    json!({
        "webhook_id": webhook.webhook_id, "team_id": webhook.team_id, "origin": webhook.origin(),
        "events": webhook.events, "format": webhook.format, "disabled_at": webhook.disabled_at,
    })
}
