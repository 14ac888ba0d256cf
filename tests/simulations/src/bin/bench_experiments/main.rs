//! `make bench-experiments`: how soon and how rightly experiments end, and what canaries stop.
//!
//! The traffic is drawn, the judgement is the project's own: estimate, standing, weights, decision, and the
//! tick of canaries. The naive policies, which the product does not have, are made of its parts here. The
//! figures stand beside those of statistics.md §2.3, §4.1 and §5.
//!
//! Tolerances are those of §4.1: .03 for probabilities and 3 points for reductions of exposure, 12 % for
//! medians. Probabilities and medians may be off by two standard errors besides, those of medians by order
//! statistics. A median below a day may be off by another hour, for it is looked at once an hour. Reductions
//! have nothing of the kind. A cell with a figure that is off is drawn more often before it counts as missed:
//! then the standard errors of reductions are .25 points at most.

mod canaries;
mod canary;
mod claims;
mod draws;
mod drift;
mod experiment;
mod figures;
mod reference;
mod report;
mod simulation;
mod table;
mod world;

use std::process::ExitCode;

use clap::Parser;
use domain::Result;

use report::line;
use simulation::{MORE, Simulation};

#[derive(Parser)]
#[command(about = "Simulates experiments and canaries, and says whether the figures of statistics.md hold.")]
struct Args {
    /// What the draws follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often each cell of experiments is drawn, and 16 times as often where a figure is off; canaries half
    /// as often
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(2000..=1_000_000))]
    replications: u32,
    /// Draws only the cells whose names contain this, such as "fall, thompson strict", and judges no claims
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            line(&format!("The engine refused what was simulated: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints everything; says whether all figures are near.
fn measure(args: &Args) -> Result<bool> {
    let (experiments, canaries) = (args.replications, args.replications / 2);
    let cells = reference::cells() + drift::CELLS + canaries::CELLS;
    let mut simulation = Simulation::new(args.seed, cells, &args.only);
    line(&format!(
        "{experiments} replications of each cell, {canaries} of canaries, and {MORE} times as many where a \
         figure is off; seed {}. The figures of statistics.md, and | those simulated.",
        args.seed
    ));
    let table = reference::measure(&mut simulation, experiments)?;
    let drift = drift::measure(&mut simulation, experiments)?;
    let stopped = canaries::measure(&mut simulation, canaries)?;
    if args.only.is_empty() {
        claims::tell(&table, &drift);
    }
    let near = simulation.has_drawn() && table.near && drift.near && stopped;
    line(match (simulation.has_drawn(), near) {
        (false, _) => "\nNo cell is called so",
        (true, true) => "\nAll figures: met",
        (true, false) => "\nSome figures: MISSED",
    });
    Ok(near)
}
