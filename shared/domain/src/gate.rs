//! The evaluation gate: what a version must show before production takes it.

use serde::{Deserialize, Serialize};

use crate::{Error, FieldProblem, Result};

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
pub struct GatePolicy {
    /// How strict it is.
    pub mode: GateMode,
    /// The share of cases that must pass, 0 to 1.
    pub min_pass_rate: f64,
    /// Fewer cases than this are no evidence.
    pub min_cases: u32,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self { mode: GateMode::Required, min_pass_rate: 0.80, min_cases: 50 }
    }
}

impl GatePolicy {
    /// Refuses values that mean nothing.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        if !(0.0..=1.0).contains(&self.min_pass_rate) {
            problems.push(FieldProblem {
                pointer: "/gate/min_pass_rate".to_owned(),
                detail: "min_pass_rate lies between 0 and 1.".to_owned(),
            });
        }
        if !(1..=10_000).contains(&self.min_cases) {
            problems.push(FieldProblem {
                pointer: "/gate/min_cases".to_owned(),
                detail: "min_cases lies between 1 and 10,000.".to_owned(),
            });
        }
        Error::check(problems)
    }

    /// Whether this policy lets something through that `before` would not: that needs an admin.
    pub fn is_weaker_than(&self, before: &Self) -> bool {
        self.mode < before.mode
            || self.min_pass_rate < before.min_pass_rate
            || self.min_cases < before.min_cases
    }
}

/// What the cases of a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Cases whose assertions held.
    pub passed: u32,
    /// Cases whose assertions did not.
    pub failed: u32,
    /// Cases without an output to judge.
    pub errored: u32,
    /// Of the errored ones, those that are the provider's doing (429, 5xx, time-outs).
    pub provider_errors: u32,
    /// Cases tagged `critical` that did not pass.
    pub critical_not_passed: u32,
}

impl Tally {
    /// All cases.
    pub fn total(&self) -> u32 {
        self.passed + self.failed + self.errored
    }

    /// The share that passed; an errored case did not.
    pub fn pass_rate(&self) -> f64 {
        if self.total() == 0 { 0.0 } else { f64::from(self.passed) / f64::from(self.total()) }
    }
}

/// A gate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateResult {
    /// Fit for production.
    Pass,
    /// Not fit.
    Fail,
    /// Too close to call, or too few cases.
    ManualReview,
}

/// A gate's answer with its reasons, in words for a product manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub result: GateResult,
    /// Why.
    pub reasons: Vec<String>,
}

/// The share of provider failures above which a run says nothing about the prompt.
pub const MAX_PROVIDER_ERROR_SHARE: f64 = 0.02;

/// Why a run says nothing about its prompt, when so many cases failed for the provider's reasons.
pub fn void_reason(tally: &Tally) -> Option<String> {
    let share = f64::from(tally.provider_errors) / f64::from(tally.total().max(1));
    (share > MAX_PROVIDER_ERROR_SHARE).then(|| {
        format!(
            "{} of {} cases got no answer from the model's provider. That says nothing about the prompt: \
             evaluate again when the provider is well.",
            tally.provider_errors,
            tally.total()
        )
    })
}

/// Judges a run by itself (statistics.md §6, «no baseline»).
///
/// FAIL: the upper end of the pass rate's 95 % Wilson interval is below `min_pass_rate`, or a critical case did not
/// pass. PASS: at least `min_cases`, and the pass rate reaches `min_pass_rate`. Between them a person decides.
pub fn judge(policy: &GatePolicy, tally: &Tally) -> Verdict {
    let (_, upper) = wilson(tally.passed, tally.total());
    let rate = format!(
        "{} of {} cases pass ({:.1} %); the gate asks for {:.1} %.",
        tally.passed,
        tally.total(),
        100.0 * tally.pass_rate(),
        100.0 * policy.min_pass_rate
    );
    let mut reasons = vec![rate];
    if tally.critical_not_passed > 0 {
        reasons.push(match tally.critical_not_passed {
            1 => "1 critical case does not pass.".to_owned(),
            several => format!("{several} critical cases do not pass."),
        });
    }
    if tally.critical_not_passed > 0 || upper < policy.min_pass_rate {
        return Verdict { result: GateResult::Fail, reasons };
    }
    let enough = tally.total() >= policy.min_cases;
    if enough && tally.pass_rate() >= policy.min_pass_rate {
        return Verdict { result: GateResult::Pass, reasons };
    }
    reasons.push(if enough {
        "That is below the gate, but within what chance alone does: a person has to look at the failing cases."
            .to_owned()
    } else {
        format!("The gate wants at least {} cases to decide by itself.", policy.min_cases)
    });
    Verdict { result: GateResult::ManualReview, reasons }
}

/// The 95 % Wilson score interval of a share.
pub fn wilson(passed: u32, total: u32) -> (f64, f64) {
    const Z: f64 = 1.96;
    if total == 0 {
        return (0.0, 1.0);
    }
    let n = f64::from(total);
    let p = f64::from(passed) / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u32, failed: u32) -> Tally {
        Tally { passed, failed, ..Tally::default() }
    }

    /// Golden vectors of statistics.md §8 and the edge cases of §7.
    #[test]
    fn wilson_intervals_are_the_golden_ones() {
        for (passed, total, low, high) in
            [(170, 200, 0.793_943, 0.892_865), (200, 200, 0.981_154, 1.0), (0, 200, 0.0, 0.018_846)]
        {
            let (lower, upper) = wilson(passed, total);
            assert!((lower - low).abs() < 1e-6 && (upper - high).abs() < 1e-6, "{lower} {upper}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn a_clear_miss_fails_a_hit_passes_and_the_rest_goes_to_a_person() {
        let policy = GatePolicy { min_pass_rate: 0.6, ..GatePolicy::default() };
        let result = |passed, failed| judge(&policy, &tally(passed, failed)).result;
        assert_eq!(result(92, 108), GateResult::Fail);
        assert_eq!(result(134, 66), GateResult::Pass);
        assert_eq!(result(115, 85), GateResult::ManualReview);
        assert_eq!(result(49, 0), GateResult::ManualReview, "too few cases");
        assert_eq!(result(0, 0), GateResult::ManualReview);
    }

    #[test]
    fn a_critical_case_fails_the_gate_alone() {
        let tally = Tally { critical_not_passed: 1, ..tally(199, 1) };
        assert_eq!(judge(&GatePolicy::default(), &tally).result, GateResult::Fail);
    }

    #[test]
    fn a_bad_minute_of_the_provider_is_no_verdict() {
        let with = |provider_errors| Tally {
            passed: 200 - provider_errors,
            errored: provider_errors,
            provider_errors,
            ..Tally::default()
        };
        assert!(void_reason(&with(4)).is_none() && void_reason(&with(5)).is_some());
    }

    #[test]
    fn weaker_is_any_step_down() {
        let base = GatePolicy::default();
        assert!(GatePolicy { mode: GateMode::Advisory, ..base }.is_weaker_than(&base));
        assert!(GatePolicy { min_cases: 49, min_pass_rate: 0.9, ..base }.is_weaker_than(&base));
        assert!(!base.is_weaker_than(&base));
    }
}
