//! What the bench says.

use std::time::Duration;

pub(crate) use e2e::report::{Progress, line, target};

/// In seconds, to the hundredth.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
