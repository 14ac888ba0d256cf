//! `steer` on Lambda.

use models::{Models, Secrets, Settings};
use registry::Registry;
use runtime::{Configuration, Variables, aws::Aws, lambda};
use steer::{App, STUCK_AFTER};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_tables(lambda::begin())?;
    let store = Aws::connect().await.store(configuration.names);
    let models = Models::new(Settings::of_function(Secrets::new(Variables::secret)))?;
    let registry = Registry::new(store, runtime::sources::system(), models);
    let app = &App { registry, stuck_after: STUCK_AFTER };
    lambda::serve(|_: serde_json::Value| steer::handle(app)).await
}
