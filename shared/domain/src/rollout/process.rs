//! Whether something bad happens to more of the canary's units than it should: a test that may be looked at
//! every minute (statistics.md §5.1).
//!
//! Given how many units each arm served and how many failed in all, those of the canary among the failed
//! follow a binomial distribution that knows nothing of how often things fail. So an outage that hits both
//! arms, and a rate that drifts, are no evidence. The process bets on five ratios and never loses its balance
//! for having been watched.

use serde::{Deserialize, Serialize};

use super::observed::{Compared, real};

/// The ratios that are bet on: slight harm is found late, great harm at once.
const RATIOS: [f64; 5] = [1.5, 2.0, 3.0, 5.0, 10.0];

/// The evidence against a canary in one binary measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// `L_r`: the logarithm of what the bet on each ratio is worth.
    ln_worth: [f64; RATIOS.len()],
    /// What of the stage is in it.
    seen: Compared,
}

impl Process {
    /// Takes in what is new since it last looked; `stage` is what the stage counted so far. The same counts
    /// twice are the same as once, and counts that lag behind are nothing. `tolerated` is r0, the ratio that
    /// is still fine.
    pub fn take(&mut self, stage: Compared, tolerated: f64) {
        let Some(new) = stage.since(&self.seen) else { return };
        let share = match (new.canary.served, new.control.served) {
            // Whoever fails now was served before.
            (0, 0) => stage.canary_share(),
            // One arm alone compares nothing. What it counted waits for the other.
            (0, _) | (_, 0) => None,
            _ => new.canary_share(),
        };
        let Some(share) = share else { return };
        self.seen = stage;
        let of_canary = real(new.canary.failed);
        let of_both = of_canary + real(new.control.failed);
        // A bet on less than is tolerated would win on a canary that is fine.
        let bets = self.ln_worth.iter_mut().zip(RATIOS).filter(|(_, ratio)| *ratio > tolerated);
        for (ln_worth, ratio) in bets {
            let fine = tolerated * share + 1.0 - share;
            let bet = ratio * share + 1.0 - share;
            *ln_worth += of_canary * libm::log(ratio / tolerated) + of_both * libm::log(fine / bet);
        }
    }

    /// The same evidence, before a stage that has counted nothing.
    #[must_use]
    pub fn at_next_stage(&self) -> Self {
        Self { seen: Compared::default(), ..*self }
    }

    /// The logarithm of the evidence, of the bets' mean worth.
    pub fn ln_e(&self) -> f64 {
        let most = self.ln_worth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.ln_worth.iter().map(|ln_worth| libm::exp(ln_worth - most)).sum();
        most + libm::log(sum / 5.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rollout::Units;

    fn counts((failed_c, served_c): (u64, u64), (failed_0, served_0): (u64, u64)) -> Compared {
        Compared {
            canary: Units { served: served_c, failed: failed_c },
            control: Units { served: served_0, failed: failed_0 },
        }
    }

    fn after(ticks: &[Compared]) -> Process {
        let mut process = Process::default();
        for tick in ticks {
            process.take(*tick, 1.0);
        }
        process
    }

    #[test]
    fn the_evidence_is_that_of_the_specification() {
        let process = after(&[counts((4, 100), (12, 1900))]);
        let expected = [1.226_779, 1.991_946, 2.869_486, 3.520_607, 3.265_323];
        for (found, expected) in process.ln_worth.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert!((process.ln_e().exp() - 17.672_297).abs() < 1e-6);
    }

    #[test]
    fn without_a_failure_there_is_no_evidence() {
        for process in [after(&[]), after(&[counts((0, 500), (0, 500))])] {
            assert!(process.ln_e().abs() < 1e-15);
        }
    }

    #[test]
    fn three_failures_against_none_are_evidence_and_finite() {
        let ln_e = after(&[counts((3, 100), (0, 1900))]).ln_e();
        assert!(ln_e > 3.0 && ln_e.is_finite(), "{ln_e}");
        let endless = after(&[counts((1_000_000, 1_000_000), (0, 1_000_000_000))]).ln_e();
        assert!(endless.is_finite());
    }

    #[test]
    fn a_tick_with_one_arm_alone_contributes_nothing_until_the_other_has_some() {
        let alone = after(&[counts((2, 10), (0, 0))]);
        assert_eq!((alone, after(&[counts((0, 0), (5, 90))])), (Process::default(), Process::default()));
        let both = [counts((2, 10), (0, 0)), counts((2, 10), (0, 90))];
        assert_eq!(after(&both), after(&both[1..]));
        let later = [counts((0, 10), (0, 30)), counts((3, 13), (0, 30))];
        assert_eq!(after(&later), after(&later[..1]));
    }

    #[test]
    fn units_that_fail_later_count_by_the_share_of_the_stage() {
        let before = after(&[counts((0, 10), (0, 30))]);
        let later = after(&[counts((0, 10), (0, 30)), counts((3, 10), (0, 30))]);
        assert!(later.ln_e() > before.ln_e());
        assert!((later.ln_e() - after(&[counts((3, 10), (0, 30))]).ln_e()).abs() < 1e-12);
    }

    #[test]
    fn what_is_tolerated_is_no_evidence() {
        let mut strict = Process::default();
        let mut lax = Process::default();
        // Three times as often, of a quarter of the units.
        let counts = counts((300, 10_000), (300, 30_000));
        strict.take(counts, 1.0);
        lax.take(counts, 3.0);
        assert!(strict.ln_e() > 50.0 && lax.ln_e() < 1.0, "{} {}", strict.ln_e(), lax.ln_e());
        // Half as often as tolerated.
        let mut fine = Process::default();
        fine.take(counts, 5.0);
        assert!(fine.ln_e() <= 0.0, "{}", fine.ln_e());
    }

    #[test]
    fn an_outage_of_both_arms_is_no_evidence() {
        assert!(after(&[counts((90, 100), (1710, 1900))]).ln_e() < 1.0);
    }

    proptest! {
        #[test]
        fn looking_twice_is_looking_once(
            c in (0_u64..50, 0_u64..500), o in (0_u64..50, 0_u64..5000),
            c2 in (0_u64..50, 0_u64..500), o2 in (0_u64..50, 0_u64..5000),
        ) {
            let first = counts(c, o);
            let second = counts((c.0 + c2.0, c.1 + c2.1), (o.0 + o2.0, o.1 + o2.1));
            let once = after(&[first, second]);
            prop_assert_eq!(after(&[first, first, second, second, first]), once);
            prop_assert!(once.ln_e().is_finite());
        }
    }
}
