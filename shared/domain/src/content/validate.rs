//! The limits and rules of content that do not need its templates to be parsed.

use std::collections::HashSet;

use super::{Body, Content, FewShotExample, MessageTemplate, TemplateFormat, Variable, VariableType};
use crate::{Error, FieldProblem, Result, template};

const MAX_TEMPLATE: usize = 100 << 10;
const MAX_SYSTEM_PROMPT: usize = 100 << 10;
const MAX_EXAMPLES: usize = 200;
const MAX_EXAMPLES_BYTES: usize = 150 << 10;
const MAX_CONTENT: usize = 350 << 10;
const MAX_VARIABLES: usize = 100;
const MAX_NAME: usize = 200;
const MAX_TOKENS: u32 = 1_000_000;

impl Content {
    /// Checks every limit and rule, and reports all problems together, at the fields of the request's body.
    ///
    /// Sizes are bytes of UTF-8. What templates say is checked by [`Content::with_variables`].
    pub fn validate(&self) -> Result<()> {
        let mut found = Problems(Vec::new());
        match &self.body {
            Body::Text { template_text, system_prompt, few_shot_examples } => {
                found.size("/template_text", template_text.len(), MAX_TEMPLATE);
                found.size(
                    "/system_prompt",
                    system_prompt.as_ref().map_or(0, String::len),
                    MAX_SYSTEM_PROMPT,
                );
                check_examples(few_shot_examples, &mut found);
            }
            Body::Messages(messages) => self.check_messages(messages, &mut found),
        }
        self.check_variables(&mut found);
        self.check_model(&mut found);
        found.size("", self.to_json().to_string().len(), MAX_CONTENT);
        Error::check(found.0)
    }
}

impl Content {
    fn check_messages(&self, messages: &[MessageTemplate], found: &mut Problems) {
        if messages.is_empty() {
            found.add("/messages", "There must be at least one message.");
        }
        let mut bytes = 0;
        for (index, message) in messages.iter().enumerate() {
            match message {
                MessageTemplate::Message(message) => bytes += message.content.len(),
                MessageTemplate::Placeholder(placeholder) => {
                    let name = &placeholder.name;
                    let is_json =
                        |variable: &Variable| variable.name == *name && variable.kind == VariableType::Json;
                    if !self.variables.iter().any(is_json) {
                        let detail =
                            format!("A placeholder needs a variable of type `json`; `{name}` is none.");
                        found.add(format!("/messages/{index}/name"), detail);
                    }
                }
            }
        }
        found.size("/messages", bytes, MAX_TEMPLATE);
    }

    fn check_variables(&self, found: &mut Problems) {
        let count = self.variables.len();
        if count > MAX_VARIABLES {
            found.add("/variables", format!("There may be {MAX_VARIABLES} variables, not {count}."));
        }
        let mut names = HashSet::new();
        for (index, variable) in self.variables.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            if let Some(rule) = self.name_breaks(&variable.name) {
                found.add(format!("{pointer}/name"), rule);
            } else if !names.insert(&variable.name) {
                found.add(format!("{pointer}/name"), format!("`{}` is declared twice.", variable.name));
            }
            let default =
                variable.default.as_ref().map(|default| template::check_value(variable.kind, default));
            if let Some(Err(detail)) = default {
                found.add(format!("{pointer}/default"), format!("The default {detail}."));
            }
        }
    }

    /// The rule that a variable's name breaks.
    fn name_breaks(&self, name: &str) -> Option<String> {
        let is_jinja = self.template_format == TemplateFormat::Jinja;
        let is_name = template::is_mustache_name(name) && name.len() <= MAX_NAME;
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || (is_jinja && !is_plain) {
            let further = if is_jinja { "" } else { ", `-`, `.`" };
            return Some(format!(
                "A name begins with a letter or `_` and goes on with letters, digits, `_`{further}."
            ));
        }
        let is_reserved = is_jinja && template::RESERVED_NAMES.contains(&name);
        is_reserved.then(|| format!("`{name}` means something else in Jinja: choose another name."))
    }

    fn check_model(&self, found: &mut Problems) {
        let length = self.model_id.chars().count();
        if !(1..=MAX_NAME).contains(&length) || self.model_id.contains(char::is_control) {
            found.add("/model_id", format!("A model id has 1 to {MAX_NAME} printable characters."));
        }
        if !(0.0..=2.0).contains(&self.temperature) {
            found.add("/temperature", "The temperature must be between 0 and 2.");
        }
        if !(1..=MAX_TOKENS).contains(&self.max_tokens) {
            found.add("/max_tokens", format!("`max_tokens` must be between 1 and {MAX_TOKENS}."));
        }
    }
}

fn check_examples(examples: &[FewShotExample], found: &mut Problems) {
    let count = examples.len();
    if count > MAX_EXAMPLES {
        found.add("/few_shot_examples", format!("There may be {MAX_EXAMPLES} examples, not {count}."));
    }
    let bytes = examples.iter().map(|example| example.input.len() + example.output.len()).sum();
    found.size("/few_shot_examples", bytes, MAX_EXAMPLES_BYTES);
}

struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldProblem { pointer: pointer.into(), detail: detail.into() });
    }

    fn size(&mut self, pointer: &str, bytes: usize, most: usize) {
        if bytes > most {
            let what = if pointer.is_empty() { "The whole content" } else { "This" };
            self.add(pointer, format!("{what} has {bytes} bytes; there may be {most} ({} KiB).", most >> 10));
        }
    }
}
