//! The real clock and the real randomness of this program.

use std::{sync::Arc, time::Duration};

use domain::{Clock, Entropy, Sources, Timestamp};
use rand::Rng as _;

#[derive(Debug)]
struct SystemClock {
    started: std::time::Instant,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the wall clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

#[derive(Debug)]
struct ThreadEntropy;

impl Entropy for ThreadEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The sources of this program. `runtime` has the same for those on Lambda, and reaches the store.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the monotonic clock")]
pub fn system() -> Sources {
    Sources {
        clock: Arc::new(SystemClock { started: std::time::Instant::now() }),
        entropy: Arc::new(ThreadEntropy),
    }
}
