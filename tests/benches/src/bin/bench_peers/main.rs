//! `make bench-peers`: how fast a prompt is read by its name, from Cuecard, Arize Phoenix and MLflow in the same run,
//! between two limits: a bare handler, and one GET of a cache.
//!
//! This process makes the load; each server has a process and a session of its own. Machines are shared and noisy, so
//! all take turns, and the figures that count are ratios of rounds.

mod chart;
mod cuecard;
mod limits;
mod mlflow;
mod phoenix;
mod report;
mod system;
mod texts;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use benches::{Outcome, child, on_all_cores, on_one_core};
use clap::Parser;
use e2e::report::line;
use testkit::cache_server::CacheServer;

use crate::report::Row;

#[derive(Parser)]
#[command(about = "Reads the same prompts from Cuecard, Phoenix and MLflow, and says how fast each is.")]
struct Args {
    /// How long each measurement takes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often all take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many connections are kept busy
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How many prompts are read in turn
    #[arg(long, default_value_t = 50)]
    prompts: usize,
    /// The folder of the real prompts; others are made where it is absent
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// The folder of Phoenix' and MLflow's programs (`make bench-peers` sets them up)
    #[arg(long, default_value_os_t = programs())]
    programs: PathBuf,
    /// The Redis or Valkey server that stands for the cache (`make tools` sets one up)
    #[arg(long, default_value_os_t = e2e::cache_program())]
    cache_program: PathBuf,
    /// Where the table and the chart are written
    #[arg(long, default_value_os_t = written())]
    out: PathBuf,
    #[command(subcommand)]
    role: Option<child::Role>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.role {
        Some(role) => on_all_cores(child::serve(role)),
        None => on_one_core(until_interrupted(&args)),
    };
    e2e::report::ended(done.map(|()| true))
}

/// Servers in sessions of their own would outlive this process where it is interrupted.
async fn until_interrupted(args: &Args) -> Outcome<()> {
    tokio::select! {
        done = measure(args) => done,
        interrupted = tokio::signal::ctrl_c() => Err(interrupted.err().map_or("interrupted".into(), Into::into)),
    }
}

async fn measure(args: &Args) -> Outcome<()> {
    let texts = texts::read(&args.data, args.prompts)?;
    let cores = std::thread::available_parallelism()?.get();
    line("Starts all servers, and writes the prompts into each");
    let ours = cuecard::start(&texts).await?;
    let bytes = ours.bytes(&texts).await?;
    let cache = CacheServer::start(&args.cache_program).await?;
    let mut systems = vec![limits::bare(bytes).await?, limits::plain_get(&cache.url(), bytes).await?, ours];
    systems.push(phoenix::start(&args.programs, &texts).await?);
    systems.push(mlflow::start(&args.programs, &texts, 1).await?);
    if cores > 1 {
        systems.push(mlflow::start(&args.programs, &texts, cores).await?);
    }
    let mut rows = Vec::new();
    for system in &systems {
        rows.extend(Row::of(system, &texts).await?);
    }
    for round in 1..=args.rounds {
        for row in &mut rows {
            line(&format!("round {round} of {}, {} s: {}", args.rounds, args.seconds, row.name));
            let time = Duration::from_secs(args.seconds);
            row.rounds.push(row.load.run(&row.system.server, args.connections, time).await?);
        }
    }
    let how = format!(
        "{cores} cores, {} connections, {} prompts in turn; medians of {} rounds of {} s",
        args.connections, args.prompts, args.rounds, args.seconds
    );
    let written = report::write(&rows, &how, &args.out);
    drop(rows);
    for system in systems {
        system.stop().await?;
    }
    written
}

/// Where `make bench-peers` puts their programs.
fn programs() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/peers/bin")).to_owned()
}

/// Beside all else that is built.
fn written() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers")).to_owned()
}
