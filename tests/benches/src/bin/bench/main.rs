//! `make bench`: what resolve costs, beside references in the same run, and in the caller's own process; and what a
//! rollback takes to be seen.
//!
//! This process makes the load; the servers are this same program in other roles, in processes and sessions of their
//! own. Machines are shared and noisy, so the figures that count are ratios of rounds that took turns.

mod bootstrap;
mod in_process;
mod report;
mod rollbacks;
mod sources;

use std::{path::PathBuf, process::ExitCode};

use benches::{Outcome, child, on_all_cores, on_one_core};
use clap::Parser;

#[derive(Parser)]
#[command(about = "Measures resolve beside references, and rollbacks, and says whether the targets are met.")]
struct Args {
    /// How long each measurement takes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often reference and platform take turns; 0 leaves them out
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many connections are kept busy
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How often the program of resolve is started; 0 leaves it out
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// How many rollbacks are measured for each fault of the cache; 0 leaves them out
    #[arg(long, default_value_t = 20)]
    rollbacks: u64,
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

/// Every measurement, also after one that missed.
fn all(args: &Args) -> Outcome<bool> {
    // First of all: later the memory of others would be used again, and not be seen to grow.
    let mut met = on_all_cores(in_process::measure())?;
    if args.rounds > 0 {
        met &= on_one_core(sources::measure(args))?;
    }
    if args.starts > 0 {
        met &= on_all_cores(bootstrap::measure(args.starts))?;
    }
    if args.rollbacks > 0 {
        met &= on_all_cores(rollbacks::measure(&args.cache_program, args.rollbacks))?;
    }
    Ok(met)
}
