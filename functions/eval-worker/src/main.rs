//! `eval-worker` on Lambda.

use eval_worker::{App, Judges};
use models::{Models, Settings};
use registry::Registry;
use runtime::{Configuration, Evaluation, Process, Queue, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_evaluation(lambda::begin())?;
    let queue_url = configuration.eval_queue_url.clone();
    let process = Process::connect(configuration).await?;
    let queue = Queue::new(&process.aws, &queue_url);
    let settings = Settings::of_caller(process.aws.config(), process.sources.clock.clone());
    let Evaluation { judge_model, embedding_model, model_hosts, .. } = process.evaluation;
    let models = Models::new(settings.on(model_hosts, process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let judges = Judges { judge_model, embedding_model };
    let app = &App { registry, queue, judges };
    lambda::serve(|event| eval_worker::handle(event, app)).await
}
