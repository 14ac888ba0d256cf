//! Whether the arms can be compared at all: served as often as their weights say (statistics.md §5.5), and
//! answered equally often (§2.2).

use super::{estimate::PerArm, normal};

/// The least expected count of a cell for which χ² is χ².
const LEAST_EXPECTED: f64 = 5.0;

/// How many units the sample ratio needs.
const LEAST_UNITS: f64 = 500.0;

/// Ever flagged in 14 days of hourly looks at equal arms: .8 %.
const SAMPLE_RATIO_LEVEL: f64 = 0.0005;

/// The same for the rate of answers.
const FEEDBACK_LEVEL: f64 = 0.001;

/// The first exposures of new units in one allocation version. Neither requests of sticky users count, nor
/// users who came back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposed<'a> {
    /// How many units saw each arm.
    pub units: &'a [f64],
    /// The weights of the arms, as many.
    pub weights: &'a [f64],
}

/// How often the matured exposures of an arm were answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answered {
    /// The exposures that got an answer.
    pub with: f64,
    /// The exposures that can get none any more.
    pub without: f64,
}

/// How far counts are from what they should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Imbalance {
    /// X².
    pub statistic: f64,
    /// How likely so much would be by chance.
    pub p: f64,
    /// Whether that is too little to believe: nothing may be decided until somebody knows why.
    pub flagged: bool,
}

impl Imbalance {
    fn of(statistic: f64, arms: usize, level: f64) -> Self {
        let p = normal::chi_squared_tail(statistic, u32::try_from(arms - 1).unwrap_or(u32::MAX));
        Self { statistic, p, flagged: p < level }
    }
}

/// The sample ratio mismatch of a trial with so many arms: `E_k = Σ_v N_v·w_vk`, `X² = Σ(O − E)²/E`. `None`
/// as long as there is too little to tell. An arm that never had a weight is left out.
pub fn sample_ratio<'a>(arms: usize, versions: impl IntoIterator<Item = Exposed<'a>>) -> Option<Imbalance> {
    let (mut observed, mut expected) = (PerArm::of(arms, |_| 0.0), PerArm::of(arms, |_| 0.0));
    for Exposed { units, weights } in versions {
        let share = units.iter().sum::<f64>() / weights.iter().sum::<f64>();
        if !share.is_finite() {
            continue;
        }
        observed.iter_mut().zip(units).for_each(|(observed, units)| *observed += units);
        expected.iter_mut().zip(weights).for_each(|(expected, weight)| *expected += share * weight);
    }
    let served = || observed.iter().zip(expected.iter()).filter(|(_, expected)| **expected > 0.0);
    let enough = observed.iter().sum::<f64>() >= LEAST_UNITS
        && served().all(|(_, expected)| *expected >= LEAST_EXPECTED);
    let arms = served().count();
    (enough && arms > 1).then(|| {
        let statistic = served().map(|(observed, expected)| (observed - expected).powi(2) / expected).sum();
        Imbalance::of(statistic, arms, SAMPLE_RATIO_LEVEL)
    })
}

/// Whether one arm's users answer more often than another's: then the answers are of other users too. `None`
/// as long as there is too little to tell. An arm without exposures is left out.
pub fn feedback_bias(arms: &[Answered]) -> Option<Imbalance> {
    let served = || arms.iter().map(|arm| (arm.with, arm.with + arm.without)).filter(|(_, all)| *all > 0.0);
    let (with, all) = served().fold((0.0, 0.0), |(with, all), arm| (with + arm.0, all + arm.1));
    let rate = with / all;
    let rarer = rate.min(1.0 - rate);
    let enough = served().all(|(_, all)| all * rarer >= LEAST_EXPECTED);
    let arms = served().count();
    (enough && arms > 1).then(|| {
        // Both cells of an arm are off by the same number: (O − E)²/E summed over the two.
        let apart = |(with, all): (f64, f64)| (with - all * rate).powi(2) / (all * rate * (1.0 - rate));
        Imbalance::of(served().map(apart).sum(), arms, FEEDBACK_LEVEL)
    })
}

#[cfg(test)]
mod tests;
