//! What changed between two versions' content: fields as values, texts line by line and word by word.
//!
//! The difference is empty exactly where the contents are equal, and the same on every machine and run.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, value::to_raw_value};

pub use self::text::{Hunk, Level, Line, Piece, Tag, TextChange};
use crate::content::{Body, Content, FewShotExample, Literal, MessageTemplate};

/// All that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// Parameters that changed, in a fixed order.
    pub fields: Vec<FieldChange>,
    /// Texts that changed: `system_prompt`, `template_text`, `messages`.
    pub text: Vec<TextChange>,
}

/// A parameter that changed. Numbers are as they were written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field; members of `params` and `config` are named by themselves: `params.top_p`.
    pub field: String,
    /// Before; left out where the field was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Literal>,
    /// After; left out where the field is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Literal>,
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.text.is_empty()
    }
}

/// Compares two contents.
pub fn diff(from: &Content, to: &Content) -> Diff {
    let mut diff = Diff { fields: Vec::new(), text: Vec::new() };
    diff.field("model_id", Some(&from.model_id), Some(&to.model_id));
    diff.field("temperature", Some(from.temperature), Some(to.temperature));
    diff.field("max_tokens", Some(from.max_tokens), Some(to.max_tokens));
    diff.field("template_format", Some(from.template_format), Some(to.template_format));
    diff.field("variables", Some(&from.variables), Some(&to.variables));
    diff.members("params", &from.params, &to.params);
    diff.members("config", &from.config, &to.config);
    let (before, after) = (Texts::of(from), Texts::of(to));
    diff.field("few_shot_examples", before.examples, after.examples);
    diff.text("system_prompt", before.system_prompt, after.system_prompt);
    diff.text("template_text", before.template_text, after.template_text);
    let transcripts = [before.messages, after.messages].map(|messages| messages.map(transcript));
    let [said_before, said_after] = &transcripts;
    if said_before == said_after {
        diff.field("messages", before.messages, after.messages);
    } else {
        diff.text("messages", said_before.as_deref(), said_after.as_deref());
    }
    diff
}

impl Diff {
    fn field<T: PartialEq + Serialize>(&mut self, field: &str, from: Option<T>, to: Option<T>) {
        if from == to {
            return;
        }
        // Content came from JSON, so it goes back to JSON.
        let literal = |value: Option<T>| value.and_then(|value| to_raw_value(&value).ok()).map(Literal);
        self.fields.push(FieldChange { field: field.to_owned(), from: literal(from), to: literal(to) });
    }

    fn members(&mut self, field: &str, from: &Map<String, Value>, to: &Map<String, Value>) {
        let names: BTreeSet<_> = from.keys().chain(to.keys()).collect();
        for name in names {
            self.field(&format!("{field}.{name}"), from.get(name), to.get(name));
        }
    }

    /// An empty text that appears or goes leaves no line to show, so it is a change of the field.
    fn text(&mut self, field: &'static str, from: Option<&str>, to: Option<&str>) {
        match (from.unwrap_or_default(), to.unwrap_or_default()) {
            (before, after) if before == after => self.field(field, from, to),
            (before, after) => self.text.push(TextChange::between(field, before, after)),
        }
    }
}

/// The texts of a body; none where the body has the other shape.
#[derive(Default)]
struct Texts<'c> {
    system_prompt: Option<&'c str>,
    template_text: Option<&'c str>,
    examples: Option<&'c [FewShotExample]>,
    messages: Option<&'c [MessageTemplate]>,
}

impl<'c> Texts<'c> {
    fn of(content: &'c Content) -> Self {
        match &content.body {
            Body::Text { template_text, system_prompt, few_shot_examples } => Self {
                system_prompt: system_prompt.as_deref(),
                template_text: Some(template_text),
                examples: Some(few_shot_examples),
                messages: None,
            },
            Body::Messages(messages) => Self { messages: Some(messages), ..Self::default() },
        }
    }
}

/// Messages as one text: each begins with its role in brackets, on a line of its own.
fn transcript(messages: &[MessageTemplate]) -> String {
    let mut text = String::new();
    for message in messages {
        match message {
            MessageTemplate::Message(message) => {
                text.extend(["[", message.role.as_str(), "]\n", &message.content, "\n"]);
            }
            MessageTemplate::Placeholder(placeholder) => {
                text.extend(["[placeholder ", &placeholder.name, "]\n"]);
            }
        }
    }
    text
}
