//! What a function runs in: its configuration, its clocks, its logs, its AWS clients, and the loop that feeds it.

pub mod aws;
pub mod batch;
pub mod configuration;
pub mod lambda;
pub mod log;
pub mod queue;
pub mod sources;

pub use configuration::{Configuration, Variables};
pub use queue::Queue;
