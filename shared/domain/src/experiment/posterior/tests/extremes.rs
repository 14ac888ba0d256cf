//! Whatever was counted, the curves are ones that can be integrated.

use super::*;

/// Counts from nothing to more than a world could give.
fn count() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 1_i64..5, 0_i64..2_000, Just(1_000_000_000_000)]
}

/// A [`Curve::Beta`] needs both of its parameters at 1/2 or above, and no infinite one.
fn can_be_integrated(curve: Curve) -> bool {
    match curve {
        Curve::Beta { a, b } => a >= 0.5 && b >= 0.5 && a.is_finite() && b.is_finite(),
        Curve::Student { df, centre, scale } => {
            df >= 2.0 && scale > 0.0 && [df, centre, scale].iter().all(|number| number.is_finite())
        }
    }
}

#[test]
fn ln_0_is_nowhere_and_no_degree_of_freedom_is_0() {
    for measure in Measure::ALL {
        for values in [[].as_slice(), &[0.0], &[0.0, 0.0], &[0.0, 1.0]] {
            let posterior = posteriors(measure, &[arm(measure, values)]).unwrap()[0];
            assert!(can_be_integrated(posterior.curve), "{measure:?} {values:?} {posterior:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_counts_have_curves_that_can_be_integrated(ratings in prop::array::uniform5(count())) {
        let arms = posteriors(Measure::UserRating, &[rated(ratings), rated([0, 0, 1, 0, 0])]).unwrap();
        prop_assert!(can_be_integrated(arms[0].curve), "{:?}", arms[0]);
        let chances = p_best(Measure::UserRating, &arms);
        prop_assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{chances:?}");
        let (yes, no) = (ratings[0], ratings[1]);
        for measure in [Measure::Success, Measure::Error] {
            let posterior = posteriors(measure, &[binary(yes, yes + no)]).unwrap()[0];
            prop_assert!(can_be_integrated(posterior.curve) && posterior.mean.is_finite(), "{posterior:?}");
        }
    }
}
