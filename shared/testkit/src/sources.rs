//! A clock that tests move and randomness that they can repeat.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Clock, Entropy, Sources, Timestamp};
use sha2::{Digest, Sha256};

/// 2026-11-20T07:00:00.000Z.
const START: i64 = 1_795_158_000_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall: Timestamp,
    monotonic: Duration,
}

impl TestClock {
    /// A clock that reads 2026-11-20T07:00:00.000Z.
    pub fn new() -> Self {
        Self(Mutex::new(Reading { wall: Timestamp::from_millis(START), monotonic: Duration::ZERO }))
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.change(|reading| {
            reading.wall = reading.wall.plus(by);
            reading.monotonic += by;
        });
    }

    /// Makes the wall clock jump, as a correction of the host's time does; the monotonic clock stays.
    pub fn set_wall(&self, wall: Timestamp) {
        self.change(|reading| reading.wall = wall);
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) -> Reading {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut reading);
        *reading
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.change(|_| ()).wall
    }

    fn monotonic(&self) -> Duration {
        self.change(|_| ()).monotonic
    }
}

/// Bytes that follow from a seed: SHA-256 over the seed and a counter.
///
/// The same calls in the same order give the same bytes. Concurrent callers share one sequence, so only their
/// order decides who gets what.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    blocks: Mutex<u64>,
}

impl SeededEntropy {
    /// The sequence of this seed, from its start.
    pub fn new(seed: u64) -> Self {
        Self { seed, blocks: Mutex::new(0) }
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    pub fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut block = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.chunks_mut(32) {
            let digest =
                Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(block.to_be_bytes());
            part.copy_from_slice(&digest.finalize()[..part.len()]);
            *block += 1;
        }
    }
}

/// Sources for a test, and the clock inside them.
pub fn sources(seed: u64) -> (Sources, Arc<TestClock>) {
    let clock = Arc::new(TestClock::new());
    (Sources { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(seed)) }, clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_it_is_moved() {
        let (sources, clock) = sources(1);
        assert_eq!(sources.now().to_string(), "2026-11-20T07:00:00.000Z");
        clock.advance(Duration::from_millis(1500));
        assert_eq!(sources.now().to_string(), "2026-11-20T07:00:01.500Z");
        assert_eq!(sources.clock.monotonic(), Duration::from_millis(1500));
    }

    #[test]
    fn the_wall_can_jump_alone() {
        let clock = TestClock::new();
        clock.advance(Duration::from_secs(1));
        clock.set_wall(Timestamp::from_millis(0));
        assert_eq!((clock.now(), clock.monotonic()), (Timestamp::from_millis(0), Duration::from_secs(1)));
    }

    #[test]
    fn a_seed_repeats_itself_and_does_not_repeat_within_itself() {
        let draw = |seed| {
            let (sources, _) = sources(seed);
            (sources.bytes::<40>(), sources.bytes::<40>())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(draw(7).0, draw(7).1);
    }

    #[test]
    fn units_fill_the_range_evenly() {
        let entropy = SeededEntropy::new(3);
        let mean = (0..1000).map(|_| entropy.unit()).sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
