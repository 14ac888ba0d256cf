//! Single flight: at most one load per key in a process.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// A load that has not answered for this long no longer holds others up.
const PATIENCE: Duration = Duration::from_millis(200);

/// The loads that are under way, by key.
pub(crate) struct Flights<K>(Mutex<Table<K>>);

struct Table<K> {
    under_way: HashMap<K, (u64, watch::Receiver<()>)>,
    departures: u64,
}

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self(Mutex::new(Table { under_way: HashMap::new(), departures: 0 }))
    }
}

/// What a caller is on a flight.
pub(crate) enum Seat<'a, K: Eq + Hash> {
    /// The one who loads.
    Pilot(Flight<'a, K>),
    /// Somebody else loaded, or tried to.
    Passenger,
}

/// A load under way. Dropping it is the landing: also a caller who went away holds nobody up.
pub(crate) struct Flight<'a, K: Eq + Hash> {
    flights: &'a Flights<K>,
    key: K,
    number: u64,
    _landing: watch::Sender<()>,
}

impl<K: Clone + Eq + Hash> Flights<K> {
    /// Takes off when nobody flies for this key; else waits until whoever does lands, or is too late.
    pub(crate) async fn board(&self, key: &K) -> Seat<'_, K> {
        let landing = {
            let mut table = self.lock();
            match table.under_way.get(key) {
                None => return Seat::Pilot(self.take_off(&mut table, key)),
                Some((_, landing)) => landing.clone(),
            }
        };
        let mut landed = landing.clone();
        // The sender says nothing: it is dropped on landing, which ends the wait with an error.
        if tokio::time::timeout(PATIENCE, landed.changed()).await.is_ok() {
            return Seat::Passenger;
        }
        let mut table = self.lock();
        let still_there = table.under_way.get(key).is_some_and(|(_, other)| other.same_channel(&landing));
        if still_there || !table.under_way.contains_key(key) {
            return Seat::Pilot(self.take_off(&mut table, key));
        }
        Seat::Passenger
    }

    fn take_off(&self, table: &mut Table<K>, key: &K) -> Flight<'_, K> {
        let (sender, receiver) = watch::channel(());
        table.departures += 1;
        let number = table.departures;
        table.under_way.insert(key.clone(), (number, receiver));
        Flight { flights: self, key: key.clone(), number, _landing: sender }
    }
}

impl<K: Eq + Hash> Flights<K> {
    /// Whether somebody flies for this key.
    pub(crate) fn is_under_way(&self, key: &K) -> bool {
        self.lock().under_way.contains_key(key)
    }
}

impl<K> Flights<K> {
    fn lock(&self) -> MutexGuard<'_, Table<K>> {
        // Nothing panics while it is held, and a table of flights is whole between any two lines.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Flight<'_, K> {
    fn drop(&mut self) {
        let mut table = self.flights.lock();
        if table.under_way.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            table.under_way.remove(&self.key);
        }
    }
}
