//! When something was read, on both clocks.

use std::time::Duration;

use crate::{Sources, Timestamp};

/// The moment before a read began.
#[derive(Debug, Clone, Copy)]
pub struct ReadAt {
    wall: Timestamp,
    monotonic: Duration,
}

impl ReadAt {
    /// Now.
    pub fn now(sources: &Sources) -> Self {
        Self { wall: sources.clock.now(), monotonic: sources.clock.monotonic() }
    }

    /// The moment of a read that another process made, as its wall clock said.
    pub fn elsewhere(wall: Timestamp, sources: &Sources) -> Self {
        let ago = sources.clock.now().since(wall).unwrap_or_default();
        Self { wall, monotonic: sources.clock.monotonic().saturating_sub(ago) }
    }

    /// The moment on the wall clock, for other processes.
    pub fn wall(&self) -> Timestamp {
        self.wall
    }

    /// Whether this read began later, as far as this process can tell.
    pub fn is_after(&self, other: &Self) -> bool {
        self.monotonic > other.monotonic
    }

    /// How old what was read is: the larger of what the two clocks say. A frozen process's monotonic clock may have
    /// stood still; a wall clock that went backwards says nothing, and then the age is unknown (`None`).
    pub fn age(&self, sources: &Sources) -> Option<Duration> {
        let wall = sources.clock.now().since(self.wall)?;
        Some(wall.max(self.elapsed(sources)))
    }

    /// How old it is as far as anybody knows: where the wall clock says nothing, what the monotonic one says.
    pub fn known_age(&self, sources: &Sources) -> Duration {
        self.age(sources).unwrap_or_else(|| self.elapsed(sources))
    }

    fn elapsed(&self, sources: &Sources) -> Duration {
        sources.clock.monotonic().saturating_sub(self.monotonic)
    }
}
