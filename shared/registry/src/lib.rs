//! Use cases that change no ref: prompts, versions, test sets, evaluations, keys, models, teams, metrics, audit, and
//! reading experiments and canaries.
//!
//! A use case takes an [`Act`] (who does it, and under which idempotency key), checks what the caller may, reads,
//! builds one [`store::Change`] and settles it: a change that meets another one is read and built anew.

pub mod audit;
pub mod budget;
mod cursor;
mod erasing;
pub mod evaluation;
pub mod experiment;
pub mod explain;
pub mod judging;
pub mod key;
pub mod metric;
pub mod model;
mod observing;
pub mod overview;
pub mod prompt;
pub mod rollout;
pub mod settle;
pub mod team;
pub mod test_set;
pub mod trial;
pub mod version;
pub mod webhook;

use std::sync::Arc;

use cache::{Cache, Remote};
use domain::Sources;
use models::Models;
use store::Store;
pub use store::{Act, Made};

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

impl Registry {
    /// The use cases of a process, over a memory of its own and the cache of all, where there is one.
    pub fn new(store: Store, remote: Option<Remote>, sources: Sources, models: Models) -> Self {
        let cache = Arc::new(Cache::new(store.clone(), remote, sources.clone()));
        Self { store, cache, sources, models: Arc::new(models) }
    }
}
