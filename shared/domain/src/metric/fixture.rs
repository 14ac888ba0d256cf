//! A moment that stands still, for the tests of what is made of metrics.

use std::{sync::Arc, time::Duration};

use crate::{Clock, Entropy, Sources, Timestamp};

pub(super) const NOW: i64 = 1_795_158_000_000;
pub(super) const HOUR: i64 = 3_600_000;

#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for At {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(super) fn at(millis: i64) -> Sources {
    Sources { clock: Arc::new(At(millis)), entropy: Arc::new(At(0)) }
}
