//! What an assignment sticks to.

use std::time::Duration;

use crate::token::{Assignment, UnitKind};

/// Whoever is served: the user, else the conversation, else the request, else nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// What kind of thing it is.
    pub kind: UnitKind,
    /// How the caller names it; `None` of nobody.
    pub id: Option<String>,
}

/// What a former answer says of its arm.
pub struct Former {
    /// Its place in the trial.
    pub assignment: Assignment,
    /// How long ago it was given.
    pub age: Duration,
}

impl Unit {
    /// Nobody, who is drawn by lot.
    pub const NOBODY: Self = Self { kind: UnitKind::Random, id: None };

    /// The first of user, conversation and request that says anything; blanks say nothing.
    pub fn of(user: Option<String>, conversation: Option<String>, request: Option<String>) -> Self {
        let given =
            [(UnitKind::User, user), (UnitKind::Conversation, conversation), (UnitKind::Request, request)];
        let named =
            given.into_iter().find_map(|(kind, id)| Some((kind, id.filter(|id| !id.trim().is_empty())?)));
        named.map_or(Self::NOBODY, |(kind, id)| Self { kind, id: Some(id) })
    }

    /// A user.
    pub fn user(id: impl Into<String>) -> Self {
        Self::of(Some(id.into()), None, None)
    }

    /// Whether the same one gets the same arm again.
    pub fn is_sticky(&self) -> bool {
        matches!(self.kind, UnitKind::User | UnitKind::Conversation)
    }
}
