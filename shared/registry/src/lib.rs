//! Use cases that change no ref: prompts, versions, test sets, evaluations, keys, models, teams, audit.
//!
//! A use case takes an [`Act`] (who does it, and under which idempotency key), checks what the caller may, reads,
//! builds one [`store::Change`] and settles it: a change that meets another one is read and built anew.

pub mod audit;
pub mod evaluation;
pub mod key;
pub mod model;
pub mod prompt;
pub mod settle;
pub mod team;
pub mod test_set;
pub mod trial;
pub mod version;

use std::sync::Arc;

use cache::Cache;
use domain::{Caller, Sources};
use models::Models;
use store::{IdempotencyMark, Store};

/// The use cases, over what they need.
#[derive(Clone)]
pub struct Registry {
    /// The tables and the bucket.
    pub store: Store,
    /// The memory of this process.
    pub cache: Arc<Cache>,
    /// Time, ids and randomness.
    pub sources: Sources,
    /// The providers.
    pub models: Arc<Models>,
}

/// Somebody doing something.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who.
    pub caller: Caller,
    /// The idempotency key under which it happens at most once.
    pub once: Option<IdempotencyMark>,
}

impl Act {
    /// Something done without an idempotency key.
    pub fn by(caller: Caller) -> Self {
        Self { caller, once: None }
    }
}

/// What was made, now or the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct Made<T> {
    /// The thing.
    pub value: T,
    /// Whether the idempotency key had made it before.
    pub replayed: bool,
}
