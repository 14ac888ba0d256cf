//! When something was read, on both clocks.

use std::time::Duration;

use domain::{Sources, Timestamp};

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

    /// How old what was read is: the larger of what the two clocks say. A frozen process's monotonic clock may have
    /// stood still; a wall clock that went backwards says nothing, and then the age is unknown (`None`).
    pub fn age(&self, sources: &Sources) -> Option<Duration> {
        let wall = sources.clock.now().since(self.wall)?;
        let monotonic = sources.clock.monotonic().saturating_sub(self.monotonic);
        Some(wall.max(monotonic))
    }
}
