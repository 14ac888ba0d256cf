//! `dispatch` on Lambda.

use dispatch::App;
use models::{Models, Settings};
use registry::Registry;
use runtime::{Configuration, Process, Queue, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_dispatch(lambda::begin())?;
    let urls = (configuration.eval_queue_url.clone(), configuration.webhooks_queue_url.clone());
    let process = Process::connect(configuration).await?;
    let (queue, webhooks) = (Queue::new(&process.aws, &urls.0), Queue::new(&process.aws, &urls.1));
    let settings = Settings::of_caller(process.aws.config(), process.sources.clock.clone());
    let hosts = process.evaluation.model_hosts;
    let models = Models::new(settings.on(hosts, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let app = &App { registry, queue, webhooks };
    lambda::serve(|event| dispatch::handle(event, app)).await
}
