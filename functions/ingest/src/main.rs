//! `ingest` on Lambda.

use ingest::App;
use models::{Models, Settings};
use registry::Registry;
use runtime::{Configuration, Process, Queue, lambda};
use web::{Doors, WRITES_PER_MINUTE};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_metrics(lambda::begin())?;
    let queue_url = configuration.metrics_queue_url.clone();
    let process = Process::connect(configuration).await?;
    let queue = Queue::new(&process.aws, &queue_url);
    let models = Models::new(Settings::of_reader())?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let doors = Doors::new(
        registry.cache.clone(),
        registry.store.clone(),
        registry.sources.clone(),
        WRITES_PER_MINUTE,
    );
    lambda::serve_http(ingest::router(App::new(doors, registry, queue))).await
}
