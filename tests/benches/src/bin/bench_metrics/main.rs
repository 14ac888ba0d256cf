//! `make bench-metrics`: that what is reported is counted exactly, fast enough, and for how many writes.
//!
//! All three run the project's own `ingest` and `rollup` over the embedded engines, so the figures of speed contain
//! these engines: the table is SQLite in the measured process, which shares its core.

mod child;
mod exact;
mod pace;
mod report;
mod writes;

use std::process::ExitCode;

use clap::Parser;

use crate::{child::Mix, report::line};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Reports and counts events, and says whether the counters are exact and the targets met.")]
struct Args {
    /// How many events are counted while everything goes wrong; 0 leaves it out
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    events: u32,
    /// How long events arrive at the pace of the target; 0 leaves it out
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=3600))]
    seconds: u32,
    /// How often 20,000 events are sent to see what they write; 0 leaves it out
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// What events, faults and deaths are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    role: Option<child::Role>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.role {
        Some(role) => child::serve(role).await.map(|()| true),
        None => measure(&args).await,
    };
    e2e::report::ended(done)
}

/// Every measurement, also after one that missed; the short ones first.
async fn measure(args: &Args) -> Outcome<bool> {
    line(&format!("seed {}", args.seed));
    let mut met = true;
    if args.rounds > 0 {
        met &= writes::measure(args.rounds, args.seed).await;
    }
    if args.seconds > 0 {
        for mix in [Mix::Calls, Mix::Crowd] {
            met &= pace::measure(mix, args.seconds, args.seed).await?;
        }
    }
    if args.events > 0 {
        met &= exact::measure(usize::try_from(args.events)?, args.seed).await;
    }
    line(if met { "\nAll targets: met" } else { "\nSome targets: MISSED" });
    Ok(met)
}
