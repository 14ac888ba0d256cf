//! Tests of the grid against exact chances and quantiles.

use proptest::prelude::*;

use super::*;

fn beta(a: f64, b: f64) -> Curve {
    Curve::Beta { a, b }
}

fn student(df: f64, centre: f64, scale: f64) -> Curve {
    Curve::Student { df, centre, scale }
}

fn near(found: f64, golden: f64) {
    assert!((found - golden).abs() < 1e-6, "{found} is not {golden}");
}

#[test]
fn two_betas_have_the_golden_chances() {
    for (a, b, golden) in [
        ((1.0, 101.0), (4.0, 98.0), 0.939_361),
        ((31.0, 71.0), (41.0, 61.0), 0.929_849),
        ((301.0, 701.0), (331.0, 671.0), 0.925_530),
        ((2.0, 2000.0), (9.0, 2000.0), 0.989_181),
        ((0.5, 100.5), (1.5, 99.5), 0.819_106_653),
        ((0.5, 1000.5), (0.5, 50.5), 0.859_628_950),
    ] {
        let found = p_highest(&[beta(a.0, a.1), beta(b.0, b.1)]);
        near(found[1], golden);
        near(found[0] + found[1], 1.0);
    }
}

/// `P(B > A) = Σ B(αA + i, βA + βB) / ((βB + i)·B(1 + i, βB)·B(αA, βA))` over i from 0 to αB − 1.
fn exact((a_a, b_a): (f64, f64), (a_b, b_b): (u32, f64)) -> f64 {
    let ln_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let term =
        |i: f64| ln_beta(a_a + i, b_a + b_b) - libm::log(b_b + i) - ln_beta(1.0 + i, b_b) - ln_beta(a_a, b_a);
    (0..a_b).map(|i| libm::exp(term(f64::from(i)))).sum()
}

#[test]
fn a_million_successes_are_as_exact_as_a_few() {
    let few = exact((2.0, 9.0), (3, 8.0));
    near(p_highest(&[beta(2.0, 9.0), beta(3.0, 8.0)])[1], few);
    let million = exact((1e6, 1.001e6), (1_000_000, 1e6));
    assert!((0.6..0.7).contains(&million), "{million} tells little");
    near(p_highest(&[beta(1e6, 1.001e6), beta(1e6, 1e6)])[1], million);
}

#[test]
fn ten_arms_have_their_exact_chances() {
    // Of Beta(a, 1), whose share below x is x^a, each is the highest with a/Σa.
    let sizes = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 500.0];
    let found = p_highest(&sizes.map(|a| beta(a, 1.0)));
    for (found, size) in found.iter().zip(sizes) {
        near(*found, size / sizes.iter().sum::<f64>());
    }
}

#[test]
fn heavy_tails_have_their_exact_chances() {
    near(p_highest(&[student(3.0, 0.0, 1.0), student(3.0, 0.8, 0.5)])[1], 0.720_950_375);
    let three = p_highest(&[student(2.0, 0.0, 1.0), student(4.0, 0.3, 0.5), student(40.0, 0.2, 0.05)]);
    for (found, golden) in three.iter().zip([0.350_093_513, 0.406_431_160, 0.243_475_326]) {
        near(*found, golden);
    }
}

#[test]
fn two_narrow_curves_are_told_apart_beside_a_wide_one() {
    let (low, high, wide) =
        (student(1e6, 0.5, 1e-5), student(1e6, 0.500_014_142_135_6, 1e-5), student(2.0, -1e4, 1.0));
    let found = p_highest(&[low, high, wide]);
    near(found[1], 0.841_344);
    assert!(found[2] < 1e-6, "{found:?}");
}

#[test]
fn equal_curves_share_alike_and_one_alone_has_all() {
    assert_eq!(p_highest(&[]), [0.0; 0]);
    assert_eq!(p_highest(&[beta(3.0, 4.0)]), [1.0]);
    for count in 2..=10_u32 {
        for curve in [beta(1.0, 1.0), beta(0.5, 1e9), student(2.0, 0.0, 0.6)] {
            for found in p_highest(&vec![curve; count as usize]) {
                assert!((found - 1.0 / f64::from(count)).abs() < 1e-12, "{curve:?} {count} {found}");
            }
        }
    }
}

#[test]
fn chances_without_doubt_are_exactly_0_and_1() {
    assert_eq!(p_highest(&[beta(3e8, 7e8), beta(4e8, 6e8)]), [0.0, 1.0]);
    assert_eq!(p_highest(&[student(1e9, 0.0, 1e-6), student(1e9, 9.0, 1e-6)]), [0.0, 1.0]);
}

#[test]
fn quantiles_are_the_exact_ones() {
    let within = |curve: Curve, sd: f64, low: f64, high: f64| {
        let [found_low, found_high] = curve.quantiles([0.025, 0.975]);
        assert!((found_low - low).abs() < 1e-4 * sd, "{curve:?}: {found_low} is not {low}");
        assert!((found_high - high).abs() < 1e-4 * sd, "{curve:?}: {found_high} is not {high}");
    };
    within(student(3.0, 0.0, 1.0), 1.7, -3.182_446, 3.182_446);
    within(student(102.0, 3.896_040, 0.110_662), 0.11, 3.676_542, 4.115_538);
    within(beta(2.0, 102.0), 0.0135, 0.002_360, 0.052_908);
    within(beta(0.5, 100.5), 0.007, 0.000_005, 0.024_745);
    within(beta(1.0, 1.0), 0.29, 0.025, 0.975);
}

#[test]
fn huge_counts_have_narrow_intervals() {
    let [low, high] = beta(2.5e11, 7.5e11).quantiles([0.025, 0.975]);
    let half = 1.959_964 * (0.25 * 0.75 / 1e12_f64).sqrt();
    assert!(
        (low - 0.25 + half).abs() < 1e-3 * half && (high - 0.25 - half).abs() < 1e-3 * half,
        "{low} {high}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn mirrored_curves_have_mirrored_chances(
        a in 0.5..5e3, b in 0.5..5e3, c in 0.5..5e3, d in 0.5..5e3,
    ) {
        let pairs = [
            [beta(a, b), beta(c, d)],
            [student(2.0 + a, b / 5e3, (1.0 / a).sqrt()), student(2.0 + c, d / 5e3, (1.0 / c).sqrt())],
        ];
        for pair in pairs {
            let (found, mirrored) = (p_highest(&pair), p_highest(&pair.map(Curve::mirrored)));
            prop_assert!((found[0] - mirrored[1]).abs() < 1e-12, "{found:?} {mirrored:?}");
            prop_assert!((found[0] + found[1] - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_order_of_the_arms_does_not_matter(sizes in prop::collection::vec((0.5..200.0, 0.5..200.0), 2..7)) {
        let curves: Vec<_> = sizes.iter().map(|(a, b)| beta(*a, *b)).collect();
        let reversed: Vec<_> = curves.iter().rev().copied().collect();
        for (found, other) in p_highest(&curves).iter().zip(p_highest(&reversed).iter().rev()) {
            prop_assert!((found - other).abs() < 1e-12);
        }
    }
}
