//! Exposures that nobody answered are failures, where an experiment says so.

use domain::counter::bucket_of;
use store::metric::ArmCell;

use super::*;

const MEASURE: Measure = Measure::Success;
const USERS: u64 = 3200;
/// How often each user calls.
const CALLS: i64 = 6;

/// Half of the users, drawn by splitmix64: a hash that a test can repeat.
fn succeeds(user: u64) -> bool {
    let mut bits = user.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (bits ^ (bits >> 31)) & 1 == 1
}

/// An arm whose users succeed always or never, and say so only where they do.
fn one_arm() -> Book {
    let mut cell = Cell::default();
    let mut exposures = ArmExposures::none(1, "A".to_owned());
    for user in 0..USERS {
        exposures.exposures += CALLS;
        exposures.buckets[bucket_of(user)] += CALLS;
        for _ in (0..CALLS).filter(|_| succeeds(user)) {
            cell.add(MEASURE, 1.0, user);
        }
    }
    let cells = vec![ArmCell { allocation_version: 1, arm: "A".to_owned(), measure: MEASURE, cell }];
    Book::of(TrialCounters { cells, exposures: vec![exposures] }, &["A"])
}

#[test]
fn users_who_always_or_never_answer_widen_the_errors_by_their_calls() {
    let book = one_arm();
    let filled = book.pooled_with_failures(MEASURE, 0);
    assert_eq!(u64::try_from(filled.total.n).unwrap(), USERS * CALLS.unsigned_abs());
    let found = design_effect([&filled]);
    assert!((4.0..8.0).contains(&found), "{found} is far from 6");
    let answers = design_effect([&book.pooled(MEASURE, 0)]);
    assert!((answers - 1.0).abs() < 1e-12, "answers alone, all of them the same, tell nothing: {answers}");
}
