//! `make faults`: one fault after another while prompts are resolved, moved and reported of, each beside its bounds.
//!
//! For each fault a platform of its own is started: the functions' own routers and handlers in several instances, each
//! with its own memory, over the embedded engines, a proxy that injects the faults of the table, and a Redis server.
//! The fault begins after the first third of the resolves and ends after the second, but not before it has lasted for a
//! while: resolves then go on, more of them than were asked for.

mod faults;
mod hands;
mod instances;
mod moves;
mod reports;
mod resolves;
mod run;
mod stage;
mod verdict;

use std::{path::PathBuf, process::ExitCode};

use benches::{Outcome, on_all_cores};
use clap::Parser;
use e2e::report::{line, word};

#[derive(Parser)]
#[command(about = "Resolves through one fault after another, and says whether the bounds hold.")]
struct Args {
    /// How many resolves each fault meets at least, a third of them while it lasts
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(300..=10_000_000))]
    resolves: u32,
    /// How many of them there are in a second at most
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(16..=16_000))]
    rate: u32,
    /// Only the faults whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// What the times of deaths are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The Redis or Valkey server that stands for the cache (`make tools` sets one up)
    #[arg(long, default_value_os_t = e2e::cache_program())]
    cache_program: PathBuf,
}

fn main() -> ExitCode {
    e2e::report::ended(on_all_cores(all(Args::parse())))
}

/// Every fault, also after one that missed, or that could not be injected or looked at to the end.
async fn all(args: Args) -> Outcome<bool> {
    line(&format!("seed {}, {} resolves or more for each fault", args.seed, args.resolves));
    verdict::heading();
    let (mut met, mut faults) = (true, 0);
    for fault in faults::all().filter(|fault| fault.name.contains(&args.only)) {
        met &= match Box::pin(run::through(fault, &args)).await {
            Ok(verdict) => verdict.tell(fault),
            Err(error) => {
                line(&format!("{:<48} {}: {error}", fault.name, word(false)));
                false
            }
        };
        faults += 1;
    }
    if faults == 0 {
        return Err(format!("no fault is named so: {}", args.only).into());
    }
    line(&format!("\n{faults} faults: {}", word(met)));
    Ok(met)
}
