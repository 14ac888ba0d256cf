//! One kind of thing in memory, with its age.

use std::{
    cmp::Ordering,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Error, Result, Sources};
use quick_cache::sync::Cache as Bounded;
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};

use crate::{
    ReadAt,
    flight::{Flights, Seat},
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

/// Where an answer came from; what is farther away is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// This process's memory.
    Memory,
    /// The cache that all processes share.
    Cache,
    /// The table.
    Table,
    /// Memory or cache, past its bound, because the table does not answer.
    Stale,
}

/// What a load brought.
#[derive(Clone)]
pub(crate) struct Loaded<V> {
    pub(crate) value: V,
    /// When the read began that it came from.
    pub(crate) read_at: ReadAt,
    pub(crate) source: Source,
}

impl<V> Loaded<V> {
    pub(crate) fn of_table(value: V, read_at: ReadAt) -> Self {
        Self { value, read_at, source: Source::Table }
    }

    /// The same read, with what is made of its value.
    pub(crate) fn map<W>(self, value: impl FnOnce(V) -> W) -> Loaded<W> {
        Loaded { value: value(self.value), read_at: self.read_at, source: self.source }
    }
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
    pub(crate) read_at: ReadAt,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    read_at: ReadAt,
    /// When a load failed last, unless one has succeeded since.
    failed_at: Option<ReadAt>,
}

impl<V: Cached> Entry<V> {
    fn is_newer_than(&self, other: &Self) -> bool {
        match self.value.revision().cmp(&other.value.revision()) {
            Ordering::Greater => true,
            Ordering::Equal => self.read_at.is_after(&other.read_at),
            Ordering::Less => false,
        }
    }
}

pub(crate) struct Layer<K, V> {
    entries: Bounded<K, Entry<V>>,
    flights: Flights<K, Loaded<V>>,
    fence: Mutex<()>,
    sources: Sources,
    /// Whether nothing is fresh here: memory is the last known alone.
    always_asks: bool,
}

impl<K: Clone + Eq + Hash + Send, V: Cached> Layer<K, V> {
    pub(crate) fn new(capacity: usize, sources: Sources) -> Self {
        Self {
            entries: Bounded::new(capacity),
            flights: Flights::default(),
            fence: Mutex::new(()),
            sources,
            always_asks: false,
        }
    }

    /// The same, which asks each time.
    pub(crate) fn always_asking(self) -> Self {
        Self { always_asks: true, ..self }
    }

    /// What memory has while it is fresh; else what `load` brings; else, when that fails, what memory has while it
    /// may be served stale.
    pub(crate) async fn get<F>(&self, key: &K, load: impl Fn() -> F) -> Result<Answer<V>>
    where
        F: Future<Output = Result<Loaded<V>>> + Send,
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
        F: Future<Output = Result<Loaded<V>>> + Send,
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
                    // The one before may have landed between the look and the take-off.
                    if let Some(answer) = self.fresh(key).filter(of_memory) {
                        return Ok(answer);
                    }
                    // Boxed, for loads are rare and large, and every caller's future would have room for one.
                    let loaded = timeout(LOAD, Box::pin(load())).await;
                    let loaded = self.keep(key, loaded.unwrap_or_else(|late| Err(too_late(late))));
                    flight.land(loaded.as_ref().ok().cloned());
                    return loaded.map(|loaded| self.newest(key, loaded)).or_else(stale);
                }
                Ok(Seat::Passenger(Some(loaded))) if wanted(&loaded.value) => {
                    return Ok(self.newest(key, loaded));
                }
                // It brought nothing of use, or took too long: look again, and if need be fly ourselves.
                Ok(Seat::Passenger(_)) => {}
                Err(late) => return stale(too_late(late)),
            }
        }
    }

    /// Keeps what a load brought, or remembers that it failed.
    fn keep(&self, key: &K, loaded: Result<Loaded<V>>) -> Result<Loaded<V>> {
        let loaded = loaded.inspect_err(|_| self.note_failure(key))?;
        self.offer(key.clone(), loaded.value.clone(), loaded.read_at);
        if loaded.source == Source::Stale {
            // The table failed, and the cache had something to serve meanwhile.
            self.note_failure(key);
        }
        Ok(loaded)
    }

    /// Takes a value that was read or written, unless memory holds a newer one, or the same from a later read.
    pub(crate) fn offer(&self, key: K, value: V, read_at: ReadAt) {
        // Two offers at once take turns, or both would pass the fence and the older might land last.
        let _turn = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = Entry { value, read_at, failed_at: None };
        let entry = match self.entries.get(&key) {
            Some(held) if held.is_newer_than(&offered) => Entry { failed_at: None, ..held },
            _ => offered,
        };
        self.entries.insert(key, entry);
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

    /// What memory holds may be newer than what was loaded: then the fence kept it, and it is what counts.
    fn newest(&self, key: &K, loaded: Loaded<V>) -> Answer<V> {
        let (value, read_at, source) = match self.entries.get(key) {
            Some(held) if held.value.revision() > loaded.value.revision() => {
                (held.value, held.read_at, Source::Memory)
            }
            _ => (loaded.value, loaded.read_at, loaded.source),
        };
        Answer { value, age: read_at.known_age(&self.sources), source, read_at }
    }

    /// What memory holds, however old.
    pub(crate) fn held(&self, key: &K) -> Option<V> {
        self.entries.get(key).map(|held| held.value)
    }

    /// What memory holds and would not serve without asking.
    pub(crate) fn outdated(&self, key: &K) -> Option<V> {
        if self.fresh(key).is_some() { None } else { self.held(key) }
    }

    fn fresh(&self, key: &K) -> Option<Answer<V>> {
        if self.always_asks {
            return None;
        }
        let Entry { value, read_at, .. } = self.entries.get(key)?;
        let age = read_at.age(&self.sources)?;
        (age <= value.fresh_for()).then_some(Answer { value, age, source: Source::Memory, read_at })
    }

    fn stale(&self, key: &K) -> Option<Answer<V>> {
        let Entry { value, read_at, .. } = self.entries.get(key)?;
        let age = read_at.known_age(&self.sources);
        (age <= value.stale_for()).then_some(Answer { value, age, source: Source::Stale, read_at })
    }
}

fn too_late(late: Elapsed) -> Error {
    Error::unavailable("The registry's table", late)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::values::KeyEntry;

    #[tokio::test]
    async fn what_is_in_use_outlives_a_flood_of_what_is_asked_for_once() {
        let (sources, _) = testkit::sources(1);
        let layer = Layer::<u64, KeyEntry>::new(1_024, sources.clone());
        let loads = AtomicU64::new(0);
        let load = || async {
            loads.fetch_add(1, Relaxed);
            Ok(Loaded::of_table(KeyEntry(None), ReadAt::now(&sources)))
        };
        let in_use = 0;
        for stranger in 1..=20_000 {
            layer.get(&stranger, load).await.unwrap();
            if stranger % 100 == 0 {
                layer.get(&in_use, load).await.unwrap();
            }
        }
        assert_eq!(loads.into_inner(), 20_000 + 1, "that in use was loaded again");
        assert!(layer.entries.len() <= 1_024, "{}", layer.entries.len());
    }
}
