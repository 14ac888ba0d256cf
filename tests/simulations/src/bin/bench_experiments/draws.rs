//! Numbers that look random and follow from a seed.

use std::f64::consts::PI;

/// A sequence of them (`SplitMix64`).
pub(crate) struct Draws(u64);

impl Draws {
    /// The sequence of one replication of one cell, whoever draws it and when.
    pub(crate) fn of(seed: u64, cell: u64, replication: u32) -> Self {
        let mut state = 0;
        for part in [seed, cell, replication.into()] {
            state = mix(state ^ mix(part.wrapping_add(STEP)));
        }
        Self(state)
    }

    /// From 0 to less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are an exact f64")]
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(STEP);
        (mix(self.0) >> 11) as f64 / 2.0_f64.powi(53)
    }

    /// Whether something happens that is so likely.
    pub(crate) fn happens(&mut self, likely: f64) -> bool {
        self.uniform() < likely
    }

    /// How often something happens that happens so often on average (Poisson): as many times as uniform
    /// numbers can be multiplied before they fall below `e^-mean`.
    pub(crate) fn count(&mut self, mean: f64) -> f64 {
        let least = (-mean).exp();
        let (mut product, mut count) = (self.uniform(), 0.0);
        while product > least {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }

    /// Of the standard normal distribution (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (2.0 * PI * self.uniform()).cos()
    }
}

/// The golden ratio of 64 bits.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean and the variance of so many draws.
    fn moments(of: impl Fn(&mut Draws) -> f64) -> (f64, f64) {
        let mut draws = Draws::of(1, 2, 3);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..100_000 {
            let value = of(&mut draws);
            sum += value;
            squares += value * value;
        }
        let mean = sum / 1e5;
        (mean, squares / 1e5 - mean * mean)
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        for (name, found, mean, variance) in [
            ("uniform", moments(Draws::uniform), 0.5, 1.0 / 12.0),
            ("normal", moments(Draws::normal), 0.0, 1.0),
            ("rare", moments(|draws| draws.count(0.3)), 0.3, 0.3),
            ("often", moments(|draws| draws.count(15.0)), 15.0, 15.0),
            ("never", moments(|draws| draws.count(0.0)), 0.0, 0.0),
        ] {
            let near = |found: f64, wanted: f64| (found - wanted).abs() <= 0.02 * (1.0 + wanted);
            assert!(near(found.0, mean) && near(found.1, variance), "{name}: {found:?}");
        }
    }

    #[test]
    fn each_replication_of_each_cell_has_its_own() {
        let first = |seed, cell, replication| Draws::of(seed, cell, replication).uniform().to_bits();
        let drawn = [first(1, 1, 1), first(2, 1, 1), first(1, 2, 1), first(1, 1, 2), first(1, 2, 2)];
        let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!((distinct.len(), first(1, 1, 1)), (drawn.len(), drawn[0]));
    }
}
