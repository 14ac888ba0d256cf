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
    value::Value,
    variable::{Slot, read_inputs},
};
use crate::{
    Result,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
            Body::Text { few_shot_examples, .. } => few_shot_examples.clone(),
            Body::Messages(_) => Vec::new(),
        };
        let numbers = slots.iter().enumerate().map(|(number, slot)| (slot.name.clone(), number)).collect();
        Ok(Self { texts, few_shot_examples, slots, numbers })
    }

    /// Renders with these values.
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid): required variables are missing (all are named) or values have a wrong
    /// type. [`NotRendered`](crate::ErrorKind::NotRendered): a template fails with these values, or does more than
    /// one render may: about a million steps, or 1 MiB of text.
    pub fn render(&self, values: &Values) -> Result<Rendered> {
        let inputs = read_inputs(&self.slots, values)?;
        let mut budget = Budget::new();
        let mut rendered = match &self.texts {
            Texts::Single { system_prompt, text } => {
                let prompt = system_prompt.as_ref().map(|prompt| prompt.render(&inputs, &mut budget));
                self.single(prompt.transpose()?, text.render(&inputs, &mut budget)?)
            }
            Texts::Messages(messages) => self.conversation(messages, &inputs, values, &mut budget)?,
        };
        let ignored = values.names().filter(|name| !self.numbers.contains_key(*name));
        rendered.ignored_variables = ignored.cloned().collect();
        Ok(rendered)
    }

    fn single(&self, system_prompt: Option<String>, text: String) -> Rendered {
        let mut messages = Vec::with_capacity(2 + 2 * self.few_shot_examples.len());
        messages.extend(system_prompt.clone().map(|prompt| ChatMessage::new(Role::System, prompt)));
        for example in &self.few_shot_examples {
            messages.push(ChatMessage::new(Role::User, example.input.clone()));
            messages.push(ChatMessage::new(Role::Assistant, example.output.clone()));
        }
        messages.push(ChatMessage::new(Role::User, text.clone()));
        Rendered { text: Some(text), system_prompt, messages, ..Rendered::default() }
    }

    fn conversation(
        &self,
        templates: &[Message],
        inputs: &[Value],
        values: &Values,
        budget: &mut Budget,
    ) -> Result<Rendered> {
        let mut messages = Vec::with_capacity(templates.len());
        for template in templates {
            match template {
                Message::Template(role, text) => {
                    messages.push(ChatMessage::new(*role, text.render(inputs, budget)?));
                }
                Message::Placeholder(number) => {
                    messages.extend(self.slots[*number].messages(values, budget)?);
                }
            }
        }
        Ok(Rendered { messages, ..Rendered::default() })
    }
}
