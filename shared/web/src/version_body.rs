//! A version as callers write it: to save it, or to try it.

use domain::{
    Error, VersionId,
    content::{Body, FewShotExample, MessageTemplate, TemplateFormat, Variable},
    version::NewVersion,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A version to be written: a template, or messages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersionBody {
    template_text: Option<String>,
    system_prompt: Option<String>,
    #[schema(value_type = Option<Vec<Object>>)]
    few_shot_examples: Option<Vec<FewShotExample>>,
    /// `{role, content}`, or `{type: "placeholder", name}`.
    #[schema(value_type = Option<Vec<Object>>)]
    messages: Option<Vec<MessageTemplate>>,
    /// `jinja` (default), `mustache` or `plain`.
    #[serde(default)]
    #[schema(value_type = String)]
    template_format: TemplateFormat,
    /// `{name, type, required, default, description}`; derived from the templates when left out.
    #[schema(value_type = Option<Vec<Object>>)]
    variables: Option<Vec<Variable>>,
    /// Left out: the newest version's, else the team's default.
    model_id: Option<String>,
    /// Default 0.7.
    temperature: Option<f64>,
    /// Default 1000.
    #[schema(format = Int64)]
    max_tokens: Option<u32>,
    #[serde(default)]
    #[schema(schema_with = crate::schema::any_object)]
    params: Map<String, Value>,
    #[serde(default)]
    #[schema(schema_with = crate::schema::any_object)]
    config: Map<String, Value>,
    note: Option<String>,
    /// The version that this was written on: refused when it is not the newest any more.
    #[schema(value_type = Option<String>)]
    based_on: Option<VersionId>,
}

/// The longest note, in bytes.
const MAX_NOTE_BYTES: usize = 4096;

impl NewVersionBody {
    /// What it asks for: exactly one of the two kinds of content.
    pub fn new_version(self) -> domain::Result<NewVersion> {
        let body = match (self.template_text, self.messages) {
            (Some(template_text), None) => Body::Text {
                template_text,
                system_prompt: self.system_prompt,
                few_shot_examples: self.few_shot_examples.unwrap_or_default(),
            },
            (None, Some(messages)) if self.system_prompt.is_none() && self.few_shot_examples.is_none() => {
                Body::Messages(messages)
            }
            (None, Some(_)) => {
                let detail = "With `messages`, the system prompt and the examples are messages too.";
                return Err(Error::invalid("/messages", detail));
            }
            _ => {
                let detail = "A version has either `template_text` or `messages`: send one of them.";
                return Err(Error::invalid("/template_text", detail));
            }
        };
        if self.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE_BYTES) {
            return Err(Error::invalid("/note", "A note has at most 4,096 bytes."));
        }
        Ok(NewVersion {
            body,
            template_format: self.template_format,
            variables: self.variables,
            model_id: self.model_id,
            temperature: self.temperature.unwrap_or(0.7),
            max_tokens: self.max_tokens.unwrap_or(1000),
            params: self.params,
            config: self.config,
            note: self.note,
            based_on: self.based_on,
        })
    }
}
