//! `make load`: a company's prompts resolved at fixed rates, whether answers come or not, while versions move.
//!
//! Arrivals are scheduled beforehand and latency counts from when a request was due, so that a server that stalls cannot
//! hide it by keeping the generator waiting.

mod arrivals;
mod moves;
mod platform;
mod processes;
mod report;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use benches::{Outcome, child, on_all_cores, on_one_core};
use clap::Parser;

#[derive(Parser)]
#[command(
    about = "Resolves 500 prompts at fixed rates while versions move, and says whether the targets are met."
)]
struct Args {
    /// Requests per second, one measurement each; 10,000 is the one with a target
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 3_000, 10_000])]
    rates: Vec<u32>,
    /// How long each rate is kept up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How many prompts there are, in 20 teams
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(20..=5000))]
    prompts: u16,
    /// How many connections are kept open
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// How many processes of resolve get 10 requests a second each, as Lambda spreads them; 0 leaves it out
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(..=100))]
    processes: u16,
    /// The program `resolve` of another release, which every second of these processes runs, as during a deployment
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<PathBuf>,
    /// What requests and moves are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The Redis or Valkey server that stands for the cache (`make tools` sets one up)
    #[arg(long, default_value_os_t = e2e::cache_program())]
    cache_program: PathBuf,
    #[command(subcommand)]
    role: Option<child::Role>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.role {
        Some(role) => on_all_cores(child::serve(role)).map(|()| true),
        None => all(&args),
    };
    e2e::report::ended(done)
}

/// Both measurements, also where the first missed.
fn all(args: &Args) -> Outcome<bool> {
    e2e::report::line(&format!("seed {}", args.seed));
    let mut met = on_one_core(platform::measure(args))?;
    if args.processes > 0 {
        met &= on_all_cores(processes::measure(args))?;
    }
    Ok(met)
}
