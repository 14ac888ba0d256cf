//! The evaluation gate: what a version must show before production takes it (statistics.md §6).

mod compare;
mod judge;
mod policy;
pub mod statistics;
mod tally;

pub use compare::{Comparison, MetricComparison, Observation, compare};
pub use judge::{Baseline, Figures, GateResult, Verdict, judge, void_reason};
pub use policy::{GateMode, GatePolicy};
pub use tally::Tally;
