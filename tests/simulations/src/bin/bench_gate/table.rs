//! The tables of statistics.md §6, drawn again.

use domain::gate::GatePolicy;

use crate::{
    draw::{BASE, Candidate, Draws, Shares},
    report::{beside, chance, line, word},
};

/// The cases of the main table.
const CASES: u32 = 200;
const DISCORDANCES: [f64; 3] = [0.06, 0.10, 0.20];
/// The difference that the gate is not to let through.
const MARGIN: f64 = -0.05;
/// The most often that it may.
const FALSE_PROMOTIONS: f64 = 0.05;

/// For each difference of the pass rates: pass, fail and manual review, for each discordance.
const GATE: [(f64, [[f64; 3]; 3]); 5] = [
    (0.05, [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.94, 0.0, 0.06]]),
    (0.0, [[0.87, 0.03, 0.11], [0.71, 0.03, 0.26], [0.47, 0.04, 0.50]]),
    (-0.02, [[0.50, 0.21, 0.29], [0.37, 0.17, 0.46], [0.24, 0.13, 0.64]]),
    (MARGIN, [[0.056, 0.83, 0.11], [0.051, 0.68, 0.27], [0.050, 0.42, 0.53]]),
    (-0.10, [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.93, 0.07]]),
];

/// 15 % of production's pass rate less, with its discordance.
const FIFTEEN_PERCENT: (f64, f64, [f64; 3]) = (-0.13, 0.18, [0.0, 0.998, 0.002]);

/// For so many cases of discordance 0.10: passes at no difference, failures at the margin.
const BY_CASES: [(u32, [f64; 2]); 5] =
    [(50, [0.21, 0.13]), (100, [0.44, 0.35]), (200, [0.71, 0.67]), (400, [0.93, 0.93]), (800, [0.96, 1.0])];

/// With the option `confidence: 0.90` and discordance 0.10: equal ones that pass, and those at the margin.
const NINETY: [f64; 2] = [0.83, 0.10];

/// Of equal prompts, what «no worse than production» refuses: the least and the most over the discordances.
const REFUSED_EQUALS: [f64; 2] = [0.44, 0.47];
/// Of prompts at the margin, what «at most 2 points under production» lets through, likewise.
const LET_THROUGH: [f64; 2] = [0.06, 0.19];

/// Draws candidates and has them judged.
struct Simulation {
    draws: Draws,
    runs: u32,
    policy: GatePolicy,
}

/// Prints all tables; says whether all figures are near.
pub(crate) fn measure(seed: u64, runs: u32) -> bool {
    let mut simulation = Simulation { draws: Draws::new(seed), runs, policy: GatePolicy::default() };
    line(&format!(
        "Production passes {:.0} % of the cases; {runs} runs a cell, seed {seed}.\n\n{CASES} cases: pass, fail, manual review           statistics.md  |  simulated",
        100.0 * BASE
    ));
    let cells = simulation.cells();
    let by_cases = simulation.by_cases();
    let naive = naive_rules(&cells);
    let promotions = simulation.false_promotions(&cells);
    let ninety = simulation.ninety();
    cells.near && by_cases && naive && promotions && ninety
}

/// What came of the cells.
struct Cells {
    near: bool,
    equal: Vec<Shares>,
    at_margin: Vec<Shares>,
}

impl Simulation {
    fn shares(&mut self, cases: u32, discordance: f64, difference: f64) -> Shares {
        let candidate = Candidate { cases, discordance, difference };
        candidate.judged(&self.policy, self.runs, &mut self.draws)
    }

    /// The main table.
    fn cells(&mut self) -> Cells {
        let mut cells = Cells { near: true, equal: Vec::new(), at_margin: Vec::new() };
        for (difference, row) in GATE {
            for (discordance, table) in DISCORDANCES.into_iter().zip(row) {
                let shares = self.shares(CASES, discordance, difference);
                cells.near &= cell(discordance, difference, &table, shares);
                if difference == 0.0 {
                    cells.equal.push(shares);
                } else if (difference - MARGIN).abs() < 1e-9 {
                    cells.at_margin.push(shares);
                }
            }
        }
        let (difference, discordance, table) = FIFTEEN_PERCENT;
        let shares = self.shares(CASES, discordance, difference);
        cells.near &= cell(discordance, difference, &table, shares);
        cells
    }

    fn by_cases(&mut self) -> bool {
        line("\nDiscordance 0.10: equal ones that pass, failures at -5 points");
        let mut near = true;
        for (cases, table) in BY_CASES {
            let found = [self.shares(cases, 0.10, 0.0).pass, self.shares(cases, 0.10, MARGIN).fail];
            near &= beside(&format!("{cases} cases"), &table, &found);
        }
        near
    }

    /// The option that asks people less often.
    fn ninety(&mut self) -> bool {
        line("\nConfidence 0.90, discordance 0.10: equal ones that pass, passes at -5 points");
        self.policy.confidence = 0.90;
        let found = [0.0, MARGIN].map(|difference| self.shares(CASES, 0.10, difference).pass);
        self.policy = GatePolicy::default();
        beside(&format!("{CASES} cases"), &NINETY, &found)
    }

    /// The target of targets.md: a prompt that is worse by the margin seldom gets through.
    fn false_promotions(&self, cells: &Cells) -> bool {
        line("");
        let mut met = true;
        for (discordance, shares) in DISCORDANCES.into_iter().zip(&cells.at_margin) {
            let chance = chance(FALSE_PROMOTIONS, self.runs);
            let seldom = shares.pass < FALSE_PROMOTIONS + chance;
            met &= seldom;
            line(&format!(
                "False promotions at -5 points, discordance {discordance:.2}: {:.2} %; under {:.0} % (and \
                 {:.2} % of chance): {}",
                100.0 * shares.pass,
                100.0 * FALSE_PROMOTIONS,
                100.0 * chance,
                word(seldom)
            ));
        }
        met
    }
}

/// One cell of the main table.
fn cell(discordance: f64, difference: f64, table: &[f64], shares: Shares) -> bool {
    let name = format!("{:+4.0} points, discordance {discordance:.2}", 100.0 * difference);
    beside(&name, table, &[shares.pass, shares.fail, shares.manual])
}

/// What simpler rules would do with the same runs.
fn naive_rules(cells: &Cells) -> bool {
    line("\nSimpler rules, least and most over the discordances");
    let range = |shares: &[Shares], of: fn(&Shares) -> f64| {
        let each = || shares.iter().map(of);
        [each().fold(1.0, f64::min), each().fold(0.0, f64::max)]
    };
    let refused = range(&cells.equal, |shares| shares.below);
    let let_through = range(&cells.at_margin, |shares| shares.within_two_points);
    let refused = beside("no worse: refuses equals", &REFUSED_EQUALS, &refused);
    beside("2 points under: passes -5 points", &LET_THROUGH, &let_through) && refused
}
