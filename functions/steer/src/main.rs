//! `steer` on Lambda.

use models::{Models, Secrets, Settings};
use registry::Registry;
use runtime::{Configuration, Process, Variables, lambda};
use steer::{App, STUCK_AFTER};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let models =
        Models::new(Settings::of_function(Secrets::new(Variables::secret), process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let app = &App { registry, stuck_after: STUCK_AFTER };
    lambda::serve(|_: serde_json::Value| steer::handle(app)).await
}
