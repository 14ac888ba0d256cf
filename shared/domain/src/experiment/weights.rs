//! How much of the traffic each arm gets (statistics.md §2.1), and when that changes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, MAX_ARMS, PerArm, Standing};
use crate::{Error, Result};

/// How many observations every arm needs before the split follows the data.
const BURN_IN: f64 = 100.0;

/// How many successes and failures, of all arms together, a binary measure needs besides.
const BURN_IN_EVENTS: f64 = 10.0;

/// The change of a weight that is worth a new allocation version.
const WORTH_IT: f64 = 0.05;

/// How old an allocation version gets: strata are cut there, so that no stratum spans a drift of days.
pub const OLDEST: Duration = Duration::from_hours(24);

/// What an experiment's adaptive split is after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Serve the best arm as often as can be: each arm as often as it is likely the best (Thompson sampling).
    #[default]
    Reward,
    /// Find out which arm is the best: the best one and its rivals half and half (top-two Thompson sampling).
    Identify,
}

/// The least share that an arm keeps, so that something is learnt of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor(f64);

impl Floor {
    /// .2/K: the share that statistics.md §2.1 found best.
    pub fn default_of(arms: usize) -> Self {
        Self(0.2 * equal_share(arms))
    }

    /// The share itself, 0 to 1.
    pub fn share(self) -> f64 {
        self.0
    }

    /// Of an experiment with so many arms, whose floors must fit into the traffic.
    pub fn new(floor: f64, arms: usize) -> Result<Self> {
        let most = equal_share(arms);
        if (0.0..=most).contains(&floor) {
            return Ok(Self(floor));
        }
        let detail =
            format!("The exploration floor must be 0 to {most:.4}, an equal share of {arms} variants.");
        Err(Error::invalid("/exploration_floor", detail))
    }
}

fn equal_share(arms: usize) -> f64 {
    f64::from(u32::try_from(arms).unwrap_or(u32::MAX)).recip()
}

/// How an experiment's adaptive split is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// What it is after.
    pub objective: Objective,
    /// What each arm keeps.
    pub floor: Floor,
    /// Whether the primary metric is a success or a failure.
    pub binary: bool,
}

impl Split {
    /// The weights that the data ask for. An arm that does not compete gets nothing.
    pub fn weights(&self, estimate: &Estimate, standing: &Standing) -> PerArm {
        if !self.is_burnt_in(estimate, standing) {
            return fixed(&PerArm::of(estimate.arms(), |_| 1.0), standing);
        }
        let wanted = match self.objective {
            Objective::Reward => standing.p_best,
            Objective::Identify => top_two(standing),
        };
        self.floor.keep(wanted, standing)
    }

    /// Whether there is enough data for the split to follow it. An arm that does not compete is not waited
    /// for.
    pub fn is_burnt_in(&self, estimate: &Estimate, standing: &Standing) -> bool {
        // The sign of the measure is in the sums: either count of events is one of the two.
        let events = estimate.totals.iter().sum::<f64>().abs();
        let others = estimate.samples.iter().sum::<f64>() - events;
        standing.competing().all(|arm| estimate.samples[arm] >= BURN_IN)
            && (!self.binary || events.min(others) >= BURN_IN_EVENTS)
    }
}

/// The weights that were asked for, without the arms that do not compete. The control serves where nothing is
/// left.
pub fn fixed(asked: &[f64], standing: &Standing) -> PerArm {
    let share = |arm: usize| if standing.competes[arm] { asked[arm].max(0.0) } else { 0.0 };
    let all: f64 = (0..asked.len()).map(share).sum();
    PerArm::of(asked.len(), |arm| if all > 0.0 { share(arm) / all } else { f64::from(u8::from(arm == 0)) })
}

/// Whether the wanted weights are worth a new allocation version by now: after `interval` if a weight changes
/// by .05, after a day in any case. An arm that must not serve any more does not wait.
pub fn is_due(current: &[f64], wanted: &[f64], age: Duration, interval: Duration) -> bool {
    let mut changes = current.iter().zip(wanted);
    let change = changes.clone().map(|(current, wanted)| (current - wanted).abs()).fold(0.0, f64::max);
    let stops = changes.any(|(current, wanted)| *current > 0.0 && *wanted <= 0.0);
    stops || age >= OLDEST || (age >= interval && change >= WORTH_IT)
}

/// `w_k = ½P_k + ½P_k·Σ_{j≠k} P_j/(1 − P_j)`: the best arm, or the best of the others.
fn top_two(standing: &Standing) -> PerArm {
    // Where one arm is surely the best, the rest share the other half. The formula has 0/0 there.
    const DOUBT: f64 = 1e-9;
    let doubted = |arm: usize| if standing.competes[arm] { standing.p_best[arm] + DOUBT } else { 0.0 };
    let p = PerArm::of(standing.p_best.len(), doubted);
    let without = |arm: usize| standing.competing().filter(move |other| *other != arm);
    let odds = |arm: usize| p[arm] / without(arm).map(|other| p[other]).sum::<f64>();
    PerArm::of(p.len(), |arm| 0.5 * p[arm] * (1.0 + without(arm).map(odds).sum::<f64>()))
}

impl Floor {
    /// Raises the weights to the floor and shares out what is left in proportion, so that they sum to 1.
    fn keep(self, weights: PerArm, standing: &Standing) -> PerArm {
        let (mut held, mut kept) = ([false; MAX_ARMS], 0.0);
        // Each round holds one more arm at the floor, which leaves the others less, or is the last.
        loop {
            let free = || standing.competing().filter(|arm| !held[*arm]);
            let scale = (1.0 - kept) / free().map(|arm| weights[arm]).sum::<f64>();
            let Some(short) = free().find(|arm| weights[*arm] * scale < self.0) else {
                return PerArm::of(weights.len(), |arm| match (standing.competes[arm], held[arm]) {
                    (false, _) => 0.0,
                    (true, true) => self.0,
                    (true, false) => weights[arm] * scale,
                });
            };
            held[short] = true;
            kept += self.0;
        }
    }
}

#[cfg(test)]
mod tests;
