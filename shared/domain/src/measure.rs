//! What is counted of each arm of a trial, and in which unit (statistics.md §1).

use serde::{Deserialize, Serialize};

/// Something that is observed of calls and compared between arms.
///
/// It is counted in a unit of its own: a latency and a cost in logarithms, the others as they are.
/// [`Measure::shift`] is taken off, so that the sums of squares stay small beside what they tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// What users say, in whole points from 1 to 5.
    UserRating,
    /// What the application says, from 0 to 1.
    Quality,
    /// Whether the call did what it was for: 0 or 1.
    Success,
    /// What an automatic judge says, from 0 to 1.
    EvalScore,
    /// How long the call took, in milliseconds.
    LatencyMs,
    /// What the call cost, in US dollars.
    CostUsd,
    /// Whether the call failed: 0 or 1.
    Error,
    /// Whether the model refused: 0 or 1.
    Refusal,
    /// Whether the call took longer than the trial allows: 0 or 1.
    LatencySlo,
}

/// The fixed point of counters: millionths.
pub const ONE: f64 = 1e6;

/// The latencies between which logarithms are taken, in milliseconds: up to ten minutes.
const LATENCY_MS: (f64, f64) = (1.0, 600_000.0);

/// The least cost of which a logarithm is taken, in dollars: a nano-dollar.
const LEAST_COST_USD: f64 = 1e-9;

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 9] = [
        Self::UserRating,
        Self::Quality,
        Self::Success,
        Self::EvalScore,
        Self::LatencyMs,
        Self::CostUsd,
        Self::Error,
        Self::Refusal,
        Self::LatencySlo,
    ];

    /// 1 where more is better, −1 where less is. The engine multiplies by it once and then knows «more is
    /// better» alone.
    pub fn sign(self) -> f64 {
        match self {
            Self::UserRating | Self::Quality | Self::Success | Self::EvalScore => 1.0,
            Self::LatencyMs | Self::CostUsd | Self::Error | Self::Refusal | Self::LatencySlo => -1.0,
        }
    }

    /// Whether it is 0 or 1.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Success | Self::Error | Self::Refusal | Self::LatencySlo)
    }

    /// K, which is taken off a transformed value before it is counted.
    pub fn shift(self) -> f64 {
        match self {
            Self::UserRating => 3.0,
            Self::Quality | Self::EvalScore => 0.5,
            Self::LatencyMs => 7.0,
            Self::CostUsd => -7.0,
            Self::Success | Self::Error | Self::Refusal | Self::LatencySlo => 0.0,
        }
    }

    /// σ0², the variance of single observations that is assumed before there are any, in the square of the
    /// unit in which they are counted.
    pub fn prior_variance(self) -> f64 {
        match self {
            Self::Success | Self::Error | Self::Refusal | Self::LatencySlo => 0.25,
            Self::UserRating => 1.1 * 1.1,
            Self::Quality | Self::EvalScore => 0.25 * 0.25,
            Self::LatencyMs => 0.6 * 0.6,
            Self::CostUsd => 0.7 * 0.7,
        }
    }

    /// The value in the unit in which it is counted: the logarithm of a latency or a cost, the others as they
    /// are. What is out of range is brought to its border, so that no counter can overflow.
    pub fn transform(self, value: f64) -> f64 {
        match self {
            Self::LatencyMs => libm::log(value.clamp(LATENCY_MS.0, LATENCY_MS.1)),
            Self::CostUsd => libm::log(value.clamp(LEAST_COST_USD, 1.0 / LEAST_COST_USD)),
            Self::UserRating => value.clamp(1.0, 5.0),
            _ => value.clamp(0.0, 1.0),
        }
    }

    /// The value that has this transformed value: for a mean of logarithms, the geometric mean.
    pub fn restore(self, transformed: f64) -> f64 {
        match self {
            Self::LatencyMs | Self::CostUsd => libm::exp(transformed),
            _ => transformed,
        }
    }

    /// The value as a counter holds it: `round((transform(value) − K)·1e6)`. A value that is no number counts
    /// as 0: whoever reads it in has refused it.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "every transformed value is within ±30 million millionths"
    )]
    pub fn fixed(self, value: f64) -> i64 {
        ((self.transform(value) - self.shift()) * ONE).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_in_millionths_from_the_shift() {
        for (measure, value, fixed) in [
            (Measure::UserRating, 5.0, 2_000_000),
            (Measure::UserRating, 1.0, -2_000_000),
            (Measure::Quality, 0.25, -250_000),
            (Measure::EvalScore, 0.875_000_4, 375_000),
            (Measure::Success, 1.0, 1_000_000),
            (Measure::Error, 0.0, 0),
            (Measure::LatencyMs, 1_000.0, -92_245),
            (Measure::CostUsd, 0.001, 92_245),
        ] {
            assert_eq!(measure.fixed(value), fixed, "{measure:?} {value}");
        }
    }

    #[test]
    fn a_latency_of_0_counts_as_1_ms_and_one_of_hours_as_ten_minutes() {
        assert_eq!(Measure::LatencyMs.fixed(0.0), Measure::LatencyMs.fixed(1.0));
        assert_eq!(Measure::LatencyMs.fixed(0.0), -7_000_000);
        assert_eq!(Measure::LatencyMs.fixed(7_200_000.0), Measure::LatencyMs.fixed(600_000.0));
    }

    #[test]
    fn a_cost_of_0_counts_as_a_nano_dollar() {
        assert_eq!(Measure::CostUsd.fixed(0.0), Measure::CostUsd.fixed(1e-9));
    }

    #[test]
    fn no_value_can_overflow_a_counter() {
        let wrong = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300];
        for (measure, value) in
            Measure::ALL.into_iter().flat_map(|measure| wrong.map(|value| (measure, value)))
        {
            assert!(measure.fixed(value).abs() <= 30_000_000, "{measure:?} {value}");
        }
        assert_eq!(Measure::CostUsd.fixed(f64::NAN), 0);
    }

    #[test]
    fn what_is_counted_can_be_told_again() {
        for (measure, value) in
            [(Measure::LatencyMs, 812.5), (Measure::CostUsd, 0.000_31), (Measure::EvalScore, 0.7)]
        {
            let told = measure.restore(measure.transform(value));
            assert!((told / value - 1.0).abs() < 1e-12, "{measure:?} {told}");
        }
    }

    #[test]
    fn names_are_the_ones_of_the_api() {
        let names = serde_json::to_value(Measure::ALL).unwrap();
        let measures = ["user_rating", "quality", "success", "eval_score", "latency_ms", "cost_usd"];
        let guardrails = ["error", "refusal", "latency_slo"];
        assert_eq!(names, serde_json::json!([measures.as_slice(), &guardrails].concat()));
    }
}
