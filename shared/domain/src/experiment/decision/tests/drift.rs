//! Regression of the rows «ramp» and «step» of statistics.md §2.3.

use super::*;
use crate::experiment::{
    estimate::tests::{BINARY, strata},
    weights::{self, Floor, Objective, Split},
};

/// splitmix64: a test repeats it.
struct Coin(u64);

impl Coin {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One trial of equal arms whose rate changes, with Thompson's weights: who is declared in 14 days.
fn winner(seed: u64, rate: impl Fn(u32) -> f64) -> Option<usize> {
    const PER_HOUR: u32 = 12;
    let split = Split { objective: Objective::Reward, floor: Floor::default_of(2), binary: true };
    let mut coin = Coin(seed);
    let mut counted = strata(&[[(0.0, 0.0); 2]]);
    let (mut current, mut since) = (vec![0.5, 0.5], 0);
    for hour in 1..=336 {
        for _ in 0..PER_HOUR {
            let arm = usize::from(coin.unit() >= current[0]);
            let sums = &mut counted.last_mut().unwrap().arms[arm];
            let value = f64::from(u8::from(coin.unit() < rate(hour)));
            (sums.n, sums.s1, sums.s2) = (sums.n + 1.0, sums.s1 + value, sums.s2 + value);
        }
        let estimate = Estimate::of(2, &counted, BINARY, |_| 1.0).unwrap();
        let standing = Standing::of(&estimate, &[true; 2], 0);
        let active = Duration::from_hours(hour.into());
        let progress = Progress { active, ..DAY_2 };
        if let Outcome::Winner(arm) = decide(&estimate, &standing, STRICT, progress).outcome {
            return Some(arm);
        }
        let wanted = split.weights(&estimate, &standing);
        let age = Duration::from_hours((hour - since).into());
        if weights::is_due(&current, &wanted, age, Duration::from_hours(1)) {
            (current, since) = (wanted.to_vec(), hour);
            let mut fresh = strata(&[[(0.0, 0.0); 2]]);
            fresh[0].allocation_version = hour.into();
            counted.append(&mut fresh);
        }
    }
    None
}

/// Of 200 trials of equal arms; with pooled means every third would have the newer arm as its winner.
fn assert_no_false_winners(rate: impl Fn(u32) -> f64) {
    let winners: Vec<usize> = (0..200).filter_map(|seed| winner(seed << 32, &rate)).collect();
    let of_b = winners.iter().filter(|arm| **arm == 1).count();
    assert!(of_b <= 10 && winners.len() <= 20, "{of_b} of {} winners in 200", winners.len());
}

#[test]
fn a_ramp_is_no_winner() {
    assert_no_false_winners(|hour| 0.22 + 0.16 * f64::from(hour) / 336.0);
}

#[test]
fn a_step_is_no_winner() {
    assert_no_false_winners(|hour| if hour < 48 { 0.25 } else { 0.4 });
}
