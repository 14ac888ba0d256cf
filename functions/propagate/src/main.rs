//! `propagate` on Lambda.

use std::sync::Arc;

use cache::Cache;
use propagate::App;
use runtime::{Configuration, Process, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_archive(lambda::begin())?).await?;
    let Process { store, remote, sources, .. } = process;
    let cache = Arc::new(Cache::new(store.clone(), remote, sources.clone()));
    let app = &App { store, cache, sources };
    lambda::serve(|event| propagate::handle(event, app)).await
}
