//! What the platform stands on outside AWS: the embedded engines, the part that AWS plays around them (event
//! source mappings, schedules), injected faults, a scripted model provider, and a clock and ids that tests advance.
//!
//! **Invariant:** nothing here knows Cuecard's tables or keys, and nothing here reads the environment.

pub mod clients;
pub mod engines;
pub mod event_source;
pub mod fault;
pub mod provider;
pub mod sources;

#[cfg(test)]
mod fixture;
mod http;

pub use clients::{Clients, clients};
pub use engines::{Endpoints, EngineError, Engines};
pub use sources::{SeededEntropy, TestClock, sources};
