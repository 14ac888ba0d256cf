//! What a new version may not make worse (statistics.md §5.1, §5.2).

use serde::{Deserialize, Serialize};

use crate::{Error, FieldProblem, Result, measure::Measure};

/// α: how likely one guardrail ever stops a version that is no worse. The usual five add up to 5 %.
pub const ALPHA: f64 = 0.01;

/// Latencies and costs need so many observations of the new version.
const LEAST_SPENT: f64 = 30.0;

/// Ratings and scores need so many.
const LEAST_JUDGED: f64 = 20.0;

/// A limit on how much worse a version may be than its control, as the API names it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "metric", rename_all = "snake_case", deny_unknown_fields)]
pub enum Guardrail {
    /// How often as many users may meet an error.
    Error {
        /// 1: no more often than with the control.
        #[serde(default = "as_often")]
        ratio: f64,
    },
    /// How often as many users may meet a refusal.
    Refusal {
        /// 1: no more often than with the control.
        #[serde(default = "as_often")]
        ratio: f64,
    },
    /// How often as many users may wait longer than they should.
    LatencySlo {
        /// 1: no more often than with the control.
        #[serde(default = "as_often")]
        ratio: f64,
        /// How long they should wait at most, in milliseconds.
        slo_ms: u64,
    },
    /// How much longer calls may take.
    Latency {
        /// .1: a tenth longer, by the geometric mean.
        #[serde(default = "tenth")]
        margin: f64,
    },
    /// How much more calls may cost.
    Cost {
        /// .1: a tenth more, by the geometric mean.
        #[serde(default = "tenth")]
        margin: f64,
    },
    /// How much lower users may rate.
    Rating {
        /// In points of five.
        #[serde(default = "tenth")]
        margin: f64,
    },
    /// How much lower the automatic judge may score.
    Eval {
        /// In the score's unit, 0 to 1.
        #[serde(default = "fiftieth")]
        margin: f64,
    },
}

/// What a guardrail compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The shares of units that something bad happened to.
    Ratio {
        /// What happened.
        measure: Measure,
        /// r0: the ratio of the shares that is still fine.
        tolerated: f64,
    },
    /// Means.
    Margin {
        /// Of what.
        measure: Measure,
        /// The difference that is still fine, in the unit in which the measure is counted.
        margin: f64,
        /// How many observations of the new version it takes.
        least: f64,
    },
}

/// Those of a trial that names none.
pub fn defaults() -> Vec<Guardrail> {
    vec![
        Guardrail::Error { ratio: as_often() },
        Guardrail::Latency { margin: tenth() },
        Guardrail::Cost { margin: tenth() },
        Guardrail::Rating { margin: tenth() },
        Guardrail::Eval { margin: fiftieth() },
    ]
}

impl Guardrail {
    /// What it compares, and with which limit.
    pub fn limit(&self) -> Limit {
        let mean = |measure, margin, least| Limit::Margin { measure, margin, least };
        match *self {
            Self::Error { ratio } => Limit::Ratio { measure: Measure::Error, tolerated: ratio },
            Self::Refusal { ratio } => Limit::Ratio { measure: Measure::Refusal, tolerated: ratio },
            Self::LatencySlo { ratio, .. } => Limit::Ratio { measure: Measure::LatencySlo, tolerated: ratio },
            // A share more is a difference of logarithms.
            Self::Latency { margin } => mean(Measure::LatencyMs, libm::log1p(margin), LEAST_SPENT),
            Self::Cost { margin } => mean(Measure::CostUsd, libm::log1p(margin), LEAST_SPENT),
            Self::Rating { margin } => mean(Measure::UserRating, margin, LEAST_JUDGED),
            Self::Eval { margin } => mean(Measure::EvalScore, margin, LEAST_JUDGED),
        }
    }

    /// The measure that it watches: of each there is one guardrail at most.
    pub fn measure(&self) -> Measure {
        match self.limit() {
            Limit::Ratio { measure, .. } | Limit::Margin { measure, .. } => measure,
        }
    }

    fn wrong(&self) -> Option<(&'static str, &'static str)> {
        match *self {
            Self::LatencySlo { slo_ms: 0, .. } => Some(("slo_ms", "slo_ms is at least 1.")),
            // Above 5 hardly any of the ratios that are bet on is left.
            Self::Error { ratio } | Self::Refusal { ratio } | Self::LatencySlo { ratio, .. } => {
                let right = (1.0..=5.0).contains(&ratio);
                (!right).then_some(("ratio", "ratio lies between 1, which tolerates nothing, and 5."))
            }
            Self::Latency { margin }
            | Self::Cost { margin }
            | Self::Rating { margin }
            | Self::Eval { margin } => {
                let right = (0.0..=4.0).contains(&margin);
                (!right).then_some(("margin", "margin lies between 0, which tolerates nothing, and 4."))
            }
        }
    }
}

/// Refuses guardrails that mean nothing, and two for one measure; the pointers are below `/guardrails`.
pub fn validate(guardrails: &[Guardrail]) -> Result<()> {
    let problems = guardrails.iter().enumerate().filter_map(|(at, guardrail)| {
        let twice = guardrails[..at].iter().any(|before| before.measure() == guardrail.measure());
        let (field, detail) = if twice {
            ("metric", "There are two guardrails for one metric. Keep one.")
        } else {
            guardrail.wrong()?
        };
        Some(FieldProblem { pointer: format!("/guardrails/{at}/{field}"), detail: detail.to_owned() })
    });
    Error::check(problems.collect())
}

/// How long a call may take where one of them watches that, in milliseconds.
pub fn slo_ms(guardrails: &[Guardrail]) -> Option<u64> {
    guardrails.iter().find_map(|guardrail| match guardrail {
        Guardrail::LatencySlo { slo_ms, .. } => Some(*slo_ms),
        _ => None,
    })
}

fn as_often() -> f64 {
    1.0
}

fn tenth() -> f64 {
    0.10
}

fn fiftieth() -> f64 {
    0.02
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_limits_are_the_defaults() {
        let named = ["error", "latency", "cost", "rating", "eval"]
            .map(|metric| format!("{{\"metric\":\"{metric}\"}}"));
        let read: Vec<Guardrail> = named.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
        assert_eq!(read, defaults());
        validate(&read).unwrap();
        let slo: Guardrail =
            serde_json::from_str(r#"{"metric": "latency_slo", "slo_ms": 800, "ratio": 1.2}"#).unwrap();
        assert_eq!(slo, Guardrail::LatencySlo { ratio: 1.2, slo_ms: 800 });
        for wrong in [r#"{"metric": "latency_slo"}"#, r#"{"metric": "error", "margin": 0.1}"#] {
            assert!(serde_json::from_str::<Guardrail>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tenth_longer_is_a_difference_of_logarithms() {
        let Limit::Margin { margin, .. } = (Guardrail::Latency { margin: 0.1 }).limit() else {
            unreachable!()
        };
        assert!((margin - 1.1_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (wrong, pointer) in [
            (Guardrail::Error { ratio: 0.5 }, "/guardrails/1/ratio"),
            (Guardrail::Error { ratio: f64::NAN }, "/guardrails/1/ratio"),
            (Guardrail::LatencySlo { ratio: 1.0, slo_ms: 0 }, "/guardrails/1/slo_ms"),
            (Guardrail::Cost { margin: -0.1 }, "/guardrails/1/margin"),
            (Guardrail::Refusal { ratio: 1.5 }, "/guardrails/1/metric"),
        ] {
            let error = validate(&[Guardrail::Refusal { ratio: 1.0 }, wrong]).unwrap_err();
            assert_eq!(error.problems()[0].pointer, pointer);
        }
    }
}
