//! Tests of what is said of an arm: golden vectors, few and many observations, and what must not matter.

mod extremes;

use proptest::prelude::*;

use super::*;

fn near(found: f64, golden: f64) {
    assert!((found - golden).abs() < 1e-6, "{found} is not {golden}");
}

/// An arm with these values.
fn arm(measure: Measure, values: &[f64]) -> Cell {
    let mut cell = Cell::default();
    values.iter().zip(0..).for_each(|(value, unit64)| cell.add(measure, *value, unit64));
    cell
}

/// An arm with `yes` times 1 among `n`.
fn binary(yes: i64, n: i64) -> Cell {
    let mut cell = Cell::default();
    cell.total.n = n;
    cell.total.s1 = i128::from(yes) * 1_000_000;
    cell.total.s2 = i128::from(yes) * 1_000_000_000_000;
    cell
}

/// An arm with so many of each rating.
fn rated(counts: [i64; 5]) -> Cell {
    let mut cell = Cell { ratings: counts, ..Cell::default() };
    for (count, x) in counts.into_iter().zip([-2_000_000, -1_000_000, 0, 1_000_000, 2_000_000_i128]) {
        cell.total.n += count;
        cell.total.s1 += i128::from(count) * x;
        cell.total.s2 += i128::from(count) * x * x;
    }
    cell
}

fn chances(measure: Measure, arms: &[Cell]) -> Vec<f64> {
    p_best(measure, &posteriors(measure, arms).unwrap())
}

fn all_finite(posterior: &Posterior) -> bool {
    let Figure { value, low, high } = posterior.figure.unwrap();
    [posterior.mean, posterior.sd, value, low, high].iter().all(|number| number.is_finite())
        && low < high
        && posterior.ends[0] < posterior.mean
        && posterior.mean < posterior.ends[1]
}

#[test]
fn the_normal_inverse_gamma_is_the_golden_one() {
    let prior = Normal { mean: 3.5, kappa: 1.0, a: 1.0, b: 1.0 };
    let after = prior.after(Sums { n: 100.0, s1: 390.0, s2: 1645.0 });
    near(after.mean, 3.896_040);
    near(after.a, 51.0);
    near(after.b, 63.079_208);
    let Curve::Student { df, centre, scale } = after.student(after.mean, after.b / (after.a * after.kappa))
    else {
        panic!("a mean is distributed as Student's t");
    };
    near(df, 102.0);
    near(centre, 3.896_040);
    near(scale, 0.110_662);
}

#[test]
fn two_scores_by_hand() {
    let posterior = posteriors(Measure::EvalScore, &[arm(Measure::EvalScore, &[0.25, 0.75])]).unwrap()[0];
    near(posterior.mean, 0.5);
    // κ = 3, a = 2 and b = 0.25² + (0.25² + 0.25²)/2, of which t with 4 degrees of freedom has b/κ(a − 1).
    near(posterior.sd, (0.125_f64 / 3.0).sqrt());
    let half = 2.776_445 * (0.125_f64 / 6.0).sqrt();
    let [low, high] = posterior.ends;
    assert!((low - 0.5 + half).abs() < 1e-5 && (high - 0.5 - half).abs() < 1e-5, "{low} {high}");
}

#[test]
fn the_ratings_are_the_golden_ones() {
    let posterior = posteriors(Measure::UserRating, &[rated([5, 7, 17, 35, 36])]).unwrap()[0];
    near(posterior.mean, 3.891_089);
    near(posterior.sd, 0.111_380);
    let [low, high] = posterior.ends;
    assert!((low - 3.666).abs() < 0.003 && (high - 4.103).abs() < 0.003, "{low} {high}");
    near(posterior.figure.unwrap().value, 3.891_089);
}

#[test]
fn chances_of_successes_and_of_errors_are_the_golden_ones() {
    near(chances(Measure::Success, &[binary(0, 100), binary(3, 100)])[1], 0.939_361);
    near(chances(Measure::Success, &[binary(30, 100), binary(40, 100)])[1], 0.929_849);
    // Of errors the fewer the better, and their prior is Beta(1/2, 1/2).
    near(chances(Measure::Error, &[binary(0, 100), binary(1, 100)])[0], 0.819_106_653);
}

#[test]
fn nothing_observed_in_any_arm_is_an_even_chance_and_no_figure() {
    for measure in Measure::ALL {
        let arms = posteriors(measure, &[Cell::default(), Cell::default(), Cell::default()]).unwrap();
        for (posterior, chance) in arms.iter().zip(p_best(measure, &arms)) {
            assert!((chance - 1.0 / 3.0).abs() < 1e-12, "{measure:?} {chance}");
            assert!(posterior.figure.is_none() && posterior.mean.is_finite() && !posterior.sd.is_nan());
        }
    }
}

#[test]
fn an_arm_without_observations_beside_one_with_many_has_a_finite_chance() {
    for measure in Measure::ALL {
        let value = if measure == Measure::LatencyMs { 900.0 } else { 1.0 };
        let found = chances(measure, &[arm(measure, &[value; 500]), Cell::default()]);
        assert!(found.iter().all(|p| (0.0..=1.0).contains(p)), "{measure:?} {found:?}");
        near(found[0] + found[1], 1.0);
    }
}

#[test]
fn one_and_two_observations_are_finite() {
    for measure in Measure::ALL {
        for values in [&[1.0][..], &[1.0, 1.0]] {
            let posterior = posteriors(measure, &[arm(measure, values)]).unwrap()[0];
            assert!(all_finite(&posterior), "{measure:?} {posterior:?}");
        }
    }
}

#[test]
fn no_events_and_nothing_but_events_leave_doubt() {
    for (yes, mean) in [(0, 1.0 / 102.0), (100, 101.0 / 102.0)] {
        let posterior = posteriors(Measure::Success, &[binary(yes, 100)]).unwrap()[0];
        near(posterior.mean, mean);
        assert!(all_finite(&posterior) && posterior.sd > 0.005);
        near(chances(Measure::Success, &[binary(yes, 100), binary(yes, 100)])[0], 0.5);
    }
}

#[test]
fn constant_values_are_as_uncertain_as_the_prior_and_equal_ones_are_even() {
    for (measure, value) in [
        (Measure::LatencyMs, 250.0),
        (Measure::CostUsd, 0.002),
        (Measure::EvalScore, 1.0),
        (Measure::UserRating, 5.0),
    ] {
        let cells = [arm(measure, &[value; 200]), arm(measure, &[value; 200])];
        let arms = posteriors(measure, &cells).unwrap();
        assert!(all_finite(&arms[0]) && arms[0].sd > 0.0, "{measure:?} {:?}", arms[0]);
        near(p_best(measure, &arms)[0], 0.5);
    }
}

#[test]
fn two_different_constants_are_told_apart() {
    assert!(
        chances(Measure::UserRating, &[rated([0, 0, 0, 0, 100]), rated([0, 0, 0, 100, 0])])[0] > 0.999_999
    );
    let few = chances(Measure::UserRating, &[rated([0, 0, 0, 0, 2]), rated([0, 0, 0, 2, 0])])[0];
    assert!((0.5..0.95).contains(&few), "{few}");
}

#[test]
fn a_billion_observations_are_certain_and_finite() {
    let (few, many) = (binary(300_000_000, 1_000_000_000), binary(300_500_000, 1_000_000_000));
    let arms = posteriors(Measure::Success, &[few, many]).unwrap();
    assert!(arms.iter().all(all_finite));
    assert_eq!(p_best(Measure::Success, &arms), [0.0, 1.0]);
    let huge = posteriors(Measure::Success, &[binary(250_000_000_000, 1_000_000_000_000)]).unwrap()[0];
    assert!((huge.mean - 0.25).abs() < 1e-10 && all_finite(&huge), "{huge:?}");
}

#[test]
fn less_latency_cost_and_error_is_better_in_their_order() {
    for (measure, unit) in [(Measure::LatencyMs, 400.0), (Measure::CostUsd, 0.001)] {
        let around = |middle: f64| arm(measure, &[0.5, 0.8, 1.0, 1.25, 2.0].map(|x| x * middle).repeat(20));
        let found =
            chances(measure, &[around(unit * 1.2), around(unit), around(unit * 1.5), around(unit * 1.1)]);
        assert!(found[1] > found[3] && found[3] > found[0] && found[0] > found[2], "{measure:?} {found:?}");
    }
    let found = chances(Measure::Refusal, &[binary(5, 100), binary(2, 100), binary(9, 100)]);
    assert!(found[1] > found[0] && found[0] > found[2], "{found:?}");
}

#[test]
fn a_latency_is_shown_as_its_geometric_mean() {
    let figure = posteriors(Measure::LatencyMs, &[arm(Measure::LatencyMs, &[100.0, 400.0].repeat(500))])
        .unwrap()[0]
        .figure
        .unwrap();
    assert!((figure.value - 200.0).abs() < 0.1, "{figure:?}");
    // ln 2 is the standard deviation of these logarithms.
    let half = 1.96 * 2.0_f64.ln() / 1000.0_f64.sqrt();
    assert!(
        (figure.low - 200.0 * (-half).exp()).abs() < 0.1 && (figure.high - 200.0 * half.exp()).abs() < 0.1
    );
}

#[test]
fn a_cost_is_shown_as_what_a_call_costs_on_average() {
    // Logarithms that are normal around ln 0.001 with the standard deviation 0.8.
    let sigma = 0.8;
    let step = |i: u32| 0.001 * libm::exp(sigma * quantile((f64::from(i) + 0.5) / 4000.0));
    let values: Vec<f64> = (0..4000).map(step).collect();
    let posterior = posteriors(Measure::CostUsd, &[arm(Measure::CostUsd, &values)]).unwrap()[0];
    let figure = posterior.figure.unwrap();
    let average = values.iter().sum::<f64>() / 4000.0;
    assert!((figure.value / average - 1.0).abs() < 0.002, "{} is not {average}", figure.value);
    let half = 1.96 * ((sigma * sigma + sigma.powi(4) / 2.0) / 4000.0).sqrt();
    assert!(((figure.high / figure.value).ln() / half - 1.0).abs() < 0.01, "{figure:?}");
    near(posterior.mean, 0.001_f64.ln());
}

/// The normal quantile, by halving.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if super::super::normal::cdf(middle) < share { low = middle } else { high = middle }
    }
    low
}

#[test]
fn counters_that_cannot_be_are_refused() {
    let negative = Cell { total: crate::counter::Counter { n: -1, s1: 0, s2: 0 }, ..Cell::default() };
    assert!(posteriors(Measure::EvalScore, &[Cell::default(), negative]).is_err());
    // More successes than calls, as no squares can say: s2 is consistent with values of 2.
    let mut twice = binary(0, 2);
    (twice.total.s1, twice.total.s2) = (4_000_000, 8_000_000_000_000);
    assert!(posteriors(Measure::Success, &[twice]).is_err());
    let mut lost = rated([0, 0, 1, 0, 3]);
    lost.ratings[4] = 2;
    assert!(posteriors(Measure::UserRating, &[lost.clone()]).is_err());
    (lost.ratings[4], lost.ratings[2]) = (5, -1);
    assert!(posteriors(Measure::UserRating, &[lost]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn negated_values_have_mirrored_chances(
        a in prop::collection::vec(0.0..1.0, 1..30), b in prop::collection::vec(0.0..1.0, 1..30),
    ) {
        let whole = |values: &[f64]| values.iter().map(|x| (x * 1e6).round() / 1e6).collect::<Vec<_>>();
        let from_1 = |values: &[f64]| whole(values).iter().map(|x| 1.0 - x).collect::<Vec<_>>();
        let of = |values: &[f64]| arm(Measure::EvalScore, values);
        let found = chances(Measure::EvalScore, &[of(&whole(&a)), of(&whole(&b))]);
        let mirrored = chances(Measure::EvalScore, &[of(&from_1(&a)), of(&from_1(&b))]);
        prop_assert!((found[0] - mirrored[1]).abs() < 1e-12, "{found:?} {mirrored:?}");
    }

    #[test]
    fn negated_ratings_and_shares_have_mirrored_chances(
        a in prop::array::uniform5(0_i64..200), b in prop::array::uniform5(0_i64..200),
    ) {
        let turned = |mut counts: [i64; 5]| { counts.reverse(); counts };
        let found = chances(Measure::UserRating, &[rated(a), rated(b)]);
        let mirrored = chances(Measure::UserRating, &[rated(turned(a)), rated(turned(b))]);
        prop_assert!((found[0] - mirrored[1]).abs() < 1e-12, "{found:?} {mirrored:?}");
        let (n, m) = (a[0] + a[1], b[0] + b[1]);
        let errors = chances(Measure::Error, &[binary(a[0], n), binary(b[0], m)]);
        let served = chances(Measure::Error, &[binary(a[1], n), binary(b[1], m)]);
        prop_assert!((errors[0] - served[1]).abs() < 1e-12, "{errors:?} {served:?}");
    }

    #[test]
    fn latencies_in_seconds_and_in_milliseconds_have_the_same_chances(
        a in prop::collection::vec(2_000.0..500_000.0, 5..60),
        b in prop::collection::vec(2_000.0..500_000.0, 5..60),
    ) {
        let of = |values: &[f64], unit: f64| {
            arm(Measure::LatencyMs, &values.iter().map(|x| x / unit).collect::<Vec<_>>())
        };
        let in_ms = chances(Measure::LatencyMs, &[of(&a, 1.0), of(&b, 1.0)]);
        let in_s = chances(Measure::LatencyMs, &[of(&a, 1e3), of(&b, 1e3)]);
        // Counters round to millionths.
        prop_assert!((in_ms[0] - in_s[0]).abs() < 1e-5, "{in_ms:?} {in_s:?}");
    }

    #[test]
    fn observations_split_in_any_way_say_the_same(
        values in prop::collection::vec((0.0..1.0, 0_usize..4), 1..40),
        measure in prop::sample::select(vec![Measure::Quality, Measure::EvalScore]),
    ) {
        let mut merged = Cell::default();
        for part in 0..4 {
            let of_part = values.iter().filter(|(_, at)| *at == part);
            merged.merge(&arm(measure, &of_part.map(|(value, _)| *value).collect::<Vec<_>>()));
        }
        let at_once: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        let at_once = posteriors(measure, &[arm(measure, &at_once)]).unwrap();
        prop_assert_eq!(posteriors(measure, &[merged]).unwrap(), at_once);
    }
}
