//! What AWS does between a source of events and a function: it polls queues and streams, calls on a schedule, hands
//! over batches, and decides from the function's answer what is done and what comes again.
//!
//! A handler that fails or panics has failed its whole batch, as on AWS. Each loop ends after its `stop` future
//! resolves and what is in flight has finished.

mod queue;
mod schedule;
mod stream;

pub use queue::QueueSource;
pub use schedule::Schedule;
pub use stream::StreamSource;

use std::{error::Error, fmt::Write, time::Duration};

/// Any failure of a handler or of a source.
pub type Failure = Box<dyn Error + Send + Sync>;

/// How long a loop rests after its source did not answer.
const REST: Duration = Duration::from_secs(1);

/// An error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}
