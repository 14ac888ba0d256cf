//! The numbers that assign units to arms.

use sha2::{Digest as _, Sha256};

/// Keeps the parts of what is hashed apart: no id, key or number holds it, and the unit comes last.
const SEPARATOR: [u8; 1] = [0x1f];

/// The numbers of one run of a trial: as good as random, and the same for ever, in every SDK that has
/// SHA-256.
#[derive(Debug, Clone)]
pub struct Dice(Sha256);

impl Dice {
    /// Of this run of a trial, named by its id.
    pub fn new(trial: &str, iteration: u32) -> Self {
        let iteration = iteration.to_string();
        let parts = ["pm1", trial, iteration.as_str()];
        Self(parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update(SEPARATOR)))
    }

    /// u: the number that `key` draws for a unit, uniform in (0, 1), borders excluded.
    pub fn roll(&self, key: &str, unit: &str) -> f64 {
        let hash = self.0.clone().chain_update(key).chain_update(SEPARATOR).chain_update(unit).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        uniform(u64::from_be_bytes(first))
    }
}

/// `((hash >> 11) + ½)·2⁻⁵³`. The half rounds up to 1 for the very last hash, and nothing may draw 1: it
/// would always win, and never take part.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn uniform(hash: u64) -> f64 {
    const STEP: f64 = f64::EPSILON / 2.0;
    (((hash >> 11) as f64 + 0.5) * STEP).min(1.0 - STEP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        let dice = Dice::new("exp_A", 1);
        for (key, unit, expected) in [
            ("control", "user-1", 0.308_138_092_449_203),
            ("v2", "user-1", 0.200_768_840_039_812),
            ("control", "user-2", 0.432_421_488_498_255),
            ("v2", "user-2", 0.859_472_331_886_183),
            ("control", "user-42", 0.566_482_647_948_540),
            ("v2", "user-42", 0.795_812_366_245_971),
            ("control", "юзер", 0.010_444_549_707_885),
            ("v2", "юзер", 0.256_264_585_293_524),
            ("__canary", "user-1", 0.757_035_615_733_409),
            ("__canary", "user-2", 0.252_301_856_816_491),
            ("__canary", "юзер", 0.021_798_959_151_901),
        ] {
            let drawn = dice.roll(key, unit);
            assert!((drawn - expected).abs() < 1e-15, "{key} {unit}: {drawn}");
        }
    }

    #[test]
    fn nothing_draws_0_or_1() {
        assert!(uniform(0) > 0.0);
        assert!(uniform(u64::MAX) < 1.0, "{}", uniform(u64::MAX));
    }

    #[test]
    fn any_text_is_a_unit() {
        let dice = Dice::new("exp_A", 1);
        let long = "x".repeat(10_240);
        let units = ["", "🦀", "\0", "a\0b", "a\u{1f}b", long.as_str()];
        let drawn = units.map(|unit| dice.roll("control", unit));
        for (at, number) in drawn.iter().enumerate() {
            assert!(*number > 0.0 && *number < 1.0);
            assert!(!drawn[..at].contains(number), "each unit has its own number");
        }
    }

    proptest! {
        #[test]
        fn another_run_key_or_trial_draws_anew(unit in "\\PC{0,20}", iteration in 0_u32..1000) {
            let draw = |trial, iteration, key| Dice::new(trial, iteration).roll(key, &unit);
            let drawn = draw("exp_A", iteration, "a");
            prop_assert!(drawn > 0.0 && drawn < 1.0);
            let others =
                [draw("exp_A", iteration + 1, "a"), draw("exp_B", iteration, "a"), draw("exp_A", iteration, "b")];
            prop_assert!(!others.contains(&drawn));
        }
    }
}
