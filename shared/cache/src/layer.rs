//! One kind of thing in memory, with its age.

use std::{
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Error, Result, Sources};
use quick_cache::sync::Cache as Bounded;
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};

use crate::{
    flight::{Flights, Seat},
    read_at::ReadAt,
};

/// A load that has not answered for this long has failed; nobody waits longer for one of others.
const LOAD: Duration = Duration::from_secs(2);

/// How long a failure of a load is remembered: longer than the next one takes to fail.
const FAILING: Duration = Duration::from_secs(3);

/// Something that memory may hold.
pub(crate) trait Cached: Clone + Send + Sync {
    /// Which of two is newer; equal when they cannot be told apart.
    fn revision(&self) -> u64;
    /// How old it may be to be served without asking.
    fn fresh_for(&self) -> Duration;
    /// How old it may be to be served when asking fails.
    fn stale_for(&self) -> Duration;
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This process's memory.
    Memory,
    /// The table.
    Table,
    /// Memory, past its bound, because the table does not answer.
    Stale,
}

/// A value, and how old it may be.
#[derive(Debug, Clone)]
pub struct Answer<V> {
    /// The value.
    pub value: V,
    /// How long ago the read began that it came from.
    pub age: Duration,
    /// Where it came from.
    pub source: Source,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    read_at: ReadAt,
    /// When a load failed last, unless one has succeeded since.
    failed_at: Option<ReadAt>,
}

pub(crate) struct Layer<K, V> {
    entries: Bounded<K, Entry<V>>,
    flights: Flights<K>,
    fence: Mutex<()>,
    sources: Sources,
}

impl<K: Clone + Eq + Hash + Send, V: Cached> Layer<K, V> {
    pub(crate) fn new(capacity: usize, sources: Sources) -> Self {
        Self { entries: Bounded::new(capacity), flights: Flights::default(), fence: Mutex::new(()), sources }
    }

    /// What memory has while it is fresh; else what `load` brings; else, when that fails, what memory has while it
    /// may be served stale.
    pub(crate) async fn get<F>(&self, key: &K, load: impl Fn() -> F) -> Result<Answer<V>>
    where
        F: Future<Output = Result<V>> + Send,
    {
        self.get_if(key, |_| true, load).await
    }

    /// The same, where memory does only if it is `wanted`.
    pub(crate) async fn get_if<F>(
        &self,
        key: &K,
        wanted: impl Fn(&V) -> bool,
        load: impl Fn() -> F,
    ) -> Result<Answer<V>>
    where
        F: Future<Output = Result<V>> + Send,
    {
        let of_memory = |answer: &Answer<V>| wanted(&answer.value);
        let stale = |error| self.stale(key).filter(of_memory).ok_or(error);
        let until = Instant::now() + LOAD;
        loop {
            if let Some(answer) = self.fresh(key).filter(of_memory) {
                return Ok(answer);
            }
            // While loads fail, one caller at a time goes on trying: the others would only wait in line to fail too.
            if self.is_failing(key)
                && self.flights.is_under_way(key)
                && let Some(answer) = self.stale(key).filter(of_memory)
            {
                return Ok(answer);
            }
            match timeout_at(until, self.flights.board(key)).await {
                Ok(Seat::Pilot(flight)) => {
                    let read_at = ReadAt::now(&self.sources);
                    // Boxed, for loads are rare and large, and every caller's future would have room for one.
                    let loaded = timeout(LOAD, Box::pin(load())).await;
                    let loaded = self.keep(key, loaded.unwrap_or_else(|late| Err(too_late(late))), read_at);
                    drop(flight);
                    return loaded.or_else(stale);
                }
                // It landed, or took too long: look again, and if need be fly ourselves.
                Ok(Seat::Passenger) => {}
                Err(late) => return stale(too_late(late)),
            }
        }
    }

    /// Keeps what a load brought, or remembers that it failed.
    fn keep(&self, key: &K, loaded: Result<V>, read_at: ReadAt) -> Result<Answer<V>> {
        match loaded {
            Ok(value) => {
                self.offer(key.clone(), value.clone(), read_at);
                // What memory holds may be newer: then the fence kept it, and it is what counts.
                Ok(self.newest(key, value, read_at))
            }
            Err(error) => {
                self.note_failure(key);
                Err(error)
            }
        }
    }

    /// Takes a value that was read or written, unless memory holds a newer one.
    pub(crate) fn offer(&self, key: K, value: V, read_at: ReadAt) {
        // Two offers at once take turns, or both would pass the fence and the older might land last.
        let _turn = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let newer_held = self.entries.get(&key).is_some_and(|held| held.value.revision() > value.revision());
        if !newer_held {
            self.entries.insert(key, Entry { value, read_at, failed_at: None });
        }
    }

    /// Remembers a failure where there is something to serve meanwhile.
    fn note_failure(&self, key: &K) {
        let _turn = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = self.entries.get(key) {
            let failed_at = Some(ReadAt::now(&self.sources));
            self.entries.insert(key.clone(), Entry { failed_at, ..held });
        }
    }

    fn is_failing(&self, key: &K) -> bool {
        let failed_at = self.entries.get(key).and_then(|held| held.failed_at);
        failed_at.and_then(|at| at.age(&self.sources)).is_some_and(|age| age <= FAILING)
    }

    fn newest(&self, key: &K, loaded: V, read_at: ReadAt) -> Answer<V> {
        let age = |at: &ReadAt| at.known_age(&self.sources);
        match self.entries.get(key) {
            Some(held) if held.value.revision() > loaded.revision() => {
                Answer { age: age(&held.read_at), value: held.value, source: Source::Memory }
            }
            _ => Answer { value: loaded, age: age(&read_at), source: Source::Table },
        }
    }

    fn fresh(&self, key: &K) -> Option<Answer<V>> {
        let held = self.entries.get(key)?;
        let age = held.read_at.age(&self.sources)?;
        (age <= held.value.fresh_for()).then_some(Answer { value: held.value, age, source: Source::Memory })
    }

    fn stale(&self, key: &K) -> Option<Answer<V>> {
        let held = self.entries.get(key)?;
        let age = held.read_at.known_age(&self.sources);
        (age <= held.value.stale_for()).then_some(Answer { value: held.value, age, source: Source::Stale })
    }
}

fn too_late(late: Elapsed) -> Error {
    Error::unavailable("The registry's table", late)
}
