//! `try` on Lambda.

use models::{Models, Secrets, Settings};
use registry::Registry;
use runtime::{Configuration, Variables, aws::Aws, lambda};
use try_model::App;
use web::{Doors, WRITES_PER_MINUTE};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_tables(lambda::begin())?;
    let store = Aws::connect().await.store(configuration.names);
    let models = Models::new(Settings::of_function(Secrets::new(Variables::secret)))?;
    let registry = Registry::new(store, runtime::sources::system(), models);
    let doors = Doors::new(
        registry.cache.clone(),
        registry.store.clone(),
        registry.sources.clone(),
        WRITES_PER_MINUTE,
    );
    lambda::serve_http(try_model::router(App { doors, registry })).await
}
