//! `steer` on Lambda.

use models::{Models, Settings};
use registry::{Registry, evaluation::Watch};
use release::Release;
use runtime::{Configuration, Evaluation, Process, lambda};
use steer::{App, STUCK_AFTER};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_archive(lambda::begin())?).await?;
    let Evaluation { watch_every, watch_usd, model_hosts, .. } = process.evaluation;
    let watch = Watch { every: watch_every, most_usd: watch_usd };
    let models = Models::new(Settings::of_reader().on(model_hosts, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let release = Release { registry };
    let app = &App { release, stuck_after: STUCK_AFTER, watch, admin_key: process.admin_key };
    lambda::serve(|_: serde_json::Value| steer::handle(app)).await
}
