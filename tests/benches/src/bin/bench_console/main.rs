//! `make bench-console`: how long a page of each kind takes over 500 prompts with 30 days of metrics, and what it
//! weighs.
//!
//! The pages come from the router over the embedded engines, so the figures contain these engines, and no network.

mod pages;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Opens a page of each kind many times, and says whether each is quick and light enough.")]
struct Args {
    /// How many prompts there are, in 20 teams
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5000))]
    prompts: u16,
    /// For how many days calls were reported
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=90))]
    days: u16,
    /// How often each page is opened
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u16).range(1..=1000))]
    times: u16,
    /// What reports are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    e2e::report::ended(measure(&args).await)
}

async fn measure(args: &Args) -> Outcome<bool> {
    let world = workspace::filled(args.prompts.into(), args.days.into(), args.seed).await?;
    let reader = pages::Reader::sign_in(&world).await;
    let found = reader.kinds().await;
    Ok(reader.measure(&found, args.times.into()).await)
}
