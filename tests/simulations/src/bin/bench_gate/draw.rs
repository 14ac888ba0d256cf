//! Candidates whose true quality is known, and what the gate says about them.

use std::collections::BTreeMap;

use domain::{
    EvalRunId, VersionId, VersionPointer,
    gate::{
        Baseline, Comparison, Figures, GatePolicy, GateResult, Observation, Tally, Verdict, compare, judge,
    },
    money::Usd,
};

/// The share of cases that production passes.
pub(crate) const BASE: f64 = 0.85;

/// However much worse a candidate is, it improves this share of the cases.
const LEAST_IMPROVED: f64 = 0.01;

/// A candidate beside production. Shares are of all cases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// How many cases there are.
    pub(crate) cases: u32,
    /// The share that one of the two passes and the other does not.
    pub(crate) discordance: f64,
    /// How much larger the candidate's pass rate is than production's.
    pub(crate) difference: f64,
}

/// The shares of runs with each verdict, and with what simpler rules look at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    pub(crate) pass: f64,
    pub(crate) fail: f64,
    pub(crate) manual: f64,
    /// The candidate passes fewer cases than production.
    pub(crate) below: f64,
    /// The candidate's pass rate is at most 2 points under production's.
    pub(crate) within_two_points: f64,
}

impl Candidate {
    /// The shares of cases that improve and that regress. With more difference than discordance, discordance
    /// grows.
    pub(crate) fn changes(&self) -> (f64, f64) {
        let improved = f64::midpoint(self.discordance, self.difference).max(LEAST_IMPROVED);
        (improved, improved - self.difference)
    }

    /// Draws as many runs as asked, and has the gate judge each.
    pub(crate) fn judged(&self, policy: &GatePolicy, runs: u32, draws: &mut Draws) -> Shares {
        let [mut production, mut candidate] = [(); 2].map(|()| (0..self.cases).map(case).collect::<Vec<_>>());
        let mut shares = Shares::default();
        let one = 1.0 / f64::from(runs);
        for _ in 0..runs {
            self.draw(&mut production, &mut candidate, draws);
            let (comparison, verdict) = verdict(policy, &production, &candidate);
            match verdict.result {
                GateResult::Pass => shares.pass += one,
                GateResult::Fail => shares.fail += one,
                GateResult::ManualReview => shares.manual += one,
            }
            shares.below += if comparison.difference < 0.0 { one } else { 0.0 };
            // Differences are multiples of one case, as floating point has them.
            shares.within_two_points += if comparison.difference >= -0.02 - 1e-9 { one } else { 0.0 };
        }
        shares
    }

    /// Each case has one of four ends: both pass, one of them, none.
    fn draw(&self, production: &mut [Observation], candidate: &mut [Observation], draws: &mut Draws) {
        let (improved, regressed) = self.changes();
        for (before, after) in production.iter_mut().zip(candidate) {
            let at = draws.next();
            before.passed = at < BASE;
            after.passed = (regressed..BASE + improved).contains(&at);
            before.score = if before.passed { 1.0 } else { 0.0 };
            after.score = if after.passed { 1.0 } else { 0.0 };
        }
    }
}

fn case(number: u32) -> Observation {
    Observation {
        case_id: number.to_string(),
        content_sha256: String::new(),
        passed: false,
        score: 0.0,
        critical: false,
        metrics: BTreeMap::new(),
    }
}

fn verdict(
    policy: &GatePolicy,
    production: &[Observation],
    candidate: &[Observation],
) -> (Comparison, Verdict) {
    let live = VersionPointer { number: 1, id: VersionId::from_bytes([1; 16]) };
    let comparison = compare((live, EvalRunId::from_bytes([1; 16])), candidate, production);
    let mut tally = Tally::default();
    for case in candidate {
        *(if case.passed { &mut tally.passed } else { &mut tally.failed }) += 1;
    }
    let figures = Figures { tally, avg_score: 1.0, p95_latency_ms: None, cost_per_case: Usd::default() };
    let verdict = judge(policy, &figures, Baseline::Version(&comparison));
    (comparison, verdict)
}

/// Numbers that look random and follow from a seed (`SplitMix64`).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, from 0 to less than 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 32 bits are an exact f64, and far finer than any share here.
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / 2.0_f64.powi(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawn_cases_have_the_shares_that_were_asked_for() {
        let count = |cases: &[Observation]| cases.iter().filter(|case| case.passed).count();
        let cases: u32 = 200_000;
        let [mut production, mut candidate] = [(); 2].map(|()| (0..cases).map(case).collect::<Vec<_>>());
        let wanted = Candidate { cases, discordance: 0.10, difference: -0.05 };
        wanted.draw(&mut production, &mut candidate, &mut Draws::new(7));
        let differ = production.iter().zip(&candidate).filter(|(a, b)| a.passed != b.passed).count();
        for (found, share) in [(count(&production), 0.85), (count(&candidate), 0.80), (differ, 0.10)] {
            let found = f64::from(u32::try_from(found).unwrap()) / f64::from(cases);
            assert!((found - share).abs() < 0.004, "{found} is not {share}");
        }
        assert!(candidate.iter().all(|case| (case.score > 0.5) == case.passed));
    }

    #[test]
    fn a_difference_larger_than_the_discordance_leaves_something_improved() {
        let candidate = |discordance, difference| Candidate { cases: 1, discordance, difference };
        for (found, wanted) in [
            (candidate(0.10, 0.05).changes(), (0.075, 0.025)),
            (candidate(0.10, -0.05).changes(), (0.025, 0.075)),
            (candidate(0.06, -0.05).changes(), (0.01, 0.06)),
            (candidate(0.06, -0.10).changes(), (0.01, 0.11)),
        ] {
            assert!((found.0 - wanted.0).abs() < 1e-12 && (found.1 - wanted.1).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn verdicts_follow_from_the_seed_and_add_up() {
        let candidate = Candidate { cases: 200, discordance: 0.10, difference: -0.02 };
        let shares = |seed| candidate.judged(&GatePolicy::default(), 200, &mut Draws::new(seed));
        let (one, again, other) = (shares(1), shares(1), shares(2));
        assert!((one.pass + one.fail + one.manual - 1.0).abs() < 1e-9);
        assert_eq!(format!("{one:?}"), format!("{again:?}"));
        assert_ne!(format!("{one:?}"), format!("{other:?}"));
    }
}
