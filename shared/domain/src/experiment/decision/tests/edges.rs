//! Edge cases of statistics.md §7, from the observations of each arm to the decision.

use super::*;
use crate::{
    counter::Cell,
    experiment::estimate::{MAX_ARMS, Noise, Stratum},
    measure::Measure,
};

/// Constants that a measure may have: every answer is the same.
const CONSTANTS: [(Measure, f64); 8] = [
    (Measure::UserRating, 5.0),
    (Measure::EvalScore, 1.0),
    (Measure::Quality, 0.3),
    (Measure::Success, 0.0),
    (Measure::Success, 1.0),
    (Measure::Error, 0.0),
    (Measure::LatencyMs, 250.0),
    (Measure::CostUsd, 0.0007),
];

fn constant(measure: Measure, value: f64, n: u64) -> Cell {
    let mut cell = Cell::default();
    (0..n).for_each(|unit64| cell.add(measure, value, unit64));
    cell
}

fn estimated(measure: Measure, arms: &[Cell]) -> Estimate {
    let sums = arms.iter().map(|cell| cell.total.sums().unwrap().signed(measure.sign()));
    let strata = [Stratum { allocation_version: 1, arms: sums.collect() }];
    Estimate::of(arms.len(), &strata, Noise::of(measure, 1.0), |_| 1.0).unwrap()
}

fn decided_by(measure: Measure, arms: &[Cell], progress: Progress) -> Decision {
    let estimate = estimated(measure, arms);
    let standing = Standing::of(&estimate, &vec![true; arms.len()], 3);
    decide(&estimate, &standing, STRICT, Progress { scale: estimate.scale(measure, 0), ..progress })
}

#[test]
fn no_data_decides_nothing_however_many_arms_there_are() {
    for arms in 2..=MAX_ARMS {
        let decision = decided_by(Measure::Success, &vec![Cell::default(); arms], DAY_2);
        assert_eq!(decision.outcome, Outcome::Undecided, "{arms}");
        assert!(decision.ln_e <= 0.0 && decision.e_value().is_finite(), "{decision:?}");
    }
}

#[test]
fn constants_leave_the_variance_of_the_prior_and_no_evidence() {
    for (measure, value) in CONSTANTS {
        let arms = [constant(measure, value, 230), constant(measure, value, 311)];
        let variance = estimated(measure, &arms).sigma().powi(2);
        let prior = measure.prior_variance() / 540.0;
        assert!((variance / prior - 1.0).abs() < 1e-6, "{measure:?} {value}: {variance}");
        for progress in [DAY_2, END] {
            let decision = decided_by(measure, &arms, progress);
            assert!(decision.z.abs() < 1e-6 && decision.ln_e.is_finite(), "{decision:?}");
            assert!(decision.e_value() <= 1.0, "{decision:?}");
            assert!(!matches!(decision.outcome, Outcome::Winner(_)), "{decision:?}");
        }
    }
}

#[test]
fn constants_that_differ_wait_for_the_samples_only() {
    for (measure, better, worse) in [
        (Measure::UserRating, 5.0, 4.0),
        (Measure::EvalScore, 0.9, 0.7),
        (Measure::LatencyMs, 200.0, 400.0),
        (Measure::CostUsd, 0.001, 0.002),
    ] {
        let after =
            |n| decided_by(measure, &[constant(measure, worse, n), constant(measure, better, n)], DAY_2);
        let (early, enough) = (after(99), after(100));
        assert_eq!((early.outcome, enough.outcome), (Outcome::Undecided, Outcome::Winner(1)), "{measure:?}");
        assert!(early.ln_e.is_finite() && enough.e_value().is_finite(), "{enough:?}");
    }
}

proptest! {
    /// Counters that were summed up in parts, in any order, are the same integers, so they decide the same.
    #[test]
    fn observations_split_in_any_way_decide_the_same(
        values in prop::collection::vec((0.0..6.0, 0_usize..2, 0_usize..5), 200..400),
        measure in prop::sample::select(vec![Measure::UserRating, Measure::LatencyMs, Measure::Success]),
    ) {
        let (mut at_once, mut parts) = (vec![Cell::default(); 2], vec![vec![Cell::default(); 2]; 5]);
        for ((value, arm, part), unit64) in values.iter().zip(0..) {
            at_once[*arm].add(measure, *value, unit64);
            parts[*part][*arm].add(measure, *value, unit64);
        }
        let mut merged = vec![Cell::default(); 2];
        for part in parts.iter().rev() {
            merged.iter_mut().zip(part).for_each(|(merged, cell)| merged.merge(cell));
        }
        prop_assert_eq!(&merged, &at_once);
        prop_assert_eq!(decided_by(measure, &merged, END), decided_by(measure, &at_once, END));
    }
}
