//! Webhooks: who is told of what, where, and how it is signed (Standard Webhooks).

mod event;
mod message;

use std::{collections::BTreeSet, fmt, iter, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub use self::{event::Event, message::Told};
use crate::{
    AuditId, Error, FieldProblem, PromptId, Result, Sources, TeamScope, Timestamp, WebhookId, place::Places,
};

/// How long a replaced secret still signs, so that receivers can change over.
const GRACE: Duration = Duration::from_hours(24);

/// How secrets begin.
const SECRET: &str = "whsec_";

/// The longest address.
const MAX_URL: usize = 2048;

/// How messages are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `{type, timestamp, data}`.
    Json,
    /// `{text}`: a sentence, as Slack's incoming webhooks take it.
    Slack,
}

impl Format {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
        }
    }
}

/// What signs messages: `whsec_` and 32 bytes in base64. Only who makes it sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A fresh one.
    pub fn generate(sources: &Sources) -> Self {
        Self(format!("{SECRET}{}", STANDARD.encode(sources.bytes::<32>())))
    }

    /// The text, for who made it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> Result<String> {
        let key = self.0.strip_prefix(SECRET).and_then(|text| STANDARD.decode(text).ok());
        let key = key.ok_or_else(|| Error::internal("the secret of a webhook is damaged"))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(Error::internal)?;
        mac.update(format!("{id}.{}.{body}", at.as_seconds()).as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The secret.
    pub secret: Secret,
    /// Until when it signs too.
    pub until: Timestamp,
}

/// A receiver of messages about the prompts of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: WebhookId,
    /// Whose prompts it is told of.
    pub team_id: TeamScope,
    /// Where messages are sent.
    pub url: String,
    /// What it is told of.
    pub events: BTreeSet<Event>,
    /// How its messages are shaped.
    pub format: Format,
    /// What signs them.
    pub secret: Secret,
    /// What signed them before the secret was replaced, oldest first.
    pub formers: Vec<Former>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// From when on nothing is sent: somebody deleted it, or its receiver is gone.
    pub disabled_at: Option<Timestamp>,
    /// Counts its changes.
    pub revision: u64,
}

impl Webhook {
    /// Checks what a person chose; all wrong fields are reported together.
    pub fn validate(&self, places: Places<'_>) -> Result<()> {
        let mut problems = Vec::new();
        let mut check = |pointer: &str, wrong: Option<String>| {
            problems.extend(wrong.map(|detail| FieldProblem { pointer: pointer.to_owned(), detail }));
        };
        let long = self.url.len() > MAX_URL;
        check("/url", long.then(|| format!("An address has {MAX_URL} bytes at most.")));
        check("/url", places.check(&self.url).err());
        let none = "A webhook is told of one kind of event at least.";
        check("/events", self.events.is_empty().then(|| none.to_owned()));
        Error::check(problems)
    }

    /// Which of these events it is told of: the first that it asked for, since an entry of the audit is told once.
    pub fn wants(&self, events: &[Event], at: Timestamp) -> Option<Event> {
        let asked = self.disabled_at.is_none() && self.created_at <= at;
        events.iter().copied().find(|event| asked && self.events.contains(event))
    }

    /// The same with another secret; the one before signs too for 24 hours.
    #[must_use]
    pub fn rotated(&self, sources: &Sources) -> Self {
        let now = sources.now();
        let replaced = Former { secret: self.secret.clone(), until: now.plus(GRACE) };
        Self {
            secret: Secret::generate(sources),
            formers: self.formers_at(now).cloned().chain([replaced]).collect(),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// The same, told of nothing any more. What signed is forgotten: no secret is kept that nobody needs.
    #[must_use]
    pub fn disabled(&self, sources: &Sources) -> Self {
        Self {
            secret: Secret::generate(sources),
            formers: Vec::new(),
            disabled_at: Some(sources.now()),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// The signatures of a message, separated by spaces: of each secret that is in use.
    pub fn signatures(&self, id: &str, now: Timestamp, body: &str) -> Result<String> {
        let secrets = iter::once(&self.secret).chain(self.formers_at(now).map(|former| &former.secret));
        Ok(secrets.map(|secret| secret.sign(id, now, body)).collect::<Result<Vec<_>>>()?.join(" "))
    }

    /// The replaced secrets that sign still.
    fn formers_at(&self, now: Timestamp) -> impl Iterator<Item = &Former> {
        self.formers.iter().filter(move |former| now < former.until)
    }

    /// Where messages are sent, without the path: what receivers are reached by is often as good as a key.
    pub fn origin(&self) -> &str {
        let end = self.url.match_indices('/').nth(2).map_or(self.url.len(), |(end, _)| end);
        &self.url[..end]
    }
}

/// What is queued: who is to be told of which entry of a prompt's audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Who.
    pub webhook_id: WebhookId,
    /// Whose audit.
    pub prompt_id: PromptId,
    /// Which entry.
    pub audit_id: AuditId,
    /// What the entry is to this webhook.
    pub event: Event,
}

impl Notice {
    /// The id of the message, the same however often it is queued or sent: receivers know by it what they know already.
    pub fn message_id(&self) -> String {
        format!("{}-{}", self.audit_id, self.webhook_id)
    }
}

#[cfg(test)]
mod tests;
