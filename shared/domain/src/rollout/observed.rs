//! What is known of a canary when it is judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{experiment::estimate::Stratum, measure::Measure};

/// How many units an arm served, and to how many of them something bad happened.
///
/// Units, not requests: one user who always fails would else stop a healthy canary in 19 to 41 % of cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// First exposures.
    pub served: u64,
    /// Those to whom it happened at least once.
    pub failed: u64,
}

/// The units of both arms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Of the new version.
    pub canary: Units,
    /// Of the version that it is compared with.
    pub control: Units,
}

/// One measure of both arms, for a comparison of means.
#[derive(Debug, Clone, PartialEq)]
pub struct Mean {
    /// The counters of `[control, canary]`, times the measure's sign: of all strata since the canary's run
    /// began, however finely they are cut. A stage is one stratum at least.
    pub strata: Vec<Stratum>,
    /// See [`crate::experiment::estimate::design_effect`].
    pub design_effect: f64,
}

/// What the counters say of a canary. Whoever reads them gives sums since a beginning, never differences:
/// then it does no harm to look twice, or at once with another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// The allocation version that the counters of [`Self::failures`] belong to. Each stage has one of its
    /// own.
    pub allocation_version: u64,
    /// How many requests the canary answered since its run (its iteration) began.
    pub requests: u64,
    /// How many ratings and scores of the canary's answers there are since then.
    pub labels: u64,
    /// The units of the *present* stage, by [`Measure::Error`], [`Measure::Refusal`] and
    /// [`Measure::LatencySlo`]. A unit counts as served, and as failed, once in each stage, so a user who
    /// goes on failing counts anew in the next. During the watch after the promotion, the canary's units are
    /// those since then, and the control's are those of the 24 hours before, as far into them as the watch
    /// has come.
    pub failures: BTreeMap<Measure, Compared>,
    /// Everything else that a guardrail watches. During the watch, the window before the promotion is the
    /// control of one more stratum.
    pub means: BTreeMap<Measure, Mean>,
}

impl Units {
    /// The share that failed; 0 where nobody was served.
    pub fn failing(&self) -> f64 {
        if self.served == 0 { 0.0 } else { real(self.failed) / real(self.served) }
    }

    fn since(&self, before: &Self) -> Option<Self> {
        let served = self.served.checked_sub(before.served)?;
        Some(Self { served, failed: self.failed.checked_sub(before.failed)? })
    }
}

impl Compared {
    /// What was counted after `before`; `None` where less was, so that these counts are the older ones.
    pub(super) fn since(&self, before: &Self) -> Option<Self> {
        let canary = self.canary.since(&before.canary)?;
        Some(Self { canary, control: self.control.since(&before.control)? })
    }

    /// ρ: the canary's share of the units; `None` where it is 0 or 1, which compares nothing.
    pub(super) fn canary_share(&self) -> Option<f64> {
        let (canary, control) = (real(self.canary.served), real(self.control.served));
        (canary > 0.0 && control > 0.0).then(|| canary / (canary + control))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
