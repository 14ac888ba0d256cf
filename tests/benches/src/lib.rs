//! What benches share: the servers under load, the connections that make it, and which prompts it asks for.

pub mod child;
pub mod connection;
pub mod figures;
pub mod prompt;
pub mod zipf;

/// What came of a measurement.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
