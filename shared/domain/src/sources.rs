//! Where time, ids and randomness come from. The real sources live in `runtime`, those of tests in `testkit`.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{Id, Timestamp, id::Entity};

/// Two clocks: the wall's, which may jump, and one that only ever runs forward.
pub trait Clock: Debug + Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment of this process; never runs backward.
    fn monotonic(&self) -> Duration;
}

/// A source of unpredictable bytes.
pub trait Entropy: Debug + Send + Sync {
    /// Fills the slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// Time and randomness, as handed to every use case.
#[derive(Debug, Clone)]
pub struct Sources {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl Sources {
    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A fresh id, sortable by time.
    pub fn id<E: Entity>(&self) -> Id<E> {
        Id::new(self.now(), self.bytes())
    }

    /// A random wait between `least` and `most`, so that writers who met once do not meet again.
    pub fn jitter(&self, least: Duration, most: Duration) -> Duration {
        let share = f64::from(u16::from_be_bytes(self.bytes())) / f64::from(u16::MAX);
        least + most.saturating_sub(least).mul_f64(share)
    }
}
