//! `try` on Lambda.

use models::{Models, Settings};
use registry::Registry;
use runtime::{Configuration, Process, lambda};
use try_model::App;
use web::{Doors, WRITES_PER_MINUTE};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let settings = Settings::of_caller(process.aws.config(), process.sources.clock.clone());
    let hosts = process.evaluation.model_hosts;
    let models = Models::new(settings.on(hosts, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let doors = Doors::new(
        registry.cache.clone(),
        registry.store.clone(),
        registry.sources.clone(),
        WRITES_PER_MINUTE,
    );
    lambda::serve_http(try_model::router(App { doors, registry })).await
}
