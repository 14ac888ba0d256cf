//! The estimator, by hand and under drift.

use proptest::prelude::*;

use super::*;
use crate::experiment::normal;

pub(in crate::experiment) const BINARY: Noise = Noise { prior: 0.25, design_effect: 1.0 };

/// Successes of tries.
pub(in crate::experiment) fn of(successes: f64, n: f64) -> Sums {
    Sums { n, s1: successes, s2: successes }
}

/// Strata of (successes, tries) for each arm.
pub(in crate::experiment) fn strata<const K: usize>(of_arms: &[[(f64, f64); K]]) -> Vec<Stratum> {
    let stratum = |(version, arms): (u64, &[(f64, f64); K])| Stratum {
        allocation_version: version,
        arms: arms.iter().map(|(successes, n)| of(*successes, *n)).collect(),
    };
    (0..).zip(of_arms).map(stratum).collect()
}

pub(in crate::experiment) fn binary<const K: usize>(of_arms: &[[(f64, f64); K]]) -> Estimate {
    Estimate::of(K, &strata(of_arms), BINARY, |_| 1.0).unwrap()
}

pub(in crate::experiment) fn near(found: f64, golden: f64) {
    assert!((found - golden).abs() < 1e-6, "{found} is not {golden}");
}

pub(in crate::experiment) fn all<const K: usize>() -> [bool; K] {
    [true; K]
}

/// Golden vector of statistics.md §8.
#[test]
fn one_stratum_is_the_golden_one() {
    let estimate = binary(&[[(300.0, 1000.0), (360.0, 1000.0)]]);
    let contrast = estimate.contrast(1, 0);
    near(estimate.sigma().powi(2), 0.220_435_218);
    near(estimate.sigma().powi(2) / contrast.variance, 500.0);
    assert!((contrast.variance / 4.408_704e-4 - 1.0).abs() < 1e-6);
    near(contrast.z(), 2.857_563);
    near(normal::cdf(contrast.z()), 0.997_865);
    near(Standing::of(&estimate, &all::<2>(), 0).p_best[1], 0.997_865);
}

/// Golden vector of statistics.md §8.
#[test]
fn simpson_does_not_deceive() {
    let estimate = binary(&[[(20.0, 100.0), (22.0, 100.0)], [(40.0, 100.0), (369.0, 900.0)]]);
    let contrast = estimate.contrast(1, 0);
    let pooled = |arm: usize| estimate.totals[arm] / estimate.samples[arm];
    near(pooled(1) - pooled(0), 0.091);
    near(contrast.delta, 0.013_571_428_6);
    assert!((estimate.sigma().powi(2) / contrast.variance / 140.0 - 1.0).abs() < 1e-6);
}

#[test]
fn nothing_at_all_is_a_tie_without_an_error() {
    for arms in 1..=MAX_ARMS {
        let estimate = Estimate::of(arms, &[], BINARY, |_| 1.0).unwrap();
        let standing = Standing::of(&estimate, &vec![true; arms], 7);
        let share = 1.0 / f64::from(u32::try_from(arms).unwrap());
        assert!(standing.p_best.iter().all(|p| (p - share).abs() < 1e-12), "{standing:?}");
        assert_eq!(standing.leader, 0);
        assert!(standing.expected_loss.iter().all(|loss| loss.is_finite()));
        let same = Contrast { delta: 0.0, variance: 0.0 };
        assert!((0..arms).all(|arm| estimate.contrast(arm, arm) == same));
    }
}

#[test]
fn an_arm_without_data_is_compared_with_nobody_and_the_prior_gives_its_error() {
    let estimate = binary(&[[(30.0, 100.0), (0.0, 0.0)]]);
    let contrast = estimate.contrast(1, 0);
    near(contrast.delta, 0.0);
    assert!(contrast.variance > 1e5 && contrast.variance.is_finite());
    let empty = binary(&[[(0.0, 0.0), (0.0, 0.0)]]);
    near(empty.sigma(), 0.5);
    let third = binary(&[[(300.0, 1000.0), (400.0, 1000.0), (0.0, 0.0)]]);
    near(third.contrast(1, 0).delta, 0.1);
    let variance = third.contrast(1, 0).variance;
    assert!(
        (variance / binary(&[[(300.0, 1000.0), (400.0, 1000.0)]]).contrast(1, 0).variance - 1.0).abs() < 1e-6
    );
}

#[test]
fn results_that_are_all_alike_leave_the_prior_and_no_winner() {
    for successes in [0.0, 1.0] {
        let estimate = binary(&[[(successes * 400.0, 400.0), (successes * 500.0, 500.0)]]);
        assert!(estimate.sigma() > 0.0);
        near(estimate.contrast(1, 0).z(), 0.0);
    }
}

#[test]
fn one_or_two_observations_are_enough_for_numbers() {
    for few in [[(1.0, 1.0), (0.0, 1.0)], [(2.0, 2.0), (1.0, 2.0)], [(1.0, 1.0), (0.0, 0.0)]] {
        let estimate = binary(&[few]);
        assert!(estimate.sigma() > 0.0 && estimate.contrast(1, 0).z().is_finite(), "{few:?}");
    }
}

#[test]
fn a_thousand_million_observations_are_no_trouble() {
    let estimate = binary(&[[(3.0e8, 1e9), (3.1e8, 1e9)]]);
    near(estimate.contrast(1, 0).delta, 0.01);
    assert_eq!(Standing::of(&estimate, &all::<2>(), 0).p_best.as_ref(), [0.0, 1.0]);
}

#[test]
fn counters_that_cannot_be_are_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for sums in [
            Sums { n: bad, ..of(1.0, 2.0) },
            Sums { s1: bad, ..of(1.0, 2.0) },
            Sums { s2: bad, ..of(1.0, 2.0) },
        ] {
            let strata = [Stratum { allocation_version: 4, arms: vec![of(1.0, 2.0), sums] }];
            let error = Estimate::of(2, &strata, BINARY, |_| 1.0).unwrap_err();
            assert_eq!(error, BadStratum::Counters { allocation_version: 4 });
        }
    }
    let negative = [Stratum { allocation_version: 1, arms: vec![of(0.0, -1.0), of(0.0, 1.0)] }];
    assert!(Estimate::of(2, &negative, BINARY, |_| 1.0).is_err());
    let fine = strata(&[[(1.0, 2.0), (1.0, 2.0)]]);
    assert!(Estimate::of(2, &fine, BINARY, |_| f64::NAN).is_err());
}

#[test]
fn a_trial_has_1_to_10_arms_and_its_strata_as_many() {
    let two = strata(&[[(1.0, 2.0), (1.0, 2.0)]]);
    assert_eq!(Estimate::of(3, &two, BINARY, |_| 1.0).unwrap_err(), BadStratum::Arms { arms: 3, found: 2 });
    for arms in [0, 11] {
        assert!(Estimate::of(arms, &[], BINARY, |_| 1.0).is_err());
    }
}

#[test]
fn an_arm_that_was_added_is_compared_in_the_strata_that_it_was_in() {
    // The third arm came after the rise of all: pooled it would be .3 above the control, and it is .05 above.
    let estimate = binary(&[
        [(200.0, 1000.0), (220.0, 1000.0), (0.0, 0.0)],
        [(500.0, 1000.0), (520.0, 1000.0), (550.0, 1000.0)],
    ]);
    near(estimate.effects()[1], 0.02);
    near(estimate.effects()[2], 0.05);
}

/// By the normal equations with an indicator for each stratum, solved with exact fractions.
#[test]
fn three_arms_are_the_least_squares_solution() {
    let estimate =
        binary(&[[(10.0, 40.0), (12.0, 30.0), (9.0, 30.0)], [(5.0, 10.0), (18.0, 30.0), (42.0, 60.0)]]);
    // C = [[30 − 9 + 30 − 9, −(9 + 18)], [−27, 30 − 9 + 60 − 36]] = [[42, −27], [−27, 45]];
    // Q = (12 − 9.3 + 18 − 19.5, 9 − 9.3 + 42 − 39) = (1.2, 2.7); det = 1161.
    near(estimate.effects()[1], (45.0 * 1.2 + 27.0 * 2.7) / 1161.0);
    near(estimate.effects()[2], (27.0 * 1.2 + 42.0 * 2.7) / 1161.0);
    let variance = estimate.sigma().powi(2);
    near(estimate.contrast(1, 0).variance / variance, 45.0 / 1161.0);
    near(estimate.contrast(2, 0).variance / variance, 42.0 / 1161.0);
    near(estimate.contrast(2, 1).variance / variance, (45.0 + 42.0 - 2.0 * 27.0) / 1161.0);
}

#[test]
fn arms_that_never_met_the_control_are_still_compared_with_each_other() {
    let estimate = binary(&[[(0.0, 0.0), (300.0, 1000.0), (360.0, 1000.0)]]);
    near(estimate.contrast(2, 1).delta, 0.06);
    assert!((estimate.contrast(2, 1).variance / 4.408_704e-4 - 1.0).abs() < 1e-2);
    assert!(estimate.contrast(2, 0).variance > 1e4);
    // Where the numbers are large, rounding alone decides what is left for the arms that met nobody else.
    for n in (1..100).map(|i| 1e13 + 7919.0 * f64::from(i)) {
        let huge = binary(&[[(0.0, 0.0), (0.3 * n, n), (0.1 * n, n / 3.0)]]);
        assert!(huge.contrast(2, 1).variance > 0.0 && huge.contrast(1, 0).z().is_finite(), "{n}");
    }
}

#[test]
fn a_stratum_fades_by_its_half_life() {
    for (age, left) in [(0.0, 1.0), (7.0, 0.5), (14.0, 0.25), (-1.0, 1.0)] {
        near(fade(7.0, age), left);
    }
    let strata = strata(&[[(20.0, 100.0), (40.0, 100.0)], [(40.0, 100.0), (20.0, 100.0)]]);
    let faded = Estimate::of(2, &strata, BINARY, |stratum| {
        fade(7.0, if stratum.allocation_version == 0 { 14.0 } else { 0.0 })
    });
    let contrast = faded.unwrap().contrast(1, 0);
    near(contrast.delta, (0.25 * 0.2 - 0.2) / 1.25);
    let whole = Estimate::of(2, &strata, BINARY, |_| 1.0).unwrap();
    assert!(whole.contrast(1, 0).delta.abs() < 1e-12);
    assert!((contrast.variance / whole.contrast(1, 0).variance - 2.0 / 1.25).abs() < 1e-6);
}

#[test]
fn the_design_effect_widens_errors_and_nothing_else() {
    let arms = strata(&[[(300.0, 1000.0), (360.0, 1000.0)]]);
    let with = |design_effect| Estimate::of(2, &arms, Noise { design_effect, ..BINARY }, |_| 1.0).unwrap();
    let (once, thrice, less) = (with(1.0), with(3.0), with(0.5));
    near(thrice.contrast(1, 0).variance / once.contrast(1, 0).variance, 3.0);
    near(thrice.sigma(), once.sigma());
    assert_eq!(less, once);
}

#[test]
fn one_percent_is_of_the_mean_as_it_was_measured() {
    let ratings = [Stratum { allocation_version: 1, arms: vec![Sums { n: 10.0, s1: 9.0, s2: 12.0 }] }];
    let scale =
        |measure| Estimate::of(1, &ratings, Noise::of(measure, 1.0), |_| 1.0).unwrap().scale(measure, 0);
    near(scale(Measure::UserRating), 3.9);
    near(scale(Measure::LatencyMs), 1.0);
    let errors = [Stratum { allocation_version: 1, arms: vec![of(2.0, 10.0).signed(-1.0)] }];
    near(Estimate::of(1, &errors, BINARY, |_| 1.0).unwrap().scale(Measure::Error, 0), 0.2);
}

pub(in crate::experiment) fn counts() -> impl Strategy<Value = (f64, f64)> {
    (0_u32..3000, 0.0_f64..=1.0).prop_map(|(n, share)| ((f64::from(n) * share).floor(), f64::from(n)))
}

proptest! {
    #[test]
    fn two_arms_have_a_closed_form(of_arms in prop::collection::vec([counts(), counts()], 1..20)) {
        let estimate = binary(&of_arms);
        let (mut h, mut hd) = (0.0, 0.0);
        for [(a, n_a), (b, n_b)] in &of_arms {
            if n_a * n_b > 0.0 {
                let weight = n_a * n_b / (n_a + n_b);
                h += weight;
                hd += weight * (b / n_b - a / n_a);
            }
        }
        let contrast = estimate.contrast(1, 0);
        let expected = if h > 0.0 { hd / h } else { 0.0 };
        prop_assert!((contrast.delta - expected).abs() < 1e-5);
        prop_assert!(h == 0.0 || (contrast.variance * h / estimate.sigma().powi(2) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn less_is_better_mirrors_it(of_arms in prop::collection::vec([counts(), counts()], 1..20)) {
        let mut mirrored = strata(&of_arms);
        mirrored.iter_mut().flat_map(|stratum| &mut stratum.arms).for_each(|sums| *sums = sums.signed(-1.0));
        let mirrored = Estimate::of(2, &mirrored, BINARY, |_| 1.0).unwrap();
        let (standing, mirrored) = (
            Standing::of(&binary(&of_arms), &all::<2>(), 0),
            Standing::of(&mirrored, &all::<2>(), 0),
        );
        prop_assert!((standing.p_best[0] - mirrored.p_best[1]).abs() < 1e-12);
        prop_assert!((standing.p_best[1] - mirrored.p_best[0]).abs() < 1e-12);
    }

    /// Which arm is called the control changes nothing.
    #[test]
    fn the_order_of_the_arms_does_not_matter(
        of_arms in prop::collection::vec([counts(), counts(), counts(), counts()], 1..9),
    ) {
        let turned: Vec<_> = of_arms.iter().map(|[a, b, c, d]| [*c, *a, *d, *b]).collect();
        let (estimate, turned) = (binary(&of_arms), binary(&turned));
        let place = [1, 3, 0, 2];
        for (arm, rival) in (0..4).flat_map(|arm| (0..4).map(move |rival| (arm, rival))) {
            let (one, other) = (estimate.contrast(arm, rival), turned.contrast(place[arm], place[rival]));
            prop_assert!((one.delta - other.delta).abs() < 1e-6, "{one:?} {other:?}");
            prop_assert!((one.variance - other.variance).abs() <= 1e-5 * one.variance, "{one:?} {other:?}");
        }
    }

    /// Milliseconds or seconds: a shift of all logarithms.
    #[test]
    fn a_shift_of_all_values_changes_nothing(
        of_arms in prop::collection::vec([counts(), counts()], 1..9),
        shift in -7.0..7.0,
    ) {
        let mut shifted = strata(&of_arms);
        for sums in shifted.iter_mut().flat_map(|stratum| &mut stratum.arms) {
            *sums = Sums {
                n: sums.n,
                s1: sums.s1 + shift * sums.n,
                s2: sums.s2 + 2.0 * shift * sums.s1 + shift * shift * sums.n,
            };
        }
        let shifted = Estimate::of(2, &shifted, BINARY, |_| 1.0).unwrap().contrast(1, 0);
        let contrast = binary(&of_arms).contrast(1, 0);
        prop_assert!((shifted.z() - contrast.z()).abs() < 1e-6);
    }

}
