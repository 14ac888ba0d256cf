//! What happens to functions while they work: they are killed, and what they are handed comes twice or poisoned.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lambda_events::event::{
    dynamodb::Event,
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};
use e2e::Dice;
use testkit::event_source::Failure;
use tokio::time::timeout;

/// One in so many pieces of work is killed.
const KILLED_ONE_IN: usize = 3;
/// The latest end, in ms: some work takes less and some takes more, so that it ends between any two of its awaits.
const LATEST: usize = 20;

/// What is done now.
pub(crate) struct Hands {
    dice: Dice,
    kills: AtomicBool,
    killed: AtomicU64,
    repeats: AtomicBool,
    /// How many batches of the stream came twice, and of the queue.
    repeated: [AtomicU64; 2],
    poisons: AtomicBool,
    poisoned: AtomicU64,
    /// The numbers of the records that are poison.
    poison: Mutex<HashSet<String>>,
}

impl Hands {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            kills: AtomicBool::new(false),
            killed: AtomicU64::new(0),
            repeats: AtomicBool::new(false),
            repeated: [AtomicU64::new(0), AtomicU64::new(0)],
            poisons: AtomicBool::new(false),
            poisoned: AtomicU64::new(0),
            poison: Mutex::default(),
        }
    }

    /// Whether functions are killed from now on.
    pub(crate) fn kill(&self, kills: bool) {
        self.kills.store(kills, Ordering::SeqCst);
    }

    /// Whether records and messages come twice from now on, the first time in the other order.
    pub(crate) fn repeat(&self, repeats: bool) {
        self.repeats.store(repeats, Ordering::SeqCst);
    }

    /// Whether the next record is one that nobody can handle; until this ends none after it is handled.
    pub(crate) fn poison(&self, poisons: bool) {
        self.poisons.store(poisons, Ordering::SeqCst);
    }

    /// How many pieces of work were killed.
    pub(crate) fn killed(&self) -> u64 {
        self.killed.load(Ordering::SeqCst)
    }

    /// How many batches came twice, of the stream or of the queue: of whichever fewer did.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated.iter().map(|batches| batches.load(Ordering::SeqCst)).min().unwrap_or_default()
    }

    /// How many batches were refused, for a record in them was poison.
    pub(crate) fn poisoned(&self) -> u64 {
        self.poisoned.load(Ordering::SeqCst)
    }

    /// Lets a function work; `None` where it is killed. Its calls are under way or not sent yet, and whoever is called
    /// goes on.
    pub(crate) async fn work<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        if !self.kills.load(Ordering::SeqCst) || !self.dice.once_in(KILLED_ONE_IN) {
            return Some(work.await);
        }
        let patience = u64::try_from(self.dice.below(LATEST)).unwrap_or_default();
        let done = timeout(Duration::from_millis(patience), work).await.ok();
        self.killed.fetch_add(u64::from(done.is_none()), Ordering::SeqCst);
        done
    }

    /// Hands a batch of the stream to `propagate`.
    pub(crate) async fn propagate(
        &self,
        event: Event,
        app: propagate::App,
    ) -> Result<DynamoDbEventResponse, Failure> {
        if self.is_poisoned(&event) {
            self.poisoned.fetch_add(1, Ordering::SeqCst);
            return Err("poison".into());
        }
        if self.repeats.load(Ordering::SeqCst) {
            let mut again = event.clone();
            again.records.reverse();
            propagate::handle(again, &app).await?;
            self.repeated[0].fetch_add(1, Ordering::SeqCst);
        }
        Ok(self.work(propagate::handle(event, &app)).await.ok_or("killed")??)
    }

    /// Hands a batch of the queue to `rollup`.
    pub(crate) async fn rollup(
        &self,
        event: SqsEvent,
        app: rollup::App,
    ) -> Result<SqsBatchResponse, Failure> {
        if self.repeats.load(Ordering::SeqCst) {
            let mut again = event.clone();
            again.records.reverse();
            rollup::handle(again, &app).await?;
            self.repeated[1].fetch_add(1, Ordering::SeqCst);
        }
        Ok(self.work(rollup::handle(event, &app)).await.ok_or("killed")??)
    }

    fn is_poisoned(&self, event: &Event) -> bool {
        if !self.poisons.load(Ordering::SeqCst) {
            return false;
        }
        let numbers = event.records.iter().filter_map(|record| record.change.sequence_number.clone());
        let numbers: Vec<_> = numbers.collect();
        let mut poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner);
        if poison.is_empty() {
            poison.extend(numbers.first().cloned());
        }
        numbers.iter().any(|number| poison.contains(number))
    }
}
