//! `eval-worker` on Lambda.

use eval_worker::App;
use models::{Models, Secrets, Settings};
use registry::Registry;
use runtime::{Configuration, Process, Queue, Variables, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_evaluation(lambda::begin())?;
    let queue_url = configuration.eval_queue_url.clone();
    let process = Process::connect(configuration).await?;
    let queue = Queue::new(&process.aws, &queue_url);
    let models =
        Models::new(Settings::of_function(Secrets::new(Variables::secret), process.models_on_loopback))?;
    let registry = Registry::new(process.store, process.remote, process.sources, models);
    let app = &App { registry, queue };
    lambda::serve(|event| eval_worker::handle(event, app)).await
}
