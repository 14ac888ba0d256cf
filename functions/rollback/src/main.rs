//! `rollback` on Lambda.

use models::{Models, Secrets, Settings};
use registry::Registry;
use release::Release;
use rollback::App;
use runtime::{Configuration, Variables, aws::Aws, lambda};
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
    let app = &App { doors, release: Release { registry } };
    lambda::serve_with_id(|event, id| async move { Ok(rollback::handle(event, &id, app).await) }).await
}
