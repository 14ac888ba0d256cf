//! `resolve` on Lambda.

use std::sync::Arc;

use cache::Cache;
use resolve::App;
use runtime::{Configuration, aws::Aws, lambda};
use web::{Doors, WRITES_PER_MINUTE};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_tables(lambda::begin())?;
    let store = Aws::connect().await.store(configuration.names);
    let sources = runtime::sources::system();
    let cache = Arc::new(Cache::new(store.clone(), sources.clone()));
    let doors = Doors::new(cache.clone(), store, sources.clone(), WRITES_PER_MINUTE);
    lambda::serve_http(resolve::router(App { doors, cache, sources })).await
}
