//! Tools for versions.

use client::versions::{NewVersion, Version};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Effect, Tool, fields, newest, would};
use crate::{failure::Result, session::Session, which::Which};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    /// How many at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    limit: u8,
}

fn ten() -> u8 {
    10
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    /// Its number or id, `newest`, or an environment where it is live.
    #[serde(default = "newest")]
    version: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    #[schemars(schema_with = "content")]
    version: NewVersion,
    /// Whether to wait up to 25 seconds for its evaluation.
    #[serde(default)]
    wait: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// The prompt: `team/name`, or its id.
    prompt: String,
    /// The older version: its number or id, `newest`, or an environment where it is live.
    from: String,
    /// The newer version.
    to: String,
}

/// What a version says, in the API's own fields.
fn content(_: &mut SchemaGenerator) -> Schema {
    let role = json!({ "enum": ["system", "developer", "user", "assistant", "tool"] });
    json_schema!({
        "type": "object",
        "description": "Either `template_text` or `messages`.",
        "properties": {
            "template_text": { "type": "string" },
            "system_prompt": { "type": "string" },
            "few_shot_examples": { "type": "array", "items": {
                "type": "object",
                "properties": { "input": { "type": "string" }, "output": { "type": "string" } },
                "required": ["input", "output"],
            } },
            "messages": { "type": "array", "items": { "anyOf": [
                {
                    "type": "object",
                    "properties": { "role": role, "content": { "type": "string" } },
                    "required": ["role", "content"],
                },
                {
                    "type": "object",
                    "description": "A place for a list of messages, from the JSON variable of this name.",
                    "properties": { "type": { "const": "placeholder" }, "name": { "type": "string" } },
                    "required": ["type", "name"],
                },
            ] } },
            "template_format": { "enum": ["jinja", "mustache", "plain"], "default": "jinja" },
            "variables": { "type": "array", "description": "Left out: found in the templates.", "items": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "type": { "enum": ["string", "number", "json"], "default": "string" },
                    "required": { "type": "boolean", "default": true },
                    "default": {},
                    "description": { "type": "string" },
                },
                "required": ["name"],
            } },
            "model_id": { "type": "string", "description": "Left out: the newest version's." },
            "temperature": { "type": "number", "default": 0.7 },
            "max_tokens": { "type": "integer", "minimum": 1, "default": 1000 },
            "params": { "type": "object", "description": "Further parameters of the model." },
            "config": { "type": "object", "description": "The team's own settings." },
            "note": { "type": "string", "description": "Why it is written." },
            "based_on": {
                "type": "string",
                "description": "The id of the version that it was written on: refused when there is a newer one.",
            },
        },
        "additionalProperties": false,
    })
}

impl Tool for List {
    const NAME: &'static str = "list_versions";
    const TITLE: &'static str = "List versions";
    const ABOUT: &'static str = "Lists the versions of a prompt, newest first, with how each was evaluated and where \
        it was live, but without what it says.";
    const EFFECT: Effect = Effect::Reads;

    async fn run(self, session: &Session) -> Result<Value> {
        let page = session.client.versions(&session.address(&self.prompt), self.limit.into()).await?;
        let versions: Vec<_> = page.data.iter().map(standing).collect();
        Ok(json!({ "versions": versions, "more": page.next_cursor.is_some() }))
    }
}

/// Where a version stands.
fn standing(version: &Version) -> Value {
    json!({
        "version_id": version.version_id,
        "version_number": version.version_number,
        "eval_status": version.eval_status,
        "eval_score": version.eval_score,
        "eval_run_id": version.eval_run_id,
        "model_id": version.model_id,
        "note": version.note,
        "created_by": version.created_by,
        "created_at": version.created_at,
        "been_live": version.been_live,
    })
}

impl Tool for Show {
    const NAME: &'static str = "show_version";
    const TITLE: &'static str = "Show a version";
    const ABOUT: &'static str =
        "Shows a version of a prompt: its templates, variables, model and evaluation.";
    const EFFECT: Effect = Effect::Reads;

    async fn run(self, session: &Session) -> Result<Value> {
        let prompt = session.prompt(&self.prompt).await?;
        fields(&session.version(&prompt, &Which::of(&self.version)).await?)
    }
}

impl Tool for Create {
    const NAME: &'static str = "create_version";
    const TITLE: &'static str = "Write a version";
    const ABOUT: &'static str = "Writes a new version of a prompt, which is then evaluated by itself. It is live \
        nowhere until it is promoted.";
    const EFFECT: Effect = Effect::Adds;

    async fn run(self, session: &Session) -> Result<Value> {
        let address = session.address(&self.prompt);
        if session.dry_run {
            return Ok(would(&format!("write a version of {address}")));
        }
        let wait = if self.wait { 25 } else { 0 };
        fields(&session.client.create_version(&address, &self.version, wait).await?)
    }
}

impl Tool for Diff {
    const NAME: &'static str = "diff_versions";
    const TITLE: &'static str = "Compare versions";
    const ABOUT: &'static str =
        "Compares two versions of a prompt: settings that changed, and texts word by word.";
    const EFFECT: Effect = Effect::Reads;

    async fn run(self, session: &Session) -> Result<Value> {
        let prompt = session.prompt(&self.prompt).await?;
        let from = session.version_id(&prompt, &Which::of(&self.from)).await?.to_string();
        let to = session.version_id(&prompt, &Which::of(&self.to)).await?.to_string();
        fields(&session.client.diff(&prompt.prompt_id.to_string(), &from, &to).await?)
    }
}
