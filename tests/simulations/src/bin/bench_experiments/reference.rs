//! The reference table of statistics.md §4.1, drawn again.

use domain::Result;

use crate::{
    draws::Draws,
    experiment::{self, Policy, Run},
    figures::Figures,
    report::{Row, line},
    simulation::Simulation,
    table::{BETWEEN, BLOCKS, Block, Cell, EFFECTS, NAIVE_FIXED, NONE},
    world::{Drift, World},
};

/// How many cells there are.
pub(crate) fn cells() -> usize {
    let line = 1 + EFFECTS.len();
    BLOCKS.iter().map(|block| block.lines.len() * line + 2).sum::<usize>() + BETWEEN.len()
}

/// What was measured, to be asked for later.
pub(crate) struct Measured {
    cells: Vec<(Policy, f64, Figures)>,
    replications: u32,
    /// Whether all figures are those of the table.
    pub(crate) near: bool,
}

impl Measured {
    /// The figures of a policy with an effect in each block, in their order.
    pub(crate) fn of(&self, policy: Policy, effect: f64) -> impl Iterator<Item = &Figures> {
        self.cells
            .iter()
            .filter(move |cell| cell.0 == policy && (cell.1 - effect).abs() < 1e-9)
            .map(|cell| &cell.2)
    }

    /// All figures of a policy with any effect.
    pub(crate) fn effective(&self, policy: Policy) -> impl Iterator<Item = &Figures> {
        self.cells.iter().filter(move |cell| cell.0 == policy && cell.1 > 0.0).map(|cell| &cell.2)
    }

    /// Draws a cell and prints its line.
    fn cell(
        &mut self,
        simulation: &mut Simulation,
        block: &Block,
        (policy, effect): (Policy, f64),
        row: impl Fn(&Figures) -> Row,
    ) -> Result<()> {
        let world = World { metric: block.metric, classic: block.classic, effect, drift: Drift::None };
        let name = format!("{}, {}, {effect}x", block.name, policy.name());
        let run = |draws: &mut Draws| experiment::run(policy, &world, draws);
        let is_near = |runs: &[Run]| row(&Figures::of(runs)).is_met();
        let Some(runs) = simulation.cell(&name, self.replications, run, is_near)? else { return Ok(()) };
        let figures = Figures::of(&runs);
        self.cells.push((policy, effect, figures));
        self.near &= row(&figures).print();
        Ok(())
    }

    /// A cell of equals, beside the table's: how often the second arm wins, and the first.
    fn equals(
        &mut self,
        simulation: &mut Simulation,
        block: &Block,
        policy: Policy,
        wins: [f64; 2],
    ) -> Result<()> {
        self.cell(simulation, block, (policy, 0.0), |figures| {
            Row::new(policy.name(), "A/A").share("P_B", wins[0], figures.wins[1]).share(
                "P_A",
                wins[1],
                figures.wins[0],
            )
        })
    }

    /// A cell with an effect, beside the table's.
    fn effect(
        &mut self,
        simulation: &mut Simulation,
        block: &Block,
        (policy, effect, target): (Policy, f64, Cell),
    ) -> Result<()> {
        let [wins, day, spared, converged] = target;
        self.cell(simulation, block, (policy, effect), |figures| {
            Row::new(policy.name(), &format!("{effect}x"))
                .share("P_B", wins, figures.wins[1])
                .days("median", day, figures.day)
                .percent("reduction", spared / 100.0, figures.spared)
                .days("converged", converged, figures.converged)
        })
    }
}

/// Prints the table.
pub(crate) fn measure(simulation: &mut Simulation, replications: u32) -> Result<Measured> {
    let mut measured = Measured { cells: Vec::new(), replications, near: true };
    for (at, block) in BLOCKS.iter().enumerate() {
        line(&format!(
            "\n{}: P_B and P_A among equals; P_B, median day, reduction of exposure in percent, day of \
             convergence",
            block.name
        ));
        for (policy, equal, effects) in block.lines {
            measured.equals(simulation, block, *policy, *equal)?;
            for (effect, target) in EFFECTS.into_iter().zip(effects) {
                measured.effect(simulation, block, (*policy, effect, *target))?;
            }
        }
        measured.equals(simulation, block, Policy::NaiveFixed, [NONE, NONE])?;
        let [day, spared] = NAIVE_FIXED[at];
        measured.effect(simulation, block, (Policy::NaiveFixed, 1.0, [NONE, day, spared, NONE]))?;
        if at == 0 {
            for between in BETWEEN {
                measured.effect(simulation, block, between)?;
            }
        }
    }
    Ok(measured)
}
