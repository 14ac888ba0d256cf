//! What a function runs in: its configuration, its clocks, its logs, its AWS clients, and the loop that feeds it.

pub mod aws;
pub mod batch;
pub mod cache_login;
pub mod configuration;
pub mod lambda;
pub mod log;
pub mod metrics;
mod process;
pub mod queue;
pub mod sources;
pub mod told;

pub use configuration::{Configuration, Evaluation, Variables};
pub use process::Process;
pub use queue::Queue;

/// Every process allocates with it: the system's allocator makes threads wait for each other, which cost resolve a
/// quarter of its requests per second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
