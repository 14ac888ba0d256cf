//! The tool that changes what users get.

use client::moves::Promotion;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Effect, Tool, fields, would};
use crate::{
    commands::moves::{describe, live},
    failure::Result,
    session::Session,
    which::Which,
};

const HOW: &str = "Nothing was done yet. Tell your user what would be done; if they agree, call this again with \
    `confirm` as it stands here.";

/// A promotion. There is no override: who passes by the gate does it without an assistant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    /// Its number or id, `newest`, or an environment where it is live.
    version: String,
    /// Where; `production` has to be confirmed.
    #[serde(default = "production")]
    environment: String,
    /// Why, for the history.
    reason: Option<String>,
    /// What a call without it answered, once the user has agreed.
    confirm: Option<String>,
}

fn production() -> String {
    domain::PRODUCTION.to_owned()
}

impl Tool for Promote {
    const NAME: &'static str = "promote_version";
    const TITLE: &'static str = "Promote a version";
    const ABOUT: &'static str = "Makes a version of a prompt live in an environment, in place of what is live there. \
        For production the first call does nothing: it answers what would be done, and what to confirm.";
    const EFFECT: Effect = Effect::Replaces;

    async fn run(self, session: &Session) -> Result<Value> {
        let prompt = session.prompt(&self.prompt).await?;
        let version = session.version(&prompt, &Which::of(&self.version)).await?;
        let live = live(session, &prompt, &self.environment).await?;
        let deed = describe(&prompt, &version, &self.environment, live.as_ref());
        if session.dry_run {
            return Ok(would(&deed));
        }
        let seen = live.map(|live| live.moved_revision);
        // It names what was shown, so that nobody agrees to one thing and gets another.
        let confirm = format!("{} over {}", version.version_id, seen.unwrap_or_default());
        if session.asks_in(&self.environment) && self.confirm.as_ref() != Some(&confirm) {
            return Ok(json!({ "done": false, "would": deed, "confirm": confirm, "how": HOW }));
        }
        let promotion = Promotion {
            version_id: version.version_id,
            environment: self.environment,
            expected_revision: seen,
            reason: self.reason,
            overriding: None,
        };
        let promoted = session.client.promote(&prompt.prompt_id.to_string(), &promotion).await?;
        Ok(json!({ "done": true, "promoted": fields(&promoted)? }))
    }
}
