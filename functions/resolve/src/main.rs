//! `resolve` on Lambda.

use std::sync::Arc;

use cache::Cache;
use resolve::App;
use runtime::{Configuration, Process, lambda, log, metrics::Meter};
use web::{Doors, WRITES_PER_MINUTE};

// A sandbox has half a core: more threads would wake and wait for each other, and start later.
#[tokio::main(flavor = "current_thread")]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let Process { store, remote, sources, log_group, .. } = process;
    let cache = Arc::new(Cache::new(store.clone(), remote, sources.clone()));
    let doors = Doors::new(cache.clone(), store.clone(), sources.clone(), WRITES_PER_MINUTE);
    let meter = Meter::new("resolve", log_group, sources.clone(), log::unbuffered_stdout()?);
    let app = App::new(doors, store, cache, sources);
    lambda::serve_http(resolve::metered(resolve::router(app), meter)).await
}
