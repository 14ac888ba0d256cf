//! What is counted of the events of an hour: integers that are only ever added to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Histogram;
use crate::measure::Measure;

macro_rules! counts {
    ($($(#[$doc:meta])* $count:ident $name:literal;)*) => {
        /// Something that is counted. Money is in nano-dollars, shares are in millionths.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Count {
            $($(#[$doc])* #[serde(rename = $name)] $count,)*
        }

        impl Count {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$count),*];

            /// Its name, as it is stored and sent.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$count => $name,)*
                }
            }
        }
    };
}

counts! {
    /// Calls of a model.
    Calls "calls";
    /// Resolves.
    Resolves "resolves";
    /// Events that say whether the user succeeded, …
    SuccessGiven "success_n";
    /// … and those where they did.
    Successes "successes";
    /// Calls that failed.
    Errors "errors";
    /// Calls that the model refused.
    Refusals "refusals";
    /// Events with a latency, …
    LatencyGiven "latency_n";
    /// … and their sum in whole milliseconds.
    LatencyMs "latency_ms";
    /// Tokens sent.
    InputTokens "input_tokens";
    /// Tokens received.
    OutputTokens "output_tokens";
    /// Events with a cost, …
    CostGiven "cost_n";
    /// … their sum in nano-dollars, …
    CostNanos "cost_nanos";
    /// … and those that cost nothing.
    ZeroCost "zero_cost";
    /// Events with a rating, …
    RatingGiven "rating_n";
    /// … their sum, …
    RatingSum "rating_sum";
    /// … and how many gave one.
    Rating1 "c1";
    /// Ratings of two.
    Rating2 "c2";
    /// Ratings of three.
    Rating3 "c3";
    /// Ratings of four.
    Rating4 "c4";
    /// Ratings of five.
    Rating5 "c5";
    /// Events with a quality, …
    QualityGiven "quality_n";
    /// … and their sum in millionths.
    QualitySum "quality_sum";
    /// Events with an evaluation score, …
    EvalGiven "eval_n";
    /// … and their sum in millionths.
    EvalSum "eval_sum";
}

/// The counts of ratings, from one to five.
pub const RATINGS: [Count; 5] =
    [Count::Rating1, Count::Rating2, Count::Rating3, Count::Rating4, Count::Rating5];

/// Counts that are not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Count, i64>);

impl Counts {
    /// How many there are of something.
    pub fn get(&self, count: Count) -> i64 {
        self.0.get(&count).copied().unwrap_or_default()
    }

    /// Adds to one.
    pub fn add(&mut self, count: Count, more: i64) {
        let held = self.0.entry(count).or_default();
        *held = held.saturating_add(more);
        if *held == 0 {
            self.0.remove(&count);
        }
    }

    /// All that are not zero.
    pub fn iter(&self) -> impl Iterator<Item = (Count, i64)> {
        self.0.iter().map(|(count, value)| (*count, *value))
    }
}

impl FromIterator<(Count, i64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (Count, i64)>>(given: I) -> Self {
        let mut counts = Self::default();
        given.into_iter().for_each(|(count, more)| counts.add(count, more));
        counts
    }
}

/// Counts, and latencies by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The counts.
    pub counts: Counts,
    /// The latencies.
    #[serde(default)]
    pub latency: Histogram,
}

impl Tally {
    /// What one value of a measure counts for.
    pub fn of(measure: Measure, value: f64) -> Self {
        let yes = i64::from(value > 0.5);
        let counts = match measure {
            Measure::UserRating => rating(rounded(value)),
            Measure::Quality => vec![(Count::QualityGiven, 1), (Count::QualitySum, rounded(value * 1e6))],
            Measure::EvalScore => vec![(Count::EvalGiven, 1), (Count::EvalSum, rounded(value * 1e6))],
            Measure::Success => vec![(Count::SuccessGiven, 1), (Count::Successes, yes)],
            Measure::LatencyMs => vec![(Count::LatencyGiven, 1), (Count::LatencyMs, rounded(value))],
            Measure::CostUsd => cost(rounded(value * 1e9)),
            Measure::Error => vec![(Count::Errors, yes)],
            Measure::Refusal => vec![(Count::Refusals, yes)],
            // It is known of trials only, which have cells of their own.
            Measure::LatencySlo => Vec::new(),
        };
        let latency = if measure == Measure::LatencyMs { Histogram::of(value) } else { Histogram::default() };
        Self { counts: counts.into_iter().collect(), latency }
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        self.merge_times(other, 1);
    }

    /// Adds another one so many times; −1 takes it away.
    pub fn merge_times(&mut self, other: &Self, times: i64) {
        other.counts.iter().for_each(|(count, more)| self.counts.add(count, more.saturating_mul(times)));
        self.latency.merge(&other.latency, times);
    }
}

fn rating(given: i64) -> Vec<(Count, i64)> {
    let bin = usize::try_from(given - 1).ok().and_then(|at| RATINGS.get(at)).map(|count| (*count, 1));
    [(Count::RatingGiven, 1), (Count::RatingSum, given)].into_iter().chain(bin).collect()
}

fn cost(nanos: i64) -> Vec<(Count, i64)> {
    vec![(Count::CostGiven, 1), (Count::CostNanos, nanos), (Count::ZeroCost, i64::from(nanos == 0))]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked values are far within 64 bits, and it saturates"
)]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_counts_what_it_should() {
        let counted = |measure, value| Tally::of(measure, value).counts.iter().collect::<Vec<_>>();
        assert_eq!(
            counted(Measure::UserRating, 4.0),
            [(Count::RatingGiven, 1), (Count::RatingSum, 4), (Count::Rating4, 1)]
        );
        assert_eq!(counted(Measure::CostUsd, 0.0), [(Count::CostGiven, 1), (Count::ZeroCost, 1)]);
        assert_eq!(
            counted(Measure::CostUsd, 0.000_156),
            [(Count::CostGiven, 1), (Count::CostNanos, 156_000)]
        );
        assert_eq!(counted(Measure::Success, 0.0), [(Count::SuccessGiven, 1)]);
        assert_eq!(counted(Measure::Error, 1.0), [(Count::Errors, 1)]);
        assert_eq!(counted(Measure::EvalScore, 0.75), [(Count::EvalGiven, 1), (Count::EvalSum, 750_000)]);
    }

    #[test]
    fn what_is_taken_away_leaves_nothing() {
        let mut tally = Tally::of(Measure::LatencyMs, 120.4);
        tally.merge_times(&Tally::of(Measure::LatencyMs, 120.4), -1);
        assert_eq!(tally, Tally::default());
    }

    #[test]
    fn names_are_the_same_stored_and_sent() {
        for count in Count::ALL {
            assert_eq!(serde_json::to_value(count).unwrap(), count.name());
        }
    }
}
