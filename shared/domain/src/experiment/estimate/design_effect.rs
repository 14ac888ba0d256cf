//! How much wider errors are as users give several answers each (statistics.md §1).

use crate::counter::{BUCKETS, Bucket, Cell, Counter};

/// `max(1, ΣVar_bucket / ΣVar_iid)` over the arms of one measure; a cell holds all of its arm. Users are
/// spread over the buckets by their hash, so buckets that differ by more than single answers would tell of
/// users who answer alike. Only the ratio counts, so the cells' own unit does.
pub fn design_effect<'a>(arms: impl IntoIterator<Item = &'a Cell>) -> f64 {
    let (mut by_buckets, mut by_answers) = (0.0, 0.0);
    for cell in arms.into_iter().filter(|cell| cell.total.n > 1) {
        let Counter { n, s1, s2 } = cell.total;
        let (n, s1, s2) = (real(n.into()), real(s1), real(s2));
        by_buckets += of_buckets(&cell.buckets, n, s1 / n);
        by_answers += (s2 - s1 * s1 / n).max(0.0) / (n - 1.0) / n;
    }
    if by_answers > 0.0 { (by_buckets / by_answers).max(1.0) } else { 1.0 }
}

/// The variance of a mean, from how far its buckets are from it.
fn of_buckets(buckets: &[Bucket; BUCKETS], n: f64, mean: f64) -> f64 {
    let count = real(BUCKETS as i128);
    let apart = |bucket: &Bucket| real(bucket.s) - mean * real(bucket.n.into());
    let squares: f64 = buckets.iter().map(|bucket| apart(bucket) * apart(bucket)).sum();
    count / (count - 1.0) * squares / (n * n)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are more digits than a variance has that mean anything"
)]
fn real(counted: i128) -> f64 {
    counted as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of users with these answers each, user `i` in bucket `i % 32`.
    fn cell(users: impl Iterator<Item = Vec<i64>>) -> Cell {
        let mut cell = Cell::default();
        for (user, answers) in users.enumerate() {
            for answer in answers {
                let bucket = &mut cell.buckets[user % BUCKETS];
                bucket.n += 1;
                bucket.s += i128::from(answer);
                cell.total.n += 1;
                cell.total.s1 += i128::from(answer);
                cell.total.s2 += i128::from(answer) * i128::from(answer);
            }
        }
        cell
    }

    /// A scrambled bit of a number: splitmix64, a hash that a test can repeat.
    fn coin(of: u64) -> i64 {
        let mut bits = of.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::from((bits ^ (bits >> 31)) & 1 == 1) * 1_000_000
    }

    #[test]
    fn users_who_always_answer_alike_widen_the_errors_by_their_answers() {
        let alike = cell((0..3200).map(|user| vec![coin(user); 6]));
        let found = design_effect([&alike]);
        assert!((4.0..8.0).contains(&found), "{found} is far from 6");
    }

    #[test]
    fn answers_that_are_independent_widen_little_and_never_narrow() {
        for salt in 0..20 {
            let independent =
                cell((0..3200).map(|user| (0..6).map(|i| coin((salt * 3200 + user) * 6 + i)).collect()));
            let found = design_effect([&independent]);
            assert!((1.0..1.9).contains(&found), "{found}");
        }
    }

    #[test]
    fn by_hand() {
        // Two answers of 1 in one bucket, two of 0 in another: the mean is 1/2, each bucket is off by 1.
        let cell = cell([vec![1, 1], vec![0, 0]].into_iter());
        let (by_buckets, by_answers): (f64, f64) = (32.0 / 31.0 * 2.0 / 16.0, (2.0 - 1.0) / 3.0 / 4.0);
        assert!((design_effect([&cell]) - by_buckets / by_answers).abs() < 1e-12);
        assert!((design_effect([&cell, &cell]) - by_buckets / by_answers).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_widen_is_1() {
        let (one, same) = (cell([vec![1_000_000]].into_iter()), cell((0..100).map(|_| vec![2_000_000; 3])));
        for nothing in [[].as_slice(), &[Cell::default()], &[one], &[same]] {
            assert!((design_effect(nothing) - 1.0).abs() < 1e-12, "{nothing:?}");
        }
    }
}
