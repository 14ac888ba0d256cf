//! What tests and the bench of metrics share: versions to report of, crowds that report, and the counters as they stand
//! and as they have to be.

mod counters;
mod crowd;
mod recount;
mod road;
mod rough;
mod writes;

pub use counters::Counters;
pub use crowd::{Batch, Crowd};
pub use road::{Road, Spot, TRIAL, Told, call_values, event, made};
pub use rough::Stepped;
pub use writes::{BATCH, MESSAGES, Written};
