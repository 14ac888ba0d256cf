//! `eval-worker` on Lambda.

use eval_worker::App;
use models::{Models, Secrets, Settings};
use registry::Registry;
use runtime::{Configuration, Queue, Variables, aws::Aws, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let configuration = Configuration::of_evaluation(lambda::begin())?;
    let aws = Aws::connect().await;
    let models = Models::new(Settings::of_function(Secrets::new(Variables::secret)))?;
    let registry = Registry::new(aws.store(configuration.names), runtime::sources::system(), models);
    let app = &App { registry, queue: Queue::new(&aws, &configuration.eval_queue_url) };
    lambda::serve(|event| eval_worker::handle(event, app)).await
}
