//! What a prompt or a team asks of its versions.

use serde::{Deserialize, Serialize};

use crate::{Error, FieldProblem, Result, money::Usd};

/// How strict a gate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateMode {
    /// Nothing is asked; versions are shown as ungated.
    Off,
    /// Verdicts are shown and refuse nothing; versions are shown as ungated.
    Advisory,
    /// Production takes what passed, and nothing else.
    #[default]
    Required,
}

/// The policy of a prompt, or a team's default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatePolicy {
    /// How strict it is.
    pub mode: GateMode,
    /// The share of cases that must pass, 0 to 1.
    pub min_pass_rate: f64,
    /// The average score that must be reached, 0 to 1.
    pub min_score: Option<f64>,
    /// Fewer cases than this are no evidence.
    pub min_cases: u32,
    /// How sure it must be that the pass rate is not 5 points below production's: 0.95, or 0.90, which asks people half
    /// as often and lets twice as many through that are 5 points worse.
    pub confidence: f64,
    /// Whether a version must have been live in `staging` before.
    pub require_staging_first: bool,
    /// Whether a releaser who did not write the version must approve it.
    pub require_approval: bool,
    /// The most that a case may cost on average.
    pub max_cost_usd_per_case: Option<Usd>,
    /// The longest that 95 of 100 answers may take, in ms.
    pub max_p95_latency_ms: Option<u64>,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self {
            mode: GateMode::Required,
            min_pass_rate: 0.80,
            min_score: None,
            min_cases: 50,
            confidence: 0.95,
            require_staging_first: false,
            require_approval: false,
            max_cost_usd_per_case: None,
            max_p95_latency_ms: None,
        }
    }
}

impl GatePolicy {
    /// Refuses values that mean nothing.
    pub fn validate(&self) -> Result<()> {
        let share = 0.0..=1.0;
        let checks = [
            ("min_pass_rate", share.contains(&self.min_pass_rate), "lies between 0 and 1"),
            ("min_score", self.min_score.is_none_or(|score| share.contains(&score)), "lies between 0 and 1"),
            ("min_cases", (1..=10_000).contains(&self.min_cases), "lies between 1 and 10,000"),
            ("confidence", [0.90, 0.95].contains(&self.confidence), "is 0.90 or 0.95"),
            ("max_p95_latency_ms", self.max_p95_latency_ms != Some(0), "is at least 1"),
        ];
        let wrong = checks.into_iter().filter(|(_, holds, _)| !holds);
        let problems = wrong.map(|(name, _, must)| FieldProblem {
            pointer: format!("/gate/{name}"),
            detail: format!("{name} {must}."),
        });
        Error::check(problems.collect())
    }

    /// Whether this policy lets something through that `before` would not: that needs an admin.
    pub fn is_weaker_than(&self, before: &Self) -> bool {
        self.mode < before.mode
            || self.min_pass_rate < before.min_pass_rate
            || self.min_cases < before.min_cases
            || self.confidence < before.confidence
            || is_lower(self.min_score, before.min_score)
            || (before.require_staging_first && !self.require_staging_first)
            || (before.require_approval && !self.require_approval)
            || is_higher(self.max_cost_usd_per_case, before.max_cost_usd_per_case)
            || is_higher(self.max_p95_latency_ms, before.max_p95_latency_ms)
    }
}

/// Whether a least value was lowered, or taken away.
fn is_lower<T: PartialOrd>(now: Option<T>, before: Option<T>) -> bool {
    before.is_some_and(|before| now.is_none_or(|now| now < before))
}

/// Whether a greatest value was raised, or taken away.
fn is_higher<T: PartialOrd>(now: Option<T>, before: Option<T>) -> bool {
    before.is_some_and(|before| now.is_none_or(|now| now > before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaker_is_any_step_down() {
        let base = GatePolicy {
            min_score: Some(0.7),
            require_staging_first: true,
            require_approval: true,
            max_cost_usd_per_case: Some(Usd::from_nanos(1000)),
            max_p95_latency_ms: Some(900),
            ..GatePolicy::default()
        };
        for weaker in [
            GatePolicy { mode: GateMode::Advisory, ..base },
            GatePolicy { min_pass_rate: 0.79, min_cases: 90, ..base },
            GatePolicy { min_cases: 49, min_pass_rate: 0.9, ..base },
            GatePolicy { confidence: 0.90, ..base },
            GatePolicy { min_score: Some(0.69), ..base },
            GatePolicy { min_score: None, ..base },
            GatePolicy { require_staging_first: false, ..base },
            GatePolicy { require_approval: false, ..base },
            GatePolicy { max_cost_usd_per_case: None, ..base },
            GatePolicy { max_cost_usd_per_case: Some(Usd::from_nanos(1001)), ..base },
            GatePolicy { max_p95_latency_ms: Some(901), ..base },
            GatePolicy { max_p95_latency_ms: None, ..base },
        ] {
            assert!(weaker.is_weaker_than(&base), "{weaker:?}");
            assert!(!base.is_weaker_than(&weaker) || weaker.min_cases == 90 || weaker.min_pass_rate > 0.8);
        }
        assert!(!base.is_weaker_than(&base));
        assert!(!base.is_weaker_than(&GatePolicy::default()), "what nobody asked for cannot be weakened");
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        let wrong = GatePolicy {
            min_pass_rate: 1.1,
            min_score: Some(-0.1),
            min_cases: 0,
            confidence: 0.99,
            max_p95_latency_ms: Some(0),
            ..GatePolicy::default()
        };
        let error = wrong.validate().unwrap_err();
        let pointers: Vec<&str> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
        let expected = ["min_pass_rate", "min_score", "min_cases", "confidence", "max_p95_latency_ms"];
        assert_eq!(pointers, expected.map(|name| format!("/gate/{name}")));
    }
}
