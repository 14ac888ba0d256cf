//! `console` on Lambda.

use console::App;
use models::{Models, Settings};
use registry::Registry;
use release::Release;
use runtime::{Configuration, Process, lambda};
use web::{Doors, WRITES_PER_MINUTE};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let hosts = process.evaluation.model_hosts;
    let models = Models::new(Settings::of_reader().on(hosts, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let doors = Doors::new(
        registry.cache.clone(),
        registry.store.clone(),
        registry.sources.clone(),
        WRITES_PER_MINUTE,
    );
    lambda::serve_http(console::router(App::new(doors, Release { registry })?)).await
}
