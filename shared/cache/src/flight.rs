//! Single flight: at most one load per key in a process, and what it brings is everybody's who waited for it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// A load that has not answered for this long no longer holds others up.
const PATIENCE: Duration = Duration::from_millis(200);

/// The loads that are under way, by key.
pub(crate) struct Flights<K, V>(Mutex<Table<K, V>>);

struct Table<K, V> {
    under_way: HashMap<K, UnderWay<V>>,
    departures: u64,
}

struct UnderWay<V> {
    number: u64,
    /// From when on it no longer holds others up.
    late_at: Instant,
    landing: watch::Receiver<Option<V>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Table { under_way: HashMap::new(), departures: 0 }))
    }
}

/// What a caller is on a flight.
pub(crate) enum Seat<'a, K: Eq + Hash, V> {
    /// The one who loads.
    Pilot(Flight<'a, K, V>),
    /// Somebody else loaded this, or tried to.
    Passenger(Option<V>),
}

/// A load under way. Dropping it is the landing: also a caller who went away holds nobody up.
pub(crate) struct Flight<'a, K: Eq + Hash, V> {
    flights: &'a Flights<K, V>,
    key: K,
    number: u64,
    landing: watch::Sender<Option<V>>,
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Takes off when nobody flies for this key; else waits until whoever does lands, or is too late.
    pub(crate) async fn board(&self, key: &K) -> Seat<'_, K, V> {
        let (number, late_at, mut landing) = {
            let mut table = self.lock();
            match table.under_way.get(key) {
                None => return Seat::Pilot(self.take_off(&mut table, key)),
                Some(UnderWay { number, late_at, landing }) => (*number, *late_at, landing.clone()),
            }
        };
        // A flight that brought nothing is dropped, which ends the wait too.
        if timeout_at(late_at, landing.changed()).await.is_ok() {
            return Seat::Passenger(landing.borrow().clone());
        }
        let mut table = self.lock();
        if table.under_way.get(key).is_none_or(|other| other.number == number) {
            return Seat::Pilot(self.take_off(&mut table, key));
        }
        Seat::Passenger(None)
    }

    fn take_off(&self, table: &mut Table<K, V>, key: &K) -> Flight<'_, K, V> {
        let (landing, receiver) = watch::channel(None);
        table.departures += 1;
        let number = table.departures;
        let late_at = Instant::now() + PATIENCE;
        table.under_way.insert(key.clone(), UnderWay { number, late_at, landing: receiver });
        Flight { flights: self, key: key.clone(), number, landing }
    }
}

impl<K: Eq + Hash, V> Flights<K, V> {
    /// Whether somebody flies for this key.
    pub(crate) fn is_under_way(&self, key: &K) -> bool {
        self.lock().under_way.contains_key(key)
    }
}

impl<K, V> Flights<K, V> {
    fn lock(&self) -> MutexGuard<'_, Table<K, V>> {
        // Nothing panics while it is held, and a table of flights is whole between any two lines.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Flight<'_, K, V> {
    /// Lands with what everybody who waited may have.
    pub(crate) fn land(self, brought: Option<V>) {
        self.landing.send_replace(brought);
    }
}

impl<K: Eq + Hash, V> Drop for Flight<'_, K, V> {
    fn drop(&mut self) {
        let mut table = self.flights.lock();
        if table.under_way.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            table.under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pilot(seat: Seat<'_, u8, u8>) -> Flight<'_, u8, u8> {
        match seat {
            Seat::Pilot(flight) => flight,
            Seat::Passenger(brought) => panic!("it flew with somebody who brought {brought:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_holds_others_up_for_200_ms_from_its_beginning() {
        let (flights, began) = (Flights::default(), Instant::now());
        let _hanging = pilot(flights.board(&1).await);
        tokio::time::advance(Duration::from_millis(150)).await;
        let second = pilot(flights.board(&1).await);
        assert_eq!(began.elapsed(), Duration::from_millis(200));
        tokio::time::advance(Duration::from_millis(201)).await;
        let _third = pilot(flights.board(&1).await);
        assert_eq!(began.elapsed(), Duration::from_millis(401), "the second was late already");
        drop(second);
        assert!(flights.is_under_way(&1), "and its landing is not the third one's");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_load_brings_is_everybody_s_who_waited() {
        let flights = Flights::default();
        let flight = pilot(flights.board(&1).await);
        let land = async { flight.land(Some(7)) };
        let (seat, ()) = tokio::join!(flights.board(&1), land);
        assert!(matches!(seat, Seat::Passenger(Some(7))));
    }
}
