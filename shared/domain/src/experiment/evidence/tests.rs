//! E-values and losses, by their golden vectors.

use proptest::prelude::*;

use super::*;
use crate::experiment::estimate::tests::{binary, near};

fn contrast(delta: f64, variance: f64) -> Contrast {
    Contrast { delta, variance }
}

/// Golden vector of statistics.md §8.
#[test]
fn the_e_value_is_the_golden_one() {
    let estimate = binary(&[[(300.0, 1000.0), (360.0, 1000.0)]]);
    let found = ln_e(estimate.contrast(1, 0), EXPERIMENT_TAU * estimate.sigma());
    near(found, 3.186_833);
    assert!((e_value(found) / 24.2116 - 1.0).abs() < 1e-5);
    assert!((e_value(found) / 3.186_833_f64.exp() - 1.0).abs() < 1e-6);
    assert!(e_value(found) < ENOUGH);
}

/// Golden vector of statistics.md §8.
#[test]
fn the_expected_loss_is_the_golden_one() {
    let loss = expected_loss(contrast(0.018, 0.0004));
    assert!((loss - 0.002_008_623).abs() < 1e-9, "{loss}");
    near(expected_loss(contrast(-0.018, 0.0004)), 0.018 + 0.002_008_623);
}

#[test]
fn no_difference_is_no_evidence() {
    for variance in [1e-20, 1e-6, 1.0, 1e12] {
        let found = ln_e(contrast(0.0, variance), 0.075);
        assert!((-60.0..=0.0).contains(&found), "{found}");
    }
}

#[test]
fn the_evidence_is_never_infinite() {
    let sure = ln_e(contrast(1.0, 1e-12), 0.075);
    assert!(sure > 1e9 && sure.is_finite());
    assert!(e_value(sure) > 1e300 && e_value(sure).is_finite());
    let against = ln_e(contrast(-1.0, 1e-12), 0.075);
    assert!(against < 0.0 && against.is_finite());
    near(expected_loss(contrast(1.0, 1e-12)), 0.0);
}

#[test]
fn the_lower_bound_is_where_the_evidence_is_just_enough() {
    for (delta, variance) in [(0.06, 4.4e-4), (-0.3, 1e-9), (0.0, 4.0), (1.0, 0.2)] {
        let bound = lower_bound(contrast(delta, variance), 0.07);
        assert!(bound < delta);
        near(ln_e(contrast(delta - bound, variance), 0.07), ENOUGH.ln());
    }
    // 24 to 1 is not enough, so the bound is below 0.
    assert!(lower_bound(contrast(0.06, 4.408_704e-4), 0.15 * 0.469_505) < 0.0);
    // Without a comparison nothing bounds it.
    assert!(lower_bound(contrast(0.0, 1e6), 0.07) < -1e3);
}

#[test]
fn the_value_remaining_by_hand() {
    near(value_remaining(contrast(0.018, 0.0004)), 0.0149);
    near(value_remaining(contrast(0.5, 0.0004)), 0.0);
}

/// The bet is fair: averaged over the data of arms that are equal, e⁺ is 1.
#[test]
fn equal_arms_are_bet_against_fairly() {
    let (variance, tau): (f64, f64) = (0.0004, 0.03);
    let step = 0.001;
    let expected: f64 = (-12_000..12_000)
        .map(|i| f64::from(i) * step)
        .map(|z| e_value(ln_e(contrast(z * variance.sqrt(), variance), tau)) * normal::pdf(z) * step)
        .sum();
    assert!((expected - 1.0).abs() < 1e-6, "{expected}");
}

proptest! {
    #[test]
    fn evidence_grows_with_the_difference(delta in -1.0..1.0, more in 0.000_1..1.0, variance in 1e-7..1.0) {
        prop_assert!(ln_e(contrast(delta, variance), 0.07) < ln_e(contrast(delta + more, variance), 0.07));
        let (less, greater) = (contrast(delta, variance), contrast(delta + more, variance));
        prop_assert!(expected_loss(less) >= expected_loss(greater));
    }

    /// The loss of one arm less that of the other is their distance.
    #[test]
    fn losses_add_up(delta in -1.0_f64..1.0, variance in 1e-7..1.0) {
        let loss = |delta: f64| expected_loss(contrast(delta, variance));
        prop_assert!((loss(-delta) - loss(delta) - delta).abs() < 1e-9);
    }
}
