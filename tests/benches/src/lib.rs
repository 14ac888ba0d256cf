//! What benches share: the servers under load, the connections that make it, and which prompts it asks for.

pub mod child;
pub mod connection;
pub mod figures;
pub mod load;
pub mod prompt;
pub mod zipf;

/// What came of a measurement.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs a server, as `local` runs.
pub fn on_all_cores<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Runs the load, which is of one thread so that it leaves the server as much of the machine as it can.
pub fn on_one_core<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
