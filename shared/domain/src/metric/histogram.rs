//! Latencies by logarithmic buckets: a sketch that merges by addition and knows quantiles to a relative
//! error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Each bucket's upper edge is this many times its lower one. A value is read as the point that divides its
/// bucket so that both edges are equally far in proportion: off by (γ − 1)/(γ + 1) = 2.44 % at most.
const GAMMA: f64 = 1.05;

/// The range that is told apart, in milliseconds: as the statistics of latency clip it.
const RANGE: (f64, f64) = (1.0, 600_000.0);

/// The number of the last bucket, which holds all from [`RANGE`]'s end on.
const LAST: u16 = 273;

/// How many values each bucket holds. Bucket `i` holds those over γ^(i−1) and up to γ^i milliseconds, the
/// first those up to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u16, i64>);

impl Histogram {
    /// One value, in milliseconds.
    pub fn of(millis: f64) -> Self {
        Self(BTreeMap::from([(bucket(millis), 1)]))
    }

    /// A histogram of buckets and their counts.
    pub fn from_buckets(buckets: impl IntoIterator<Item = (u16, i64)>) -> Self {
        let mut histogram = Self::default();
        buckets.into_iter().for_each(|(bucket, count)| histogram.add(bucket, count));
        histogram
    }

    /// The buckets that are not empty, and their counts.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, i64)> {
        self.0.iter().map(|(bucket, count)| (*bucket, *count))
    }

    /// Adds another one's counts, `times` over.
    pub fn merge(&mut self, other: &Self, times: i64) {
        other.buckets().for_each(|(bucket, count)| self.add(bucket, count.saturating_mul(times)));
    }

    /// The value in milliseconds that each bucket is read as, and its count.
    pub fn values(&self) -> impl Iterator<Item = (f64, i64)> {
        self.buckets().map(|(bucket, count)| (middle(bucket), count))
    }

    /// How many values lie above this many milliseconds, as far as buckets tell them apart.
    pub fn above(&self, millis: f64) -> i64 {
        self.values().filter(|(value, _)| *value > millis).map(|(_, count)| count).sum()
    }

    fn add(&mut self, bucket: u16, count: i64) {
        let held = self.0.entry(bucket).or_default();
        *held = held.saturating_add(count);
        if *held == 0 {
            self.0.remove(&bucket);
        }
    }

    /// The value in milliseconds below which the share `quantile` of the values lies; `None` without values.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let all: i64 = self.0.values().sum();
        let rank = rank(quantile, all)?;
        let mut below = 0;
        let holding = self.0.iter().find(|(_, count)| {
            below += **count;
            below > rank
        });
        holding.map(|(bucket, _)| middle(*bucket))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 273")]
fn bucket(millis: f64) -> u16 {
    let clipped = millis.clamp(RANGE.0, RANGE.1);
    libm::ceil(libm::log(clipped) / libm::log(GAMMA)) as u16
}

/// The point of a bucket that is nearest to both its edges, in proportion.
fn middle(bucket: u16) -> f64 {
    match bucket {
        0 => RANGE.0,
        _ => 2.0 * libm::pow(GAMMA, f64::from(bucket.min(LAST))) / (GAMMA + 1.0),
    }
}

/// Which of `all` sorted values, counted from zero, is the quantile.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts are far below 2^52")]
fn rank(quantile: f64, all: i64) -> Option<i64> {
    (all > 0).then(|| (quantile.clamp(0.0, 1.0) * (all - 1) as f64) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_all(values: &[f64]) -> Histogram {
        let mut all = Histogram::default();
        for value in values {
            all.merge(&Histogram::of(*value), 1);
        }
        all
    }

    proptest! {
        #[test]
        fn a_quantile_is_off_by_two_and_a_half_percent_at_most(
            mut values in proptest::collection::vec(1.0..600_000.0_f64, 1..200),
            quantile in 0.0..=1.0_f64,
        ) {
            let found = of_all(&values).quantile(quantile).unwrap();
            values.sort_by(f64::total_cmp);
            let rank = rank(quantile, i64::try_from(values.len()).unwrap()).unwrap();
            let exact = values[usize::try_from(rank).unwrap()];
            prop_assert!((found / exact - 1.0).abs() <= 0.025, "{} for {}", found, exact);
        }

        #[test]
        fn what_was_added_can_be_taken_away(a in 0.0..1e7_f64, b in 0.0..1e7_f64) {
            let mut both = of_all(&[a, b]);
            both.merge(&Histogram::of(b), -1);
            prop_assert_eq!(both, Histogram::of(a));
        }
    }

    #[test]
    fn the_edges_of_the_range_have_buckets() {
        for (millis, expected) in [(0.0, 0), (1.0, 0), (1.01, 1), (600_000.0, LAST), (1e12, LAST)] {
            assert_eq!(bucket(millis), expected, "{millis}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
