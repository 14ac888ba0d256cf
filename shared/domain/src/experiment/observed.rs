//! What is known of an experiment when it is judged.

use std::collections::BTreeMap;

use super::{balance::Answered, estimate::Stratum};
use crate::rollout;

/// How long a stratum has been closed, in days, when hardly anything still comes for it: no answer may be given later
/// ([`super::Settings::attribution_window_minutes`]).
const SETTLED: f64 = 3.0;

/// What the counters say of an experiment: sums since its beginning, so that it does no harm to look twice, or at once
/// with another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The allocation version whose units are in [`Self::harm`].
    pub allocation_version: u64,
    /// The primary metric by allocation version, times its sign.
    pub strata: Vec<Stratum>,
    /// How old each of them is, in days.
    pub ages: BTreeMap<u64, f64>,
    /// See [`super::estimate::design_effect`].
    pub design_effect: f64,
    /// Each arm but the control beside the control, as a canary is.
    pub harm: Vec<rollout::Observed>,
    /// Who met the arms first under which weights, by allocation version.
    pub served: Vec<Served>,
    /// How often the exposures of each arm were answered that can get no more answers.
    pub answered: Vec<Answered>,
    /// How many resolves were heard of.
    pub exposures: u64,
}

impl Observed {
    /// The newest allocation version that closed so long ago that hardly anything still comes for it; nor does for those
    /// before.
    pub fn settled(&self) -> Option<u64> {
        self.ages.iter().rev().find(|(_, days)| **days >= SETTLED).map(|(version, _)| *version)
    }
}

/// The units that were new under an allocation version.
#[derive(Debug, Clone, PartialEq)]
pub struct Served {
    /// How many, by arm.
    pub units: Vec<f64>,
    /// The weights of the arms then.
    pub weights: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_closed_three_days_ago_is_settled() {
        let settled = |ages: &[(u64, f64)]| {
            Observed { ages: ages.iter().copied().collect(), ..Observed::default() }.settled()
        };
        assert_eq!(settled(&[]), None);
        assert_eq!(settled(&[(1, 2.99), (2, 0.0)]), None);
        assert_eq!(settled(&[(1, 4.0), (2, 3.0), (3, 2.99), (4, 0.0)]), Some(2));
    }
}
