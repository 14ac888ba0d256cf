//! Rendering: a version's content is compiled once, then rendered with each caller's values.
//!
//! Values are never templates. A `string` prints as it is, a `number` as it was written, `json` as compact JSON.
//! An optional variable without default and value is *absent*: it prints nothing, is false, holds no items, and is
//! not `defined`, so that Jinja's `default` fills it. A declared variable that no template uses is no error, also in
//! plain text, which uses none.

mod budget;
mod jinja;
mod json;
mod mustache;
mod names;
mod number;
mod parse;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod variable;

use std::collections::HashMap;

pub(crate) use jinja::RESERVED_NAMES;
pub(crate) use mustache::is_name as is_mustache_name;
pub(crate) use parse::derive;
pub use values::{MAX_VALUES, Values};
pub(crate) use variable::check as check_value;

use self::{
    budget::Budget,
    names::Names,
    parse::{Message, Texts},
    variable::{Slot, read_inputs},
};
use crate::{
    Error, Result,
    content::{Body, ChatMessage, Content, FewShotExample, Role},
};

/// A mistake in a template: the byte where it stands and the sentence that a person reads.
#[derive(Debug)]
struct Fault {
    at: usize,
    detail: String,
}

/// Compiled content: share it behind an `Arc`.
#[derive(Debug)]
pub struct Compiled {
    texts: Texts,
    few_shot_examples: Vec<FewShotExample>,
    slots: Vec<Slot>,
    numbers: HashMap<String, usize>,
}

/// What a render gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The rendered template; `None` for a `messages` prompt.
    pub text: Option<String>,
    /// The rendered system prompt.
    pub system_prompt: Option<String>,
    /// The whole conversation: system, few-shot pairs and text; or the `messages` with their placeholders filled.
    pub messages: Vec<ChatMessage>,
    /// Names that the caller gave and the prompt does not declare.
    pub ignored_variables: Vec<String>,
}

impl Compiled {
    /// Compiles all templates of the content.
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with a pointer, a line and a column for each problem: a template does
    /// not parse or loads another, or uses a variable that is not declared; or a default does not fit its type.
    pub fn new(content: &Content) -> Result<Self> {
        let mut names = Names::declared(content.variables.iter().map(|variable| variable.name.as_str()));
        let (texts, uses) = parse::parse(content, &mut names)?;
        parse::check_declared(&uses, &names, content.variables.len())?;
        let slots = variable::slots(&content.variables, &uses)?;
        let few_shot_examples = match &content.body {
            Body::Text {
                few_shot_examples, ..
            } => few_shot_examples.clone(),
            Body::Messages(_) => Vec::new(),
        };
        let numbers = slots
            .iter()
            .enumerate()
            .map(|(number, slot)| (slot.name.clone(), number))
            .collect();
        Ok(Self {
            texts,
            few_shot_examples,
            slots,
            numbers,
        })
    }

    /// Renders with these values.
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid): required variables are missing (all are named) or values have a wrong
    /// type. [`NotRendered`](crate::ErrorKind::NotRendered): a template fails with these values, or does more than
    /// one render may: about a million steps, or 1 MiB of text.
    pub fn render(&self, values: &Values) -> Result<Rendered> {
        let inputs = read_inputs(&self.slots, values)?;
        let mut budget = Budget::new();
        let ignored_variables = values.names().filter(|name| !self.numbers.contains_key(*name));
        let mut rendered = Rendered {
            text: None,
            system_prompt: None,
            messages: Vec::new(),
            ignored_variables: ignored_variables.cloned().collect(),
        };
        match &self.texts {
            Texts::Single { system_prompt, text } => {
                if let Some(template) = system_prompt {
                    let prompt = template.render(&inputs, &mut budget)?;
                    rendered.messages.push(ChatMessage {
                        role: Role::System,
                        content: prompt.clone(),
                    });
                    rendered.system_prompt = Some(prompt);
                }
                rendered
                    .messages
                    .extend(self.few_shot_examples.iter().flat_map(|example| {
                        [
                            ChatMessage {
                                role: Role::User,
                                content: example.input.clone(),
                            },
                            ChatMessage {
                                role: Role::Assistant,
                                content: example.output.clone(),
                            },
                        ]
                    }));
                let text = text.render(&inputs, &mut budget)?;
                rendered.messages.push(ChatMessage {
                    role: Role::User,
                    content: text.clone(),
                });
                rendered.text = Some(text);
            }
            Texts::Messages(messages) => {
                for message in messages {
                    match message {
                        Message::Template(role, template) => {
                            let content = template.render(&inputs, &mut budget)?;
                            rendered.messages.push(ChatMessage { role: *role, content });
                        }
                        Message::Placeholder(number) => {
                            let given = self.slots[*number].messages(values)?;
                            for message in &given {
                                budget
                                    .printed(&message.content)
                                    .map_err(|detail| Error::new(crate::ErrorKind::NotRendered, detail))?;
                            }
                            rendered.messages.extend(given);
                        }
                    }
                }
            }
        }
        Ok(rendered)
    }
}
