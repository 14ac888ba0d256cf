//! Metrics: what callers report of their model calls, folded into counters that are only ever added to.
//!
//! An [`event`] is checked, a batch of them is [`fold`]ed into [`message`]s for the queue, and the store adds
//! those to its hourly [`tally`]s exactly once. Everything is integers whose merge is addition, so any split
//! and any order of the events gives the same counters; [`summary`] turns sums of them into what a person
//! reads.

pub mod event;
#[cfg(test)]
mod fixture;
pub mod fold;
pub mod histogram;
pub mod hour;
pub mod message;
pub mod resolves;
pub mod summary;
pub mod tally;

pub use event::{Event, Placement, Reported, Subject, Values};
pub use fold::{Batch, fold};
pub use histogram::Histogram;
pub use hour::Hour;
pub use message::{Delta, Entry, Mark, Message, Observation, Reading};
pub use resolves::Resolves;
pub use summary::Summary;
pub use tally::{Count, Counts, Tally};
