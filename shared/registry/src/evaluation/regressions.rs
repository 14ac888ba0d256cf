//! Which cases production passes and a candidate does not.

use std::collections::HashSet;

use domain::eval_run::{CaseOutcome, CaseResult};

/// The cases, by name and content, that a baseline passed.
pub(super) struct PassedBefore(HashSet<(String, String)>);

impl PassedBefore {
    pub(super) fn of(baseline: &[CaseResult]) -> Self {
        let passed = baseline.iter().filter(|case| case.outcome == CaseOutcome::Passed);
        Self(passed.map(name).collect())
    }

    /// Whether a case was passed there and is not here; where the provider gave no answer, nobody knows.
    pub(super) fn regressed(&self, case: &CaseResult) -> bool {
        case.outcome != CaseOutcome::Passed && !case.provider_error && self.0.contains(&name(case))
    }
}

fn name(case: &CaseResult) -> (String, String) {
    (case.case_id.clone(), case.content_sha256.clone())
}
