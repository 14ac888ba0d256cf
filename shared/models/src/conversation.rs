//! A call in the terms of providers that keep instructions apart from the conversation.
//!
//! A version says its parameters by `OpenAI`'s names; here they get the names that the others share. A parameter that
//! is `null` is left out, so that a version can do without a temperature where a model takes none.

use domain::content::{ChatMessage, Role};
use serde_json::{Map, Value, json};

use crate::{CallError, Request};

/// Instructions and turns. Instructions that stand between turns come first, for there is no other place for them.
pub(crate) struct Conversation<'a> {
    pub(crate) instructions: Vec<&'a str>,
    pub(crate) turns: Vec<&'a ChatMessage>,
}

impl<'a> Conversation<'a> {
    pub(crate) fn of(messages: &'a [ChatMessage]) -> Result<Self, CallError> {
        let mut conversation = Self { instructions: Vec::new(), turns: Vec::new() };
        for message in messages {
            match message.role {
                Role::System | Role::Developer => conversation.instructions.push(&message.content),
                Role::User | Role::Assistant => conversation.turns.push(message),
                Role::Tool => {
                    return Err(CallError::misconfigured(
                        "a message of the role `tool` names no call that it answers; only `openai` takes it",
                    ));
                }
            }
        }
        Ok(conversation)
    }
}

/// The parameters of a call: `max_tokens`, `temperature` and what else the version says.
pub(crate) fn parameters(request: &Request<'_>) -> Map<String, Value> {
    let mut parameters = request.params.clone();
    // The answer comes in one piece, whatever the version says.
    parameters.remove("stream");
    parameters.remove("stream_options");
    if let Some(stop) = parameters.remove("stop") {
        let stop = if stop.is_string() { json!([stop]) } else { stop };
        parameters.entry("stop_sequences").or_insert(stop);
    }
    if let Some(most) = parameters.remove("max_completion_tokens") {
        parameters.insert("max_tokens".to_owned(), most);
    }
    parameters.entry("max_tokens").or_insert_with(|| json!(request.max_tokens));
    parameters.entry("temperature").or_insert_with(|| json!(request.temperature));
    parameters.retain(|_, value| !value.is_null());
    parameters
}

/// Refuses parameters that the provider has no place for: dropped, they would make the answer another one in silence.
pub(crate) fn refuse<'a>(provider: &str, names: impl Iterator<Item = &'a String>) -> Result<(), CallError> {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    Err(CallError::misconfigured(format!(
        "{provider} does not know the version's parameters {names}; leave them out of `params`"
    )))
}
