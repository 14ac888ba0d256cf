//! How many resolves this process serves, by version, environment and hour: what the metrics show as `resolves`.
//!
//! They are counted in memory. Nothing is written after an answer, for a frozen process does nothing: when the first
//! that is not written is a minute old, the next request writes them beside its own work, and waits for that 50 ms
//! at most. What is not known to be written then is tried again a minute later under the same ids, which count
//! once. Who dies loses what it served in its last minute, or before it fell idle; and while the table takes
//! nothing for hours, the oldest are dropped, with a warning.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cache::Live;
use domain::{Sources, VersionId, metric::Message};
use store::Store;
use tokio::{join, time::timeout};

use crate::unwritten::Unwritten;

/// How long a request waits at most for the counts that it writes.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a resolve is counted for: the version that served, where the ref stands.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) live: Arc<Live>,
    pub(crate) version_id: VersionId,
}

/// The counts of a process.
pub(crate) struct Counts {
    store: Store,
    sources: Sources,
    unwritten: Mutex<Unwritten>,
}

impl Counts {
    pub(crate) fn new(store: Store, sources: Sources) -> Self {
        Self { store, sources, unwritten: Mutex::default() }
    }

    /// Counts a resolve that is answered now.
    pub(crate) fn count(&self, served: &Subject) {
        self.unwritten().count(&served.live.reference, served.version_id, &self.sources);
    }

    /// Does the work of a request, and meanwhile writes what former ones have left, where it is time for that.
    pub(crate) async fn beside<T>(&self, work: Pin<&mut impl Future<Output = T>>) -> T {
        let due = self.unwritten().due(&self.sources);
        let write = async {
            if !due.is_empty() {
                // Boxed, or every request would have room for it.
                Box::pin(self.write(due)).await;
            }
        };
        join!(write, work).1
    }

    async fn write(&self, messages: Vec<Message>) {
        match timeout(PATIENCE, self.store.apply(&messages, &self.sources)).await {
            Ok(applied) => self.unwritten().settle(&messages, &applied.outcomes),
            Err(late) => tracing::warn!(error = %late, "counts of resolves may not be written yet"),
        }
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
