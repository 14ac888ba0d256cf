//! One kind of thing in memory, with its age.

use std::{
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Result, Sources};
use quick_cache::sync::Cache as Bounded;

use crate::{
    flight::{Flights, Seat},
    read_at::ReadAt,
};

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
        loop {
            if let Some(answer) = self.fresh(key) {
                return Ok(answer);
            }
            match self.flights.board(key).await {
                Seat::Pilot(flight) => {
                    let read_at = ReadAt::now(&self.sources);
                    let loaded = load().await;
                    if let Ok(value) = &loaded {
                        self.offer(key.clone(), value.clone(), read_at);
                    }
                    drop(flight);
                    return match loaded {
                        // What memory holds may be newer: then the fence kept it, and it is what counts.
                        Ok(value) => Ok(self.newest(key, value, read_at)),
                        Err(error) => self.stale(key).ok_or(error),
                    };
                }
                // It landed, or took too long: look again, and if need be fly ourselves.
                Seat::Passenger => {}
            }
        }
    }

    /// Takes a value that was read or written, unless memory holds a newer one.
    pub(crate) fn offer(&self, key: K, value: V, read_at: ReadAt) {
        // Two offers at once take turns, or both would pass the fence and the older might land last.
        let _turn = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let newer_held = self.entries.get(&key).is_some_and(|held| held.value.revision() > value.revision());
        if !newer_held {
            self.entries.insert(key, Entry { value, read_at });
        }
    }

    fn newest(&self, key: &K, loaded: V, read_at: ReadAt) -> Answer<V> {
        let age = |at: &ReadAt| at.age(&self.sources).unwrap_or_default();
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
        // Where the wall clock went backwards the age is unknown; in an outage that is no reason to refuse.
        let age = held.read_at.age(&self.sources).unwrap_or_default();
        (age <= held.value.stale_for()).then_some(Answer { value: held.value, age, source: Source::Stale })
    }
}
