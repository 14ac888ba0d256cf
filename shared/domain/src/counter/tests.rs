//! Tests of counters: their sums, their corrections, and that no split of the observations shows.

use proptest::prelude::*;

use super::*;

fn cell(measure: Measure, values: &[(f64, u64)]) -> Cell {
    let mut cell = Cell::default();
    for (value, unit64) in values {
        cell.add(measure, *value, *unit64);
    }
    cell
}

#[test]
fn observations_are_counted_by_hand() {
    let cell = cell(Measure::UserRating, &[(5.0, 1), (2.0, 33), (5.0, u64::MAX)]);
    assert_eq!(cell.total, Counter { n: 3, s1: 3_000_000, s2: 9_000_000_000_000 });
    assert_eq!(cell.buckets[1], Bucket { n: 2, s: 1_000_000 });
    assert_eq!(cell.buckets[31], Bucket { n: 1, s: 2_000_000 });
    assert_eq!(cell.ratings, [0, 1, 0, 0, 2]);
    assert_eq!(cell.total.sums().unwrap(), Sums { n: 3.0, s1: 3.0, s2: 9.0 });
}

#[test]
fn only_ratings_are_counted_by_points() {
    for measure in Measure::ALL.into_iter().filter(|measure| *measure != Measure::UserRating) {
        assert_eq!(cell(measure, &[(1.0, 7)]).ratings, [0; 5], "{measure:?}");
    }
}

#[test]
fn a_rating_edited_from_5_to_1_to_5_leaves_the_counters_as_they_were() {
    let before = cell(Measure::UserRating, &[(5.0, 9), (3.0, 8)]);
    let mut edited = before.clone();
    edited.correct(Measure::UserRating, 5.0, 1.0, 9);
    assert_eq!(edited, cell(Measure::UserRating, &[(1.0, 9), (3.0, 8)]));
    edited.correct(Measure::UserRating, 1.0, 5.0, 9);
    assert_eq!(edited, before);
}

#[test]
fn a_correction_adds_nothing_the_difference_and_the_difference_of_the_squares() {
    let mut correction = Cell::default();
    correction.correct(Measure::EvalScore, 0.75, 0.25, 4);
    correction.correct(Measure::EvalScore, 0.5, 0.9, 4);
    assert_eq!(correction.total, Counter { n: 0, s1: -100_000, s2: 160_000_000_000 });
    assert_eq!(correction.buckets[4], Bucket { n: 0, s: -100_000 });
}

#[test]
fn impossible_counters_are_refused() {
    let counter = |n, s1, s2| Counter { n, s1, s2 };
    for impossible in
        [counter(-1, 0, 0), counter(1, 0, -1), counter(0, 1, 1), counter(0, 0, 1), counter(2, 3, 4)]
    {
        let error = impossible.sums().unwrap_err();
        assert!(error.chain().contains("cannot be"), "{impossible:?}");
    }
    assert!(counter(0, 0, 0).sums().is_ok() && counter(2, 2, 2).sums().is_ok());
}

#[test]
fn a_billion_observations_are_exact_and_their_variance_is_not_lost() {
    let (n, x) = (1_000_000_000, 20_000_001);
    let mut counter = Counter::default();
    counter.merge(&Counter { n, s1: i128::from(n) * x, s2: i128::from(n) * x * x });
    counter.merge(&Counter { n, s1: i128::from(n) * -x, s2: i128::from(n) * x * x });
    assert_eq!(counter, Counter { n: 2 * n, s1: 0, s2: 800_000_080_000_002_000_000_000 });
    let sums = counter.sums().unwrap();
    assert!((sums.squares() / sums.n - 400.000_040_000_001).abs() < 1e-9, "{sums:?}");
}

#[test]
fn counters_too_large_to_compare_are_decoded_all_the_same() {
    let n = 1_000_000_000_000;
    let constant = Counter { n, s1: i128::from(n) * 30_000_000, s2: i128::from(n) * 900_000_000_000_000 };
    let sums = constant.sums().unwrap();
    assert_eq!((sums.mean(), sums.squares()), (30.0, 0.0));
}

#[test]
fn what_one_cannot_calculate_with_is_not_sound() {
    let sound = Sums { n: 1.0, s1: -1.0, s2: 1.0 };
    assert!(sound.are_sound() && Sums::default().are_sound());
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!Sums { n: wrong, ..sound }.are_sound());
        assert!(!Sums { s1: wrong, ..sound }.are_sound());
        assert!(!Sums { s2: wrong, ..sound }.are_sound());
    }
    assert!(!Sums { n: -1.0, ..sound }.are_sound() && !Sums { s2: -1.0, ..sound }.are_sound());
}

#[test]
fn a_mean_of_nothing_is_0() {
    assert_eq!((Sums::default().mean(), Sums::default().squares()), (0.0, 0.0));
}

#[test]
fn the_variance_of_a_constant_is_not_below_0_by_rounding() {
    for n in (1..1000).map(f64::from) {
        assert!(Sums { n, s1: n * 0.1, s2: n * 0.01 }.squares() >= 0.0, "{n}");
    }
}

#[test]
fn a_sign_turns_the_sum_and_not_the_squares() {
    let sums = Sums { n: 2.0, s1: 3.0, s2: 5.0 };
    assert_eq!(sums.signed(-1.0), Sums { n: 2.0, s1: -3.0, s2: 5.0 });
}

#[test]
fn a_cell_is_written_and_read_back() {
    let cell = cell(Measure::LatencyMs, &[(812.5, 3), (90_000.0, 77)]);
    let json = serde_json::to_string(&cell).unwrap();
    assert_eq!(serde_json::from_str::<Cell>(&json).unwrap(), cell);
}

proptest! {
    #[test]
    fn any_split_and_order_of_the_observations_gives_equal_integers(
        values in prop::collection::vec((0.0..6.0, any::<u64>(), 0_usize..7), 0..60),
        measure in prop::sample::select(Measure::ALL.to_vec()),
    ) {
        let mut parts = vec![Cell::default(); 7];
        for (value, unit64, part) in &values {
            parts[*part].add(measure, *value, *unit64);
        }
        let mut merged = Cell::default();
        parts.iter().rev().for_each(|part| merged.merge(part));
        let at_once: Vec<_> = values.iter().map(|(value, unit64, _)| (*value, *unit64)).collect();
        prop_assert_eq!(merged, cell(measure, &at_once));
    }

    #[test]
    fn a_correction_is_as_if_the_new_value_had_come_first(
        old in 0.0..6.0, new in 0.0..6.0, unit64 in any::<u64>(),
        measure in prop::sample::select(Measure::ALL.to_vec()),
    ) {
        let mut corrected = cell(measure, &[(3.0, 1), (old, unit64)]);
        corrected.correct(measure, old, new, unit64);
        prop_assert_eq!(corrected, cell(measure, &[(3.0, 1), (new, unit64)]));
    }

    #[test]
    fn what_was_observed_can_always_be_decoded_and_never_has_a_negative_variance(
        values in prop::collection::vec((0.0..6.0, any::<u64>()), 0..60),
        measure in prop::sample::select(Measure::ALL.to_vec()),
    ) {
        let sums = cell(measure, &values).total.sums().unwrap();
        prop_assert!(sums.are_sound() && sums.squares() >= 0.0 && sums.mean().is_finite());
    }
}
