//! `make bench-eval`: how long an evaluation takes, from the request to the verdict, beside promptfoo in the
//! same run.
//!
//! This process asks; the platform is this same program in another role, in a process and session of its own.
//! Both systems evaluate the same cases with the same development model of that platform, one after the
//! other.

mod platform;
mod promptfoo;
mod report;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use benches::{Outcome, child};
use clap::Parser;

use crate::{
    platform::{Evaluated, Platform},
    report::{Row, line, seconds, target},
};

/// The cases that are evaluated with each latency.
const CASES: u32 = 200;
/// How many workers both systems are compared with.
const WORKERS: u32 = 50;
/// Latencies of the model, and the longest that an evaluation of the cases may take with each.
const TARGETS: [(Duration, Duration); 2] = [
    (Duration::from_secs(1), Duration::from_secs(5)),
    (Duration::from_millis(200), Duration::from_millis(2500)),
];
/// The most memory of a platform that evaluates, in MiB.
const MOST_MEMORY: u64 = 250;

#[derive(Parser)]
#[command(about = "Times evaluations beside promptfoo, and says whether the targets are met.")]
struct Args {
    /// How often the platform evaluates the cases; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The cases of one large evaluation with a model that answers at once; 0 leaves it out
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=10_000))]
    many: u32,
    /// Leave promptfoo out
    #[arg(long)]
    alone: bool,
    /// promptfoo's program (`make bench-eval` sets it up)
    #[arg(long, default_value_os_t = promptfoo::program())]
    promptfoo: PathBuf,
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

/// Every measurement, also after one that missed.
async fn measure(args: &Args) -> Outcome<bool> {
    if !args.alone && !args.promptfoo.exists() {
        let program = args.promptfoo.display();
        return Err(
            format!("There is no {program}: `make bench-eval` sets it up; --alone leaves it out.").into()
        );
    }
    report::heading(CASES);
    let mut verdicts = Vec::new();
    for (latency, longest) in TARGETS {
        let ours = with_latency(args, latency).await?;
        verdicts.push((latency, longest, ours));
    }
    line("");
    let mut met = true;
    for (latency, longest, ours) in verdicts {
        let name = format!("{CASES} cases on a model of {} s", seconds(latency));
        met &= target(
            &format!("{name}: {} s", seconds(ours.took)),
            &format!("under {} s", seconds(longest)),
            ours.took < longest,
        );
        met &= memory(&name, ours.peak_memory);
    }
    if args.many > 0 {
        met &= many(args.many).await?;
    }
    Ok(met)
}

/// Both systems with one latency; returns ours, with default settings.
async fn with_latency(args: &Args, latency: Duration) -> Outcome<Evaluated> {
    let row = |system, workers, took, evaluating| Row { system, workers, latency, took, evaluating };
    let equal = Platform::start(latency, Some(WORKERS)).await?;
    let ours_equal = equal.evaluate(CASES, args.rounds).await?;
    equal.stop().await?;
    let platform = Platform::start(latency, None).await?;
    let ours = platform.evaluate(CASES, args.rounds).await?;
    row("Cuecard", None, ours.took, ours.took).print();
    row("Cuecard", Some(WORKERS), ours_equal.took, ours_equal.took).print();
    if !args.alone {
        for workers in [None, Some(WORKERS)] {
            let theirs = promptfoo::evaluate(&args.promptfoo, platform.url(), CASES, workers).await?;
            row("promptfoo", workers, theirs.took, theirs.evaluating).print();
        }
    }
    platform.stop().await?;
    Ok(ours)
}

/// One large evaluation. It has a target for memory, and none for its time.
async fn many(cases: u32) -> Outcome<bool> {
    let platform = Platform::start(Duration::ZERO, None).await?;
    let ours = platform.evaluate(cases, 1).await?;
    platform.stop().await?;
    let name = format!("{cases} cases on a model that answers at once");
    line(&format!("{name}: {} s", seconds(ours.took)));
    Ok(memory(&name, ours.peak_memory))
}

fn memory(name: &str, peak: u64) -> bool {
    target(&format!("{name}: {peak} MiB at most"), &format!("under {MOST_MEMORY} MiB"), peak < MOST_MEMORY)
}
