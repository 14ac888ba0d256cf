//! A model's budget: how many calls a minute and how many at once, kept by all workers together.
//!
//! The calls of a minute are a token bucket that holds a tenth of them and fills up with the rest, so that no minute
//! sees more than it may. The calls at once are leases, which lapse by themselves should their worker die.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Timestamp, model::ModelEntry};

/// How long a lease lasts: longer than a case may take.
pub const LEASE: Duration = Duration::from_mins(5);

/// The shortest and the longest wait that is asked for.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_mins(1);

/// After how long it is worth asking again where all leases are out.
const A_CALL: Duration = Duration::from_millis(250);

/// Tokens are counted in thousandths.
const ONE: u64 = 1000;

/// What a model may be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most calls in a minute.
    pub requests_per_minute: Option<u32>,
    /// The most calls at once.
    pub max_concurrency: Option<u32>,
}

impl Limits {
    /// What the catalogue says; `None` where it says nothing.
    pub fn of(model: &ModelEntry) -> Option<Self> {
        let limits =
            Self { requests_per_minute: model.requests_per_minute, max_concurrency: model.max_concurrency };
        (limits.requests_per_minute.is_some() || limits.max_concurrency.is_some()).then_some(limits)
    }

    /// How much the bucket holds, in thousandths.
    fn capacity(per_minute: u32) -> u64 {
        ONE * u64::from((per_minute / 10).max(1))
    }

    /// How much flows into it in a minute, in thousandths. One call a minute is half of one while the bucket is full:
    /// it is the price of never seeing two.
    fn inflow(per_minute: u32) -> u64 {
        let all = ONE * u64::from(per_minute);
        (all - Self::capacity(per_minute).min(all)).max(all / 2)
    }
}

/// What is left of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    /// Counts the changes.
    pub revision: u64,
    /// What the bucket held, in thousandths of a call, …
    tokens: u64,
    /// … and when; `None`: nothing was ever taken, so it is full.
    refilled_at: Option<Timestamp>,
    /// Who calls, and until when their lease lasts.
    leases: BTreeMap<String, Timestamp>,
}

impl Budget {
    /// The budget after a call by a holder, or how long to wait before asking again.
    pub fn take(&self, limits: Limits, holder: &str, now: Timestamp) -> Result<Self, Duration> {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        if let Some(most) = limits.max_concurrency {
            next.leases.retain(|_, until| *until > now);
            if next.leases.len() >= most as usize {
                return Err(A_CALL);
            }
            next.leases.insert(holder.to_owned(), now.plus(LEASE));
        }
        if let Some(per_minute) = limits.requests_per_minute {
            next.pour(per_minute, now)?;
        }
        Ok(next)
    }

    /// The budget once a holder is done.
    #[must_use]
    pub fn give_back(&self, holder: &str) -> Self {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        next.leases.remove(holder);
        next
    }

    fn pour(&mut self, per_minute: u32, now: Timestamp) -> Result<(), Duration> {
        let (capacity, inflow) = (Limits::capacity(per_minute), Limits::inflow(per_minute));
        let millis = |since: Duration| u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let held = match self.refilled_at {
            None => capacity,
            // A clock that went backwards has let nothing flow in.
            Some(at) => {
                let flowed = inflow.saturating_mul(millis(now.since(at).unwrap_or_default())) / 60_000;
                self.tokens.saturating_add(flowed).min(capacity)
            }
        };
        if held < ONE {
            let missing = Duration::from_millis((ONE - held) * 60_000 / inflow.max(1) + 1);
            return Err(missing.clamp(SHORTEST, LONGEST));
        }
        self.tokens = held - ONE;
        self.refilled_at = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(requests_per_minute: Option<u32>, max_concurrency: Option<u32>) -> Limits {
        Limits { requests_per_minute, max_concurrency }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn a_bucket_holds_a_tenth_and_fills_with_the_rest() {
        let limits = limits(Some(600), None);
        let mut budget = Budget::default();
        for _ in 0..60 {
            budget = budget.take(limits, "a", at(0)).unwrap();
        }
        let wait = budget.take(limits, "a", at(0)).unwrap_err();
        assert_eq!(wait, Duration::from_millis(112), "540 flow in in a minute");
        assert!(budget.take(limits, "a", at(112)).is_ok());
    }

    #[test]
    fn a_lease_is_given_back_or_lapses() {
        let limits = limits(None, Some(2));
        let budget = Budget::default().take(limits, "a", at(0)).unwrap().take(limits, "b", at(1)).unwrap();
        assert!(budget.take(limits, "c", at(2)).is_err());
        assert!(budget.give_back("a").take(limits, "c", at(2)).is_ok());
        let lapsed = i64::try_from(LEASE.as_millis()).unwrap();
        assert!(budget.take(limits, "c", at(lapsed)).is_ok());
    }

    proptest! {
        /// Whatever the workers do, no minute sees more calls than it may.
        #[test]
        fn no_minute_sees_more_than_it_may(per_minute in 2_u32..400, steps in prop::collection::vec(0_i64..2_000, 1..300)) {
            let limits = limits(Some(per_minute), None);
            let (mut budget, mut now, mut calls) = (Budget::default(), 0, Vec::new());
            for step in steps {
                now += step;
                while let Ok(next) = budget.take(limits, "a", at(now)) {
                    budget = next;
                    calls.push(now);
                }
            }
            for (index, first) in calls.iter().enumerate() {
                let in_a_minute = calls[index..].iter().take_while(|at| **at < first + 60_000).count();
                prop_assert!(in_a_minute <= per_minute as usize, "{in_a_minute} of {per_minute}");
            }
        }

        #[test]
        fn never_more_at_once_than_allowed(most in 1_u32..5, asked in prop::collection::vec((any::<bool>(), 0_u8..8), 1..60)) {
            let limits = limits(None, Some(most));
            let (mut budget, mut held) = (Budget::default(), std::collections::BTreeSet::new());
            for (takes, who) in asked {
                let name = who.to_string();
                if takes && !held.contains(&who) {
                    if let Ok(next) = budget.take(limits, &name, at(0)) {
                        budget = next;
                        held.insert(who);
                    }
                } else {
                    budget = budget.give_back(&name);
                    held.remove(&who);
                }
                prop_assert!(held.len() <= most as usize);
            }
        }
    }
}
