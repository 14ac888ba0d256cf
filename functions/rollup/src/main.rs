//! `rollup` on Lambda.

use rollup::App;
use runtime::{Configuration, Process, lambda};

#[tokio::main]
async fn main() -> lambda::Outcome {
    let process = Process::connect(Configuration::of_tables(lambda::begin())?).await?;
    let app = &App { store: process.store, sources: process.sources };
    lambda::serve(|event| rollup::handle(event, app)).await
}
