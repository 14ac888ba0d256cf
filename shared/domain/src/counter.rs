//! Counters that are only ever added to (statistics.md §1).
//!
//! They are integers, so that addition is exact: however the observations are split, ordered and merged, the
//! sums are the same. A correction adds the difference.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    measure::{Measure, ONE},
};

/// The parts that an arm's users are divided into, to see how alike the answers of one user are.
pub const BUCKETS: usize = 32;

/// How many observations there are, with their sum and that of their squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// How many.
    pub n: i64,
    /// Σx, in millionths of the measure's unit from its shift.
    pub s1: i128,
    /// Σx², in millionths of millionths.
    pub s2: i128,
}

/// The part of an arm's observations that one part of its users gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// How many.
    pub n: i64,
    /// Σx, as [`Counter::s1`].
    pub s: i128,
}

/// What is counted of one measure of one arm in one allocation version of a trial; or what is to be added to
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// All observations.
    pub total: Counter,
    /// The same, by a part of the users each.
    pub buckets: [Bucket; BUCKETS],
    /// How many users gave 1, 2, 3, 4 and 5 points, where ratings are counted.
    pub ratings: [i64; 5],
}

/// A [`Counter`] for arithmetic, in the measure's unit, from its shift.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// How many observations there are.
    pub n: f64,
    /// Σx.
    pub s1: f64,
    /// Σx².
    pub s2: f64,
}

impl Counter {
    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.s1 += other.s1;
        self.s2 += other.s2;
    }

    /// The sums in the measure's unit. An error: no observations can have led to these.
    #[expect(clippy::cast_precision_loss, reason = "16 digits are enough for arithmetic")]
    pub fn sums(&self) -> Result<Sums> {
        if !self.possible() {
            return Err(Error::internal(format!("{self:?} cannot be: count the observations anew")));
        }
        Ok(Sums { n: self.n as f64, s1: self.s1 as f64 / ONE, s2: self.s2 as f64 / (ONE * ONE) })
    }

    /// Whether some observations lead here: none leave nothing, and `(Σx)² ≤ n·Σx²` holds for all.
    fn possible(&self) -> bool {
        let square_of_sum = self.s1.checked_mul(self.s1);
        let most = self.s2.checked_mul(i128::from(self.n));
        let in_proportion = match (square_of_sum, most) {
            (Some(square_of_sum), Some(most)) => square_of_sum <= most,
            // Beyond 10^38 the products cannot be compared; no more is asked of counters as large as that.
            _ => true,
        };
        self.n >= 0 && self.s2 >= 0 && (self.n > 0 || self.s2 == 0) && in_proportion
    }
}

impl Cell {
    /// Adds an observation of the user or call whose hash is `unit64`.
    pub fn add(&mut self, measure: Measure, value: f64, unit64: u64) {
        self.count(measure, value, unit64, 1);
    }

    /// Replaces an observation that was added by the same `unit64`.
    pub fn correct(&mut self, measure: Measure, old: f64, new: f64, unit64: u64) {
        self.count(measure, old, unit64, -1);
        self.count(measure, new, unit64, 1);
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            bucket.n += more.n;
            bucket.s += more.s;
        }
        for (rating, more) in self.ratings.iter_mut().zip(&other.ratings) {
            *rating += more;
        }
    }

    /// Adds an observation so many times; −1 takes it away.
    fn count(&mut self, measure: Measure, value: f64, unit64: u64, times: i64) {
        let x = i128::from(measure.fixed(value));
        let (n, s) = (times, x * i128::from(times));
        self.total.merge(&Counter { n, s1: s, s2: x * s });
        let bucket = &mut self.buckets[bucket_of(unit64)];
        bucket.n += n;
        bucket.s += s;
        if measure == Measure::UserRating
            && let Some(rating) = self.ratings.get_mut(rating_of(value))
        {
            *rating += n;
        }
    }
}

/// Which of the [`BUCKETS`] holds a unit's observations.
#[expect(clippy::cast_possible_truncation, reason = "it is below 32")]
pub fn bucket_of(unit64: u64) -> usize {
    (unit64 % BUCKETS as u64) as usize
}

/// Which of the five a rating is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clipped to 1 to 5")]
fn rating_of(value: f64) -> usize {
    (Measure::UserRating.transform(value).round() - 1.0) as usize
}

impl Sums {
    /// The mean, from the measure's shift; 0 where there is nothing.
    pub fn mean(&self) -> f64 {
        if self.n > 0.0 { self.s1 / self.n } else { 0.0 }
    }

    /// Σ(x − x̄)², never below 0 whatever the rounding.
    pub fn squares(&self) -> f64 {
        (self.s2 - self.s1 * self.mean()).max(0.0)
    }

    /// Of observations that are each multiplied by [`Measure::sign`].
    #[must_use]
    pub fn signed(self, sign: f64) -> Self {
        Self { s1: self.s1 * sign, ..self }
    }

    /// Whether one can calculate with them: finite, and neither the count nor the squares below 0.
    pub fn are_sound(&self) -> bool {
        [self.n, self.s1, self.s2].iter().all(|sum| sum.is_finite()) && self.n >= 0.0 && self.s2 >= 0.0
    }
}

#[cfg(test)]
mod tests;
