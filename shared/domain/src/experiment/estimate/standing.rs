//! How arms stand against each other: which is the best, how likely, and what a wrong choice would cost.

use chacha20::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{Contrast, Estimate, MAX_ARMS, PerArm};
use crate::experiment::{evidence, normal};

/// How often three and more arms are drawn. An error of a probability is then at most .0036.
const DRAWS: usize = 20_000;

/// Of how many draws one leaves more to gain than the value remaining.
const TAIL: usize = 20;

/// How the arms that compete stand against each other. Where all arms have no data, nothing follows from
/// these: each is as likely, and losses are of any size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Which arms compete: those that broke no guardrail.
    pub competes: [bool; MAX_ARMS],
    /// The arm with the highest estimate; the first of them where several have it.
    pub leader: usize,
    /// How likely each arm is the best. They sum to 1; an arm that does not compete has 0.
    pub p_best: PerArm,
    /// How much is lost on average by choosing this arm, in the unit in which the measure is counted: 0 where
    /// it is the best, else its distance from the best. An arm that does not compete has 0.
    pub expected_loss: PerArm,
    /// In 19 of 20 cases the best arm is no further above the leader than this, in the same unit. Divided by
    /// the leader's mean it is the value remaining of statistics.md §4.
    pub value_remaining: f64,
}

impl Standing {
    /// Of the arms that are marked in `competes`, which has one mark for each arm: exactly for two of them,
    /// from draws that `seed` repeats for more. Where none is marked, the control is taken to be alone.
    pub fn of(estimate: &Estimate, competes: &[bool], seed: u64) -> Self {
        let arms = estimate.arms();
        let mut marks = [false; MAX_ARMS];
        marks[..arms].iter_mut().zip(competes).for_each(|(mark, competes)| *mark = *competes);
        marks[0] |= !marks.contains(&true);
        let effects = estimate.effects();
        let ahead = |best: usize, arm: usize| if effects[arm] > effects[best] { arm } else { best };
        let leader = marked(&marks).reduce(ahead).unwrap_or(0);
        let mut standing = Self {
            competes: marks,
            leader,
            p_best: PerArm::of(arms, |arm| f64::from(u8::from(arm == leader))),
            expected_loss: PerArm::of(arms, |_| 0.0),
            value_remaining: 0.0,
        };
        let mut rivals = marked(&marks).filter(|arm| *arm != leader);
        match (rivals.next(), rivals.next()) {
            (None, _) => {}
            (Some(rival), None) => standing.compare_two(estimate, rival),
            _ => standing.compare_all(estimate, seed),
        }
        standing
    }

    /// The arms that compete.
    pub fn competing(&self) -> impl Iterator<Item = usize> {
        marked(&self.competes)
    }

    fn compare_two(&mut self, estimate: &Estimate, rival: usize) {
        let ahead = estimate.contrast(self.leader, rival);
        let behind = Contrast { delta: -ahead.delta, ..ahead };
        for (arm, contrast) in [(self.leader, ahead), (rival, behind)] {
            self.p_best[arm] = normal::cdf(contrast.z());
            self.expected_loss[arm] = evidence::expected_loss(contrast);
        }
        self.value_remaining = evidence::value_remaining(ahead);
    }

    fn compare_all(&mut self, estimate: &Estimate, seed: u64) {
        let marks = self.competes;
        let each = share(DRAWS);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut to_gain = Vec::with_capacity(DRAWS);
        self.p_best[self.leader] = 0.0;
        for _ in 0..DRAWS {
            let drawn = estimate.draw(&mut random);
            let ahead = |best: usize, arm: usize| if drawn[arm] > drawn[best] { arm } else { best };
            let best = marked(&marks).fold(self.leader, ahead);
            self.p_best[best] += each;
            marked(&marks).for_each(|arm| self.expected_loss[arm] += each * (drawn[best] - drawn[arm]));
            to_gain.push(drawn[best] - drawn[self.leader]);
        }
        self.value_remaining = *to_gain.select_nth_unstable_by(DRAWS - 1 - DRAWS / TAIL, f64::total_cmp).1;
        if estimate.samples.iter().all(|samples| *samples == 0.0) {
            let equal = share(marked(&marks).count());
            self.p_best = PerArm::of(estimate.arms(), |arm| if marks[arm] { equal } else { 0.0 });
        }
    }
}

/// One of so many.
fn share(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX)).recip()
}

fn marked(marks: &[bool; MAX_ARMS]) -> impl Iterator<Item = usize> {
    marks.iter().enumerate().filter_map(|(arm, mark)| mark.then_some(arm))
}

/// Draws from the standard normal distribution, two at a time (Box and Muller).
fn fill_normal(drawn: &mut [f64], random: &mut ChaCha8Rng) {
    for pair in drawn.chunks_mut(2) {
        let radius = (-2.0 * libm::log(open_unit(random))).sqrt();
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * open_unit(random));
        pair.iter_mut().zip([cosine, sine]).for_each(|(value, side)| *value = radius * side);
    }
}

/// A number between 0 and 1, neither of which it is.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn open_unit(random: &mut ChaCha8Rng) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

impl Estimate {
    /// What the arms' effects may be, at random.
    fn draw(&self, random: &mut ChaCha8Rng) -> [f64; MAX_ARMS] {
        let mut drawn = [0.0; MAX_ARMS];
        fill_normal(&mut drawn[1..self.arms()], random);
        self.back_substitute(&mut drawn);
        let deviation = self.observation().sqrt();
        drawn
            .iter_mut()
            .zip(self.effects.iter())
            .for_each(|(value, effect)| *value = effect + deviation * *value);
        drawn
    }
}

#[cfg(test)]
mod tests;
