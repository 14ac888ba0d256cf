//! What callers report: it waits in memory and is sent in batches, and nobody ever waits for it.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};

use crate::{
    Client, Error, Result,
    metrics::{Batch, Event},
};

/// The most events of a batch.
const BATCH: usize = 500;

/// What became of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that the platform took.
    pub accepted: u64,
    /// Those that it will not count.
    pub rejected: u64,
    /// Those that were dropped because too many waited.
    pub dropped: u64,
}

/// The reports that wait.
pub(super) struct Reports {
    waiting: Sender<Event>,
    outbox: Mutex<Outbox>,
    accepted: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
}

struct Outbox {
    waiting: Receiver<Event>,
    /// Of this batch it is not known whether it was taken: sent again under its id, it counts once.
    unsent: Option<Batch>,
}

impl Reports {
    /// None yet, and never more than so many.
    pub(super) fn new(most: usize) -> Self {
        let (sender, receiver) = mpsc::channel(most.max(1));
        Self {
            waiting: sender,
            outbox: Mutex::new(Outbox { waiting: receiver, unsent: None }),
            accepted: AtomicU64::default(),
            rejected: AtomicU64::default(),
            dropped: AtomicU64::default(),
        }
    }

    /// Adds an event, or drops it where there is no room.
    pub(super) fn add(&self, event: Event) {
        if self.waiting.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends all that waits. What the platform does not take now waits on.
    pub(super) async fn send(&self, client: &Client) -> Result<()> {
        let mut outbox = self.outbox.lock().await;
        loop {
            let Some(batch) = outbox.next(client) else { return Ok(()) };
            let (accepted, rejected) = match client.report(batch).await {
                Ok(taken) => (taken.accepted, taken.rejected.len()),
                Err(error) if is_refused_for_ever(&error) => (0, batch.events.len()),
                Err(error) => return Err(error),
            };
            self.accepted.fetch_add(accepted as u64, Ordering::Relaxed);
            self.rejected.fetch_add(rejected as u64, Ordering::Relaxed);
            outbox.unsent = None;
        }
    }

    /// What became of reports so far.
    pub(super) fn counts(&self) -> Counts {
        let [accepted, rejected, dropped] =
            [&self.accepted, &self.rejected, &self.dropped].map(|count| count.load(Ordering::Relaxed));
        Counts { accepted, rejected, dropped }
    }
}

impl Outbox {
    /// The batch that is to be sent next.
    fn next(&mut self, client: &Client) -> Option<&Batch> {
        if self.unsent.is_none() {
            let events: Vec<_> = std::iter::from_fn(|| self.waiting.try_recv().ok()).take(BATCH).collect();
            let batch_id = client.sources.id::<domain::RequestEntity>().to_string();
            self.unsent = (!events.is_empty()).then_some(Batch { batch_id, events });
        }
        self.unsent.as_ref()
    }
}

/// Whether the same batch would be refused again. A key may be made good, and a busy platform has time later.
fn is_refused_for_ever(error: &Error) -> bool {
    error.problem().is_some_and(|problem| matches!(problem.status, 400 | 413 | 415 | 422))
}
