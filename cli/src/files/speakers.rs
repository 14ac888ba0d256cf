//! Turns of a conversation as other forms write them: one text, in which markers say who speaks from there on.

use client::versions::NewVersion;
use domain::content::{ChatMessage, MessageTemplate, Placeholder, PlaceholderTag, Role};

/// A part of the text.
pub(super) enum Turn {
    /// Somebody speaks.
    Says(Role, String),
    /// The caller's messages come here.
    Placeholder(String),
}

/// The role that a form's word stands for.
pub(super) fn role(word: &str) -> Option<Role> {
    Some(match word.to_ascii_lowercase().as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" | "model" => Role::Assistant,
        "tool" => Role::Tool,
        _ => return None,
    })
}

/// Puts turns into a version: a user's text alone is a template, anything more is messages.
pub(super) fn put(says: &mut NewVersion, turns: Vec<Turn>) {
    let said = |turn: &Turn| !matches!(turn, Turn::Says(_, text) if text.trim().is_empty());
    let mut turns: Vec<Turn> = turns.into_iter().filter(said).collect();
    if turns.is_empty() {
        says.template_text = Some(String::new());
        return;
    }
    if let [Turn::Says(Role::User, text)] = turns.as_mut_slice() {
        says.template_text = Some(std::mem::take(text));
        return;
    }
    let message = |turn| match turn {
        Turn::Says(role, text) => MessageTemplate::Message(ChatMessage::new(role, text.trim().to_owned())),
        Turn::Placeholder(name) => {
            MessageTemplate::Placeholder(Placeholder { tag: PlaceholderTag::Placeholder, name })
        }
    };
    says.messages = Some(turns.into_iter().map(message).collect());
}
