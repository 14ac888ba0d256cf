//! What is true: the traffic of an experiment, and how much better its second arm is.

use std::f64::consts::TAU;

use domain::{counter::Sums, measure::Measure};

use crate::draws::Draws;

/// How long experiments run (statistics.md §4.1).
pub(crate) const HOURS: u16 = 336;

/// The values that a metric has, from its shift.
const RATINGS: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// How likely each rating of the control is.
const RATED: [f64; 5] = [0.05, 0.07, 0.17, 0.35, 0.36];
/// What an effect of 1 changes.
const RATED_BETTER: [f64; 5] = [-0.01, -0.01, -0.03, -0.02, 0.07];

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Metric {
    /// A success that is as likely as `base`, and by `step` more with an effect of 1.
    Success { base: f64, step: f64 },
    /// Ratings of 3.90 points, and .15 more with an effect of 1.
    Rating,
}

/// How what is counted changes over time, for both arms alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Drift {
    None,
    /// From this much less to as much more over the experiment.
    Ramp(f64),
    /// From a Friday on, so much more on Saturdays and Sundays, and so much less on the other days.
    Weekend(f64),
    /// A wave of a day, so much up and down.
    Diurnal(f64),
    /// So much more after two days.
    Step(f64),
}

/// An experiment's world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    pub(crate) metric: Metric,
    /// The requests of each arm that a classic test of an effect of 1 needs. It gets them in 14 days.
    pub(crate) classic: f64,
    /// How much better the second arm is, in effects that a classic test finds in 14 days with power .80.
    pub(crate) effect: f64,
    pub(crate) drift: Drift,
}

impl World {
    /// Requests on average.
    pub(crate) fn per_hour(&self) -> f64 {
        2.0 * self.classic / f64::from(HOURS)
    }

    /// The metric as the product knows it.
    pub(crate) fn measure(&self) -> Measure {
        match self.metric {
            Metric::Success { .. } => Measure::Success,
            Metric::Rating => Measure::UserRating,
        }
    }

    /// What an arm that gets this share of the traffic counts in the hour that begins then.
    ///
    /// Each value's count is a Poisson number of its own, which is the same as to draw the requests first and
    /// their values then.
    pub(crate) fn draw(&self, arm: usize, weight: f64, hour: u16, draws: &mut Draws) -> Sums {
        let effect = if arm == 0 { 0.0 } else { self.effect };
        let requests = weight * self.per_hour();
        let mut sums = Sums::default();
        let mut add = |value: f64, likely: f64, draws: &mut Draws| {
            let count = draws.count(requests * likely);
            sums.n += count;
            sums.s1 += count * value;
            sums.s2 += count * value * value;
        };
        match self.metric {
            Metric::Success { base, step } => {
                let likely = base + effect * step + self.drift.at(hour);
                add(0.0, 1.0 - likely, draws);
                add(1.0, likely, draws);
            }
            Metric::Rating => {
                for ((value, likely), better) in RATINGS.into_iter().zip(RATED).zip(RATED_BETTER) {
                    add(value, likely + effect * better, draws);
                }
            }
        }
        sums
    }
}

impl Drift {
    /// What is added to the chance of a success in the hour that begins then.
    fn at(self, hour: u16) -> f64 {
        let middle = f64::from(hour) + 0.5;
        match self {
            Self::None => 0.0,
            Self::Ramp(by) => by * (2.0 * middle / f64::from(HOURS) - 1.0),
            Self::Weekend(by) => {
                if (1..3).contains(&(hour / 24 % 7)) {
                    by
                } else {
                    -by
                }
            }
            Self::Diurnal(by) => by * (TAU * middle / 24.0).sin(),
            Self::Step(by) => {
                if hour < 48 {
                    0.0
                } else {
                    by
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests and the sum of an arm's values over 40,000 hours that begin then, per request.
    fn drawn(world: &World, arm: usize, hour: u16) -> (f64, f64) {
        let mut draws = Draws::of(1, 1, 1);
        let (mut n, mut s1) = (0.0, 0.0);
        for _ in 0..40_000 {
            let sums = world.draw(arm, 0.5, hour, &mut draws);
            n += sums.n;
            s1 += sums.s1;
        }
        (n / 40_000.0, s1 / n)
    }

    #[test]
    fn arms_have_the_traffic_and_the_means_that_were_asked_for() {
        let success = Metric::Success { base: 0.30, step: 0.03 };
        let ratings = (Metric::Rating, 845.0, [0.90, 1.20]);
        for (metric, classic, means) in [(success, 3760.0, [0.30, 0.36]), ratings] {
            let world = World { metric, classic, effect: 2.0, drift: Drift::None };
            for (arm, mean) in means.into_iter().enumerate() {
                let (requests, found) = drawn(&world, arm, 0);
                assert!((requests / (classic / 336.0) - 1.0).abs() < 0.01, "{requests}");
                assert!((found - mean).abs() < 0.01, "{found} is not {mean}");
            }
        }
    }

    #[test]
    fn drifts_move_both_arms_when_they_should() {
        for (drift, hour, by) in [
            (Drift::Ramp(0.08), 0, -0.08),
            (Drift::Ramp(0.08), 335, 0.08),
            (Drift::Weekend(0.08), 23, -0.08),
            (Drift::Weekend(0.08), 24, 0.08),
            (Drift::Weekend(0.08), 71, 0.08),
            (Drift::Weekend(0.08), 72, -0.08),
            (Drift::Diurnal(0.06), 5, 0.06),
            (Drift::Diurnal(0.06), 18, -0.06),
            (Drift::Step(0.15), 47, 0.0),
            (Drift::Step(0.15), 48, 0.15),
        ] {
            assert!((drift.at(hour) - by).abs() < 0.001, "{drift:?} at {hour}: {}", drift.at(hour));
        }
    }
}
