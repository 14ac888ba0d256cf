//! `make bench`: resolve beside a bare axum handler that returns prebuilt bytes of the same size, in the same run.
//!
//! This process makes the load; the servers are this same program in other roles, in processes and sessions of their
//! own. Machines are shared and noisy, so the figures that count are ratios of rounds that took turns.

mod child;
mod load;
mod report;
mod rollbacks;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use report::Round;
use serde_json::json;
use tempfile::TempDir;

use crate::{child::Child, load::Load};

/// The least share of the reference's requests per second (issue «Loop»).
const LEAST_RATIO: f64 = 0.35;
/// The longest cold resolve.
const LONGEST_COLD: Duration = Duration::from_millis(50);

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Measures resolve beside a bare axum handler, and says whether the targets are met.")]
struct Args {
    /// How long each measurement takes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often reference and platform take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many connections are kept busy
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How many rollbacks are measured for each fault of the cache; 0 leaves them out
    #[arg(long, default_value_t = 20)]
    rollbacks: u64,
    /// The Redis or Valkey server that stands for the cache (`make tools` sets one up)
    #[arg(long, default_value = ".tools/bin/redis-server")]
    cache_program: std::path::PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Serve the platform over a folder (started by the bench itself)
    Platform {
        /// The data folder
        folder: std::path::PathBuf,
    },
    /// Serve the reference (started by the bench itself)
    Reference {
        /// How long the body is
        bytes: usize,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.role {
        Some(Role::Platform { folder }) => on_all_cores(child::serve_platform(folder)).map(|()| true),
        Some(Role::Reference { bytes }) => on_all_cores(child::serve_reference(*bytes)).map(|()| true),
        None => all(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report::line(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Every measurement, also after one that missed.
fn all(args: &Args) -> Outcome<bool> {
    let warm_and_cold = on_one_core(bench(args))?;
    let rollbacks =
        args.rollbacks == 0 || on_all_cores(rollbacks::measure(&args.cache_program, args.rollbacks))?;
    Ok(warm_and_cold && rollbacks)
}

/// Runs a server, as `local` runs.
fn on_all_cores<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Runs the load, which is of one thread so that it leaves the server as much of the machine as it can.
fn on_one_core<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Whether all targets are met.
async fn bench(args: &Args) -> Outcome<bool> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let mut platform = Child::platform(folder.path()).await?;
    report::line("writes a prompt of 1 KB with three variables, and promotes it to staging");
    let load = prepare(&platform).await?;
    let answer = load.once(&platform.address).await?;
    let reference = Child::reference(answer.len()).await?;
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        report::line(&format!("round {round} of {}: {} s each", args.rounds, args.seconds));
        let seconds = Duration::from_secs(args.seconds);
        let bare = load::reference().run(&reference, args.connections, seconds).await?;
        let warm = load.run(&platform, args.connections, seconds).await?;
        rounds.push(Round { bare, warm });
    }
    let mut cold = Vec::new();
    for _ in 0..5 {
        platform.stop().await;
        platform = Child::platform(folder.path()).await?;
        cold.push(load.timed(&platform.address).await?);
    }
    platform.stop().await;
    Ok(report::verdict(&rounds, &cold, answer.len(), LEAST_RATIO, LONGEST_COLD))
}

/// Writes what is resolved, and makes the request that resolves it.
async fn prepare(platform: &Child) -> Outcome<Load> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let call = async |path: &str, body: serde_json::Value| -> Outcome<serde_json::Value> {
        let url = format!("http://{}{path}", platform.address);
        let answer =
            client.post(url).bearer_auth(child::ADMIN).json(&body).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    };
    let prompt = call("/api/prompts", json!({ "name": "warm", "team_id": "bench" })).await?;
    let id = prompt["prompt_id"].as_str().unwrap_or_default();
    let sentence =
        "You answer customers of Larkfield kindly, in at most three sentences, and never promise a date. ";
    let template = format!(
        "{}Customer: {{{{ name }}}}\nPlan: {{{{ plan }}}}\nMessage: {{{{ message }}}}\n",
        sentence.repeat(10)
    );
    let version = json!({ "template_text": template, "model_id": "mock/echo" });
    let version = call(&format!("/api/prompts/{id}/versions"), version).await?;
    let promotion = json!({ "version_id": version["version_id"], "environment": "staging" });
    call(&format!("/api/prompts/{id}/promote"), promotion).await?;
    let key = json!({ "team_id": "bench", "role": "resolver", "name": "bench" });
    let key = call("/api/keys", key).await?;
    let variables = "%7B%22name%22%3A%22Ada%22%2C%22plan%22%3A%22Team%22%2C%22message%22%3A%22Where%20is%20my%20order%3F%22%7D";
    let path = format!("/api/resolve/warm?env=staging&user_id=user-1&variables={variables}");
    Ok(Load::get(&path, key["secret"].as_str()))
}
