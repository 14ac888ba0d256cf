//! What a person reads of counters: rates, means and quantiles of a bucket of time and a group.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Count, Hour, Tally,
    tally::{Counts, RATINGS},
};
use crate::money::Usd;

/// How long a bucket of time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day in UTC: its 24 hours, summed.
    Day,
}

impl Bucket {
    /// The first hour of the bucket that an hour is in.
    pub fn of(self, hour: Hour) -> Hour {
        match self {
            Self::Hour => hour,
            Self::Day => hour.midnight(),
        }
    }
}

/// Sums tallies by bucket and group, in the order of both. The group is whatever the reader asks by.
pub fn by_bucket<G: Ord>(
    hours: impl IntoIterator<Item = (Hour, G, Tally)>,
    bucket: Bucket,
) -> BTreeMap<(Hour, G), Tally> {
    let mut sums: BTreeMap<(Hour, G), Tally> = BTreeMap::new();
    for (hour, group, tally) in hours {
        sums.entry((bucket.of(hour), group)).or_default().merge(&tally);
    }
    sums
}

/// Counters as a person reads them. What nobody reported is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Calls that were reported.
    pub calls: i64,
    /// Resolves that were answered.
    pub resolves: i64,
    /// Share of the calls that failed.
    pub error_rate: Option<f64>,
    /// Share of the calls that were refused.
    pub refusal_rate: Option<f64>,
    /// Share of those that say so who succeeded.
    pub success_rate: Option<f64>,
    /// Latencies.
    pub latency_ms: Option<Latency>,
    /// Tokens sent.
    pub input_tokens: i64,
    /// Tokens received.
    pub output_tokens: i64,
    /// Tokens of both kinds, per call.
    pub tokens_per_call: Option<f64>,
    /// Cost.
    pub cost_usd: Usd,
    /// Mean cost of the calls with a cost, in USD.
    pub cost_per_call_usd: Option<f64>,
    /// Share of the calls with a cost that cost nothing.
    pub zero_cost: Option<f64>,
    /// Mean rating.
    pub rating: Option<f64>,
    /// How many ratings that is the mean of; kept by day too, where the single ratings are not.
    pub rated: i64,
    /// Ratings from one to five.
    pub ratings: [i64; 5],
    /// Mean quality.
    pub quality: Option<f64>,
    /// Mean evaluation score.
    pub eval_score: Option<f64>,
}

/// Latencies in milliseconds. Quantiles are off by 2.5 % at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// The arithmetic mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Exceeded by one in twenty.
    pub p95: f64,
    /// Exceeded by one in a hundred.
    pub p99: f64,
}

impl From<&Tally> for Summary {
    fn from(tally: &Tally) -> Self {
        let counts = &tally.counts;
        let tokens = counts.get(Count::InputTokens) + counts.get(Count::OutputTokens);
        Self {
            calls: counts.get(Count::Calls),
            resolves: counts.get(Count::Resolves),
            error_rate: share(counts, Count::Errors, Count::Calls),
            refusal_rate: share(counts, Count::Refusals, Count::Calls),
            success_rate: share(counts, Count::Successes, Count::SuccessGiven),
            latency_ms: latency(tally),
            input_tokens: counts.get(Count::InputTokens),
            output_tokens: counts.get(Count::OutputTokens),
            tokens_per_call: ratio(tokens, counts.get(Count::Calls)),
            cost_usd: Usd::from_nanos(u64::try_from(counts.get(Count::CostNanos)).unwrap_or(0)),
            cost_per_call_usd: share(counts, Count::CostNanos, Count::CostGiven).map(|nanos| nanos / 1e9),
            zero_cost: share(counts, Count::ZeroCost, Count::CostGiven),
            rating: share(counts, Count::RatingSum, Count::RatingGiven),
            rated: counts.get(Count::RatingGiven),
            ratings: RATINGS.map(|rating| counts.get(rating)),
            quality: share(counts, Count::QualitySum, Count::QualityGiven).map(|millionths| millionths / 1e6),
            eval_score: share(counts, Count::EvalSum, Count::EvalGiven).map(|millionths| millionths / 1e6),
        }
    }
}

fn latency(tally: &Tally) -> Option<Latency> {
    let at = |quantile| tally.latency.quantile(quantile);
    Some(Latency {
        mean: share(&tally.counts, Count::LatencyMs, Count::LatencyGiven)?,
        p50: at(0.5)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
    })
}

fn share(counts: &Counts, part: Count, whole: Count) -> Option<f64> {
    ratio(counts.get(part), counts.get(whole))
}

#[expect(clippy::cast_precision_loss, reason = "it is for people")]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::Measure, metric::Counts};

    fn told(measure: Measure, value: f64) -> Tally {
        let mut tally = Tally::of(measure, value);
        tally.counts.add(Count::Calls, 1);
        tally
    }

    #[test]
    fn nothing_reported_is_nothing_known() {
        let summary = Summary::from(&Tally::default());
        assert_eq!((summary.calls, summary.error_rate, summary.rating), (0, None, None));
        assert_eq!((summary.latency_ms, summary.cost_per_call_usd), (None, None));
    }

    #[test]
    fn rates_and_means_are_over_what_was_given() {
        let mut tally = told(Measure::Error, 1.0);
        for (measure, value) in
            [(Measure::UserRating, 4.0), (Measure::UserRating, 5.0), (Measure::CostUsd, 0.5)]
        {
            tally.merge(&told(measure, value));
        }
        let summary = Summary::from(&tally);
        assert_eq!((summary.calls, summary.error_rate), (4, Some(0.25)));
        assert_eq!((summary.rating, summary.ratings), (Some(4.5), [0, 0, 0, 1, 1]));
        assert_eq!((summary.cost_per_call_usd, summary.zero_cost), (Some(0.5), Some(0.0)));
        assert_eq!((summary.success_rate, summary.quality), (None, None));
    }

    #[test]
    fn a_day_is_its_hours() {
        let hour = |text: &str| text.parse::<Hour>().unwrap();
        let calls = |calls| Tally {
            counts: [(Count::Calls, calls)].into_iter().collect::<Counts>(),
            ..Tally::default()
        };
        let hours = || {
            [
                ("2026-11-20T00", "a", 1),
                ("2026-11-20T23", "a", 2),
                ("2026-11-20T23", "b", 4),
                ("2026-11-21T00", "a", 8),
            ]
            .map(|(at, group, count)| (hour(at), group, calls(count)))
        };
        let days = by_bucket(hours(), Bucket::Day);
        let read: Vec<_> = days
            .iter()
            .map(|((day, group), tally)| (day.date(), *group, tally.counts.get(Count::Calls)))
            .collect();
        assert_eq!(
            read,
            [
                ("2026-11-20".to_owned(), "a", 3),
                ("2026-11-20".to_owned(), "b", 4),
                ("2026-11-21".to_owned(), "a", 8)
            ]
        );
        assert_eq!(by_bucket(hours(), Bucket::Hour).len(), 4);
    }
}
