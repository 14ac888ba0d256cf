//! `notify` on Lambda.

use models::{Models, Settings};
use notify::App;
use registry::Registry;
use runtime::{Configuration, Process, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let models = Models::new(Settings::of_reader().on(None, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let app = &App::new(registry)?;
    lambda::serve(|event| notify::handle(event, app)).await
}
