//! `make bench-gate`: how often the gate passes, refuses and asks, for candidates of known quality.
//!
//! The cases are drawn, the judgement is the project's own. The figures stand beside those of statistics.md
//! §6.

mod draw;
mod report;
mod table;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Simulates the evaluation gate, and says whether the figures of statistics.md hold.")]
struct Args {
    /// What the draws follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often each cell of the tables is drawn: 100,000 times, a share's standard error is under 0.002
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..))]
    runs: u32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if table::measure(args.seed, args.runs) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
