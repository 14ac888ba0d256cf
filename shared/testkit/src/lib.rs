//! What the platform stands on outside AWS: the embedded engines, a cache server, the part that AWS plays around them
//! (event source mappings, schedules, Lambda itself with API Gateway before it), injected faults, a scripted model
//! provider, and a clock and ids that tests advance.
//!
//! **Invariant:** nothing here knows Cuecard's tables or keys, and nothing here reads the environment.

pub mod cache_server;
pub mod clients;
pub mod engines;
pub mod event_source;
pub mod fault;
pub mod provider;
pub mod runtime_api;
pub mod sources;
pub mod tcp_proxy;

#[cfg(test)]
mod fixture;
mod http;

pub use clients::{Clients, Item, clients};
pub use engines::{Endpoints, EngineError, Engines, Expired};
pub use sources::{SeededEntropy, TestClock, sources};
