//! What a version says: template or messages, parameters, and the variables it takes. Immutable once stored.

mod hash;
#[cfg(test)]
mod tests;
mod validate;
mod variables;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

/// Who speaks a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, as newer models name them.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's answer.
    Tool,
}

impl Role {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One rendered message, as chat models take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The text.
    pub content: String,
}

impl ChatMessage {
    /// A message.
    pub fn new(role: Role, content: String) -> Self {
        Self { role, content }
    }
}

/// One element of a `messages` prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MessageTemplate {
    /// A message whose content is a template.
    Message(ChatMessage),
    /// A place that takes a list of messages from the `json` variable of this name.
    Placeholder(Placeholder),
}

/// A place for messages of the caller: `{"type": "placeholder", "name": "history"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// Always `placeholder`.
    #[serde(rename = "type")]
    pub tag: PlaceholderTag,
    /// The variable's name.
    pub name: String,
}

/// The one value of [`Placeholder::tag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceholderTag {
    /// `placeholder`.
    Placeholder,
}

/// The text of a prompt, in one of its two shapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// One template; the system prompt and few-shot examples stand beside it.
    Text {
        /// The template of the user's message.
        template_text: String,
        /// The template of the system message.
        system_prompt: Option<String>,
        /// Literal pairs, shown as earlier turns.
        few_shot_examples: Vec<FewShotExample>,
    },
    /// A whole conversation.
    Messages(Vec<MessageTemplate>),
}

/// A literal example: never a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FewShotExample {
    /// What the user says.
    pub input: String,
    /// What the model should answer.
    pub output: String,
}

/// How templates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateFormat {
    /// Jinja: expressions, conditions, loops; nothing is loaded, everything is bounded.
    #[default]
    Jinja,
    /// `{{name}}` is replaced, and nothing else.
    Mustache,
    /// Nothing is rendered: the text is the text.
    Plain,
}

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableType {
    /// Text.
    #[default]
    String,
    /// A number, printed as it was written.
    Number,
    /// Any JSON, inserted compactly; templates may look inside.
    Json,
}

/// A JSON value kept exactly as it was written: `1.50` stays `1.50`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Literal(pub Box<RawValue>);

impl Literal {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

/// A declared variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name in the template.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type", default)]
    pub kind: VariableType,
    /// Whether a caller must give it (when there is no default).
    #[serde(default = "required_by_default")]
    pub required: bool,
    /// What stands in when the caller gives nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Literal>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn required_by_default() -> bool {
    true
}

/// All that the content hash covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The text.
    pub body: Body,
    /// How its templates are written.
    pub template_format: TemplateFormat,
    /// The variables that the templates take, in the order declared or first used.
    pub variables: Vec<Variable>,
    /// The model that it was written for.
    pub model_id: String,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens that the model may answer with.
    pub max_tokens: u32,
    /// Further parameters of the model: `top_p`, `stop`, `tools`, …
    pub params: Map<String, Value>,
    /// The caller's own settings; kept and returned.
    pub config: Map<String, Value>,
}
