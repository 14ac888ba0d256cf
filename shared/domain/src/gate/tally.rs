//! How the cases of a run ended.

use serde::{Deserialize, Serialize};

/// What the cases of a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Cases whose assertions held.
    pub passed: u32,
    /// Cases whose assertions did not.
    pub failed: u32,
    /// Cases without an output to judge.
    pub errored: u32,
    /// Of the errored ones, those that are the provider's doing (429, 5xx, time-outs): they say nothing about the
    /// prompt, and no rate counts them.
    pub provider_errors: u32,
    /// Cases tagged `critical` that were judged and did not pass.
    pub critical_not_passed: u32,
    /// Cases tagged `critical` to which the provider gave no answer.
    #[serde(default)]
    pub critical_unanswered: u32,
}

impl Tally {
    /// All cases.
    pub fn total(&self) -> u32 {
        self.passed + self.failed + self.errored
    }

    /// The cases that say something about the prompt.
    pub fn judged(&self) -> u32 {
        self.total() - self.provider_errors
    }

    /// The share of the judged cases that passed; an errored case did not.
    pub fn pass_rate(&self) -> f64 {
        if self.judged() == 0 { 0.0 } else { f64::from(self.passed) / f64::from(self.judged()) }
    }
}
