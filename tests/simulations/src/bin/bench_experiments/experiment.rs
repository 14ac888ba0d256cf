//! One experiment of two arms, hour by hour, decided by the project's own code (statistics.md §4.1).

use std::time::Duration;

use domain::{
    Error, Result,
    counter::Sums,
    experiment::{
        decision::{Flags, Mode, Outcome, Progress, Settings, Streak, decide},
        estimate::{Estimate, Noise, PerArm, Standing, Stratum},
        weights::{Floor, Objective, Split, fixed, is_due},
    },
    measure::Measure,
};

use crate::{
    draws::Draws,
    world::{HOURS, World},
};

/// The observations that each arm needs before anything is decided.
const MIN_SAMPLES: f64 = 100.0;
/// How often weights may change.
const UPDATE: Duration = Duration::from_hours(1);
/// The least weight of the naive policy.
const NAIVE_FLOOR: f64 = 0.01;
/// The probability that is enough for it.
const NAIVE_CONFIDENCE: f64 = 0.95;
/// The second arm has the traffic if it has so much of it.
const CONVERGED: f64 = 0.8;

/// How traffic is divided and a winner is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Half and half, and one look after 14 days.
    Classic,
    /// Half and half, strict.
    Fixed,
    /// What the product does if it is told nothing.
    Strict,
    /// The same, decided by [`Mode::Balanced`].
    Balanced,
    /// What many bandits do, and the product cannot: means of all time, the first look that says .95 wins.
    Naive,
    /// The naive policy, half and half.
    NaiveFixed,
    /// The default, with means of all time.
    PooledStrict,
}

/// What became of an experiment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The arm, if one was found.
    pub(crate) winner: Option<usize>,
    /// The day on which the experiment ended: the 14th without a winner.
    pub(crate) day: f64,
    /// How many fewer requests than half of all the first arm got in 14 days, as a share of that half. The
    /// winner gets all from its day on.
    pub(crate) spared: f64,
    /// The last day on which the second arm had less than [`CONVERGED`].
    pub(crate) converged: f64,
}

impl Policy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Fixed => "fixed_split strict",
            Self::Strict => "thompson strict",
            Self::Balanced => "thompson balanced",
            Self::Naive => "naive thompson",
            Self::NaiveFixed => "naive fixed split",
            Self::PooledStrict => "pooled strict",
        }
    }

    fn settings(self) -> Settings {
        let end = Duration::from_hours(HOURS.into());
        Settings {
            mode: if self == Self::Balanced { Mode::Balanced } else { Mode::Strict },
            min_samples: MIN_SAMPLES,
            min_duration: if self == Self::Classic { end } else { Duration::from_hours(24) },
            max_duration: Some(end),
            extended: false,
        }
    }

    /// The floor of its adaptive split, if it has one.
    fn floor(self) -> Result<Option<Floor>> {
        Ok(match self {
            Self::Classic | Self::Fixed | Self::NaiveFixed => None,
            Self::Strict | Self::Balanced | Self::PooledStrict => Some(Floor::default_of(2)),
            Self::Naive => Some(Floor::new(NAIVE_FLOOR, 2)?),
        })
    }

    /// Whether it looks at the means of all time, which is to look at one stratum.
    fn pools(self) -> bool {
        matches!(self, Self::Naive | Self::NaiveFixed | Self::PooledStrict)
    }
}

/// An experiment while it runs.
struct Experiment<'a> {
    policy: Policy,
    world: &'a World,
    split: Option<Split>,
    strata: Vec<Stratum>,
    weights: PerArm,
    /// Hours that the weights are old.
    age: u16,
    streak: Streak,
}

/// Runs one.
pub(crate) fn run(policy: Policy, world: &World, draws: &mut Draws) -> Result<Run> {
    let binary = world.measure() == Measure::Success;
    let split = policy.floor()?.map(|floor| Split { objective: Objective::Reward, floor, binary });
    let mut experiment = Experiment {
        policy,
        world,
        split,
        strata: vec![Stratum { allocation_version: 1, arms: vec![Sums::default(); 2] }],
        weights: PerArm::of(2, |_| 0.5),
        age: 0,
        streak: Streak::default(),
    };
    let mut served = [0.0; 2];
    let (mut winner, mut end, mut converged) = (None, HOURS, 0);
    for hour in 0..HOURS {
        if experiment.weights[1] < CONVERGED {
            converged = hour + 1;
        }
        experiment.serve(hour, &mut served, draws);
        winner = experiment.look(hour + 1)?;
        if winner.is_some() {
            end = hour + 1;
            break;
        }
    }
    if let Some(arm) = winner {
        served[arm] += f64::from(HOURS - end) * world.per_hour();
    }
    if winner == Some(0) {
        converged = HOURS;
    }
    let days = |hours: u16| f64::from(hours) / 24.0;
    let spared = 1.0 - 2.0 * served[0] / (served[0] + served[1]);
    Ok(Run { winner, day: days(end), spared, converged: days(converged) })
}

impl Experiment<'_> {
    /// An hour of traffic.
    fn serve(&mut self, hour: u16, served: &mut [f64; 2], draws: &mut Draws) {
        let Some(stratum) = self.strata.last_mut() else { return };
        for (arm, sums) in stratum.arms.iter_mut().enumerate() {
            let new = self.world.draw(arm, self.weights[arm], hour, draws);
            sums.n += new.n;
            sums.s1 += new.s1;
            sums.s2 += new.s2;
            served[arm] += new.n;
        }
        self.age += 1;
    }

    /// The look after so many hours: the winner, or else new weights.
    fn look(&mut self, hours: u16) -> Result<Option<usize>> {
        let noise = Noise::of(self.world.measure(), 1.0);
        let estimate = Estimate::of(2, &self.strata, noise, |_| 1.0).map_err(Error::internal)?;
        let standing = Standing::of(&estimate, &[true; 2], 0);
        self.streak = self.streak.next(&standing);
        let winner = self.winner(&estimate, &standing, hours);
        let weights = match &self.split {
            Some(split) => split.weights(&estimate, &standing),
            None => fixed(&[0.5; 2], &standing),
        };
        let age = Duration::from_hours(self.age.into());
        if is_due(&self.weights, &weights, age, UPDATE) {
            self.weights = weights;
            self.age = 0;
            if !self.policy.pools() {
                let allocation_version = u64::from(hours) + 1;
                let arms = vec![Sums::default(); 2];
                self.strata.push(Stratum { allocation_version, arms });
            }
        }
        Ok(winner)
    }

    fn winner(&self, estimate: &Estimate, standing: &Standing, hours: u16) -> Option<usize> {
        if matches!(self.policy, Policy::Naive | Policy::NaiveFixed) {
            let enough = estimate.samples.iter().all(|samples| *samples >= MIN_SAMPLES);
            let sure = standing.p_best[standing.leader] >= NAIVE_CONFIDENCE;
            return (enough && sure).then_some(standing.leader);
        }
        let progress = Progress {
            active: Duration::from_hours(hours.into()),
            flags: Flags::default(),
            streak: self.streak,
            scale: estimate.scale(self.world.measure(), 0),
        };
        match decide(estimate, standing, self.policy.settings(), progress).outcome {
            Outcome::Winner(arm) => Some(arm),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Drift, Metric};

    /// Forty runs with this effect.
    fn runs(policy: Policy, effect: f64) -> Vec<Run> {
        let metric = Metric::Success { base: 0.30, step: 0.03 };
        let world = World { metric, classic: 3760.0, effect, drift: Drift::None };
        (0..40).map(|replication| run(policy, &world, &mut Draws::of(1, 1, replication)).unwrap()).collect()
    }

    #[test]
    fn a_classic_test_ends_after_14_days_and_spares_nobody() {
        for run in runs(Policy::Classic, 3.0) {
            assert_eq!(run.winner, Some(1));
            assert!((run.day - 14.0).abs() < 1e-9 && run.spared.abs() < 0.05, "{run:?}");
        }
    }

    #[test]
    fn a_winner_gets_all_that_comes_after_it() {
        for run in runs(Policy::Fixed, 3.0) {
            let before = run.day / 14.0;
            assert!(run.winner == Some(1) && run.day < 8.0, "{run:?}");
            assert!((run.spared - (1.0 - before)).abs() < 0.05, "{run:?}");
            assert!((run.converged - run.day).abs() < 1e-9, "{run:?}");
        }
    }

    #[test]
    fn an_adaptive_split_spares_more_and_converges_before_it_is_decided() {
        let mean = |runs: &[Run], of: fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / 40.0;
        let (fixed, adaptive) = (runs(Policy::Fixed, 2.0), runs(Policy::Strict, 2.0));
        assert!(mean(&adaptive, |run| run.spared) > mean(&fixed, |run| run.spared) + 0.05);
        assert!(mean(&adaptive, |run| run.converged) < mean(&adaptive, |run| run.day) - 1.0);
    }
}
