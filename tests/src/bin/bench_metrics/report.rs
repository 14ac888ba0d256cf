//! What the bench says.

use std::time::Duration;

pub(crate) use e2e::report::{line, target};
use tokio::time::Instant;

/// How often progress is told.
const PACE: Duration = Duration::from_secs(3);

/// In seconds, to the hundredth.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Tells how far something is, every few seconds.
pub(crate) struct Progress {
    began: Instant,
    told: Instant,
}

impl Progress {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), told: Instant::now() }
    }

    pub(crate) fn tell(&mut self, how_far: impl FnOnce() -> String) {
        if self.told.elapsed() >= PACE {
            self.told = Instant::now();
            line(&format!("  {:>4.0} s  {}", self.took().as_secs_f64(), how_far()));
        }
    }

    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
