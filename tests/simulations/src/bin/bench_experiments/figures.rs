//! Figures of a cell, and how far they may be from those of the specification.

use crate::experiment::Run;

/// How far a probability may be off, besides its error.
const SHARE_TOLERANCE: f64 = 0.03;
/// How far a reduction of exposure may be off.
const SPARED_TOLERANCE: f64 = 0.03;
/// How far a day may be off, as a share of the day, besides its error.
const DAY_TOLERANCE: f64 = 0.12;
/// Below a day, a day is off by an hour already for being seen once an hour.
const GRAIN: f64 = 1.0 / 24.0;

/// Something measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    /// How far it may be from the specification's.
    tolerance: Tolerance,
    /// Two standard errors.
    pub(crate) chance: f64,
}

#[derive(Debug, Clone, Copy)]
enum Tolerance {
    /// So much.
    Absolute(f64),
    /// Such a share of the specification's figure.
    Day,
}

impl Figure {
    /// How often something happens.
    pub(crate) fn share<T>(of: &[T], happens: impl Fn(&T) -> bool) -> Self {
        let value = mean(of, |run| f64::from(u8::from(happens(run))));
        let chance = 2.0 * (value * (1.0 - value) / count(of)).sqrt();
        Self { value, tolerance: Tolerance::Absolute(SHARE_TOLERANCE), chance }
    }

    /// A median day. Its error is that of the order statistics around it: the number of runs below the true
    /// median has the standard deviation √n/2.
    pub(crate) fn median_day<T>(of: &[T], day: impl Fn(&T) -> f64) -> Self {
        let mut days: Vec<f64> = of.iter().map(day).collect();
        days.sort_by(f64::total_cmp);
        let middle = days.len() / 2;
        let around = days.len().isqrt();
        let at = |rank: usize| days.get(rank).or(days.last()).copied().unwrap_or(f64::NAN);
        let chance = f64::midpoint(at(middle + around), -at(middle.saturating_sub(around)));
        Self { value: at(middle), tolerance: Tolerance::Day, chance }
    }

    /// Whether it is what the specification says, or the specification says nothing.
    pub(crate) fn is_near(&self, target: f64) -> bool {
        target.is_nan() || (self.value - target).abs() <= self.allowed(target)
    }

    /// How far it may be from this.
    pub(crate) fn allowed(&self, target: f64) -> f64 {
        self.chance
            + match self.tolerance {
                Tolerance::Absolute(most) => most,
                Tolerance::Day if target < 1.0 => DAY_TOLERANCE * target + GRAIN,
                Tolerance::Day => DAY_TOLERANCE * target,
            }
    }
}

/// What came of the runs of a cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// How often each arm won, the control first.
    pub(crate) wins: [Figure; 2],
    /// The median day of the winner; 14 without one.
    pub(crate) day: Figure,
    /// The mean reduction of exposure.
    pub(crate) spared: Figure,
    /// The median last day on which the second arm had less than 80 % of the traffic.
    pub(crate) converged: Figure,
}

impl Figures {
    pub(crate) fn of(runs: &[Run]) -> Self {
        Self {
            wins: [0, 1].map(|arm| Figure::share(runs, |run| run.winner == Some(arm))),
            day: Figure::median_day(runs, |run| run.day),
            spared: Figure {
                value: mean(runs, |run| run.spared),
                tolerance: Tolerance::Absolute(SPARED_TOLERANCE),
                chance: 0.0,
            },
            converged: Figure::median_day(runs, |run| run.converged),
        }
    }
}

fn mean<T>(of: &[T], value: impl Fn(&T) -> f64) -> f64 {
    of.iter().map(value).sum::<f64>() / count(of)
}

#[expect(clippy::cast_precision_loss, reason = "replications are far below 2^52")]
fn count<T>(of: &[T]) -> f64 {
    of.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_error_of_their_number() {
        let share = |runs: u32| Figure::share(&(0..runs).collect::<Vec<_>>(), |run| run % 2 == 0);
        let (few, many) = (share(100), share(10_000));
        assert!((few.value - 0.5).abs() < 1e-12 && (few.allowed(0.5) - 0.13).abs() < 1e-9);
        assert!((many.allowed(0.5) - 0.04).abs() < 1e-9);
        assert!(few.is_near(0.6) && !many.is_near(0.6) && many.is_near(f64::NAN));
    }

    #[test]
    fn a_median_is_near_within_an_eighth_and_the_order_statistics_around_it() {
        let day = |spread: f64| Figure::median_day(&[(); 1000], |()| spread);
        assert!(day(7.0).is_near(7.9) && !day(7.0).is_near(8.0), "without spread the tolerance is 12 %");
        let days: Vec<f64> = (0..1000).map(|run| f64::from(run) / 100.0).collect();
        let median = Figure::median_day(&days, |day| *day);
        // 31 of 1000 runs to each side are two standard errors.
        assert!((median.value - 5.0).abs() < 1e-9 && (median.chance - 0.31).abs() < 1e-9);
        assert!(day(0.35).is_near(0.43) && !day(0.35).is_near(0.5), "an hour's grain below a day");
    }

    #[test]
    fn figures_are_of_the_runs() {
        let run = |winner, day, spared| Run { winner, day, spared, converged: day };
        let runs =
            [run(Some(1), 2.0, 0.9), run(Some(0), 4.0, -0.5), run(None, 14.0, 0.2), run(Some(1), 3.0, 0.6)];
        let figures = Figures::of(&runs);
        assert!((figures.wins[0].value - 0.25).abs() < 1e-12 && (figures.wins[1].value - 0.5).abs() < 1e-12);
        assert!((figures.day.value - 4.0).abs() < 1e-12 && (figures.spared.value - 0.3).abs() < 1e-12);
        assert!(figures.spared.is_near(0.33) && !figures.spared.is_near(0.331));
    }
}
