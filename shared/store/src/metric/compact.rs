//! Strata that closed long ago are compacted: what a tick reads of a trial then hardly grows with its age.
//!
//! Each allocation version of a trial is a stratum, in which an arm has an item for each measure: sums, the same sums by
//! a part of the users each, and ratings; and one that says who met it. Differences are taken within a stratum, from its
//! sums (statistics.md §2.3); the parts of the users and the ratings are only ever wanted of all strata together. So
//! an item of a closed stratum is added to two others and taken away: its sums to an item of the arm in which those of
//! several strata stand side by side ([`TelemetryKey::Strata`]), the rest to the same item of the arm which is that
//! of no allocation version, but of all compacted ones ([`COMPACTED`]).
//!
//! It is addition, and one transaction adds what another item said and takes that item away, on the condition that it
//! still says the same. So two that compact at once, and whoever counts meanwhile, lose nothing and count nothing twice,
//! and no figure changes. What comes late, for a token is good for 35 days, needs no rule of its own: it makes the
//! stratum's own item anew, readers add the parts, and later the new item is compacted too. What is remembered of
//! resolves, units and feedback stays where it is. No tick reads it; a unit that returns is known, an error of it counts
//! once, and another rating replaces the one that was given.

use domain::{Error, ErrorKind, Result, Timestamp, allocation::TrialId};
use serde::Deserialize;

use super::{
    TrialCounters,
    commit::Refused,
    effect::{Expiring, TRIALS, Write, Writes, join},
    known::place,
    pack::MOST_WRITES,
    read::{numbers, unreadable},
    sums::{self, Sums},
};
use crate::{
    Store,
    keys::{COMPACTED, TelemetryKey, arms_up_to, parse_arm, parse_measure, trial_partition},
    sent::Sent,
    table::failed,
};

/// How many items a transaction takes away: each is added to two others, and the transaction counts itself.
const MOST_TAKEN: usize = (MOST_WRITES - 1) / 3;

/// How many transactions a call makes at most, one after another. Ten arms make as many items in a minute.
const MOST_TRANSACTIONS: usize = 4;

/// How many strata stand in one item: it is written whole each time that one is added.
const SIDE_BY_SIDE: u64 = 16;

/// How often a reader looks, at most, until nobody compacts meanwhile: two calls make fewer transactions.
const LOOKS: usize = 10;

/// How often strata of a trial were compacted.
#[derive(Default, PartialEq, Deserialize)]
struct Compactions {
    n: u64,
}

impl Store {
    /// Compacts the strata of a trial up to an allocation version, all of which are closed: as much of them as is done
    /// at a time. Returns how many items were taken away.
    ///
    /// It yields to whoever counts or compacts the same: the next call looks at what there is then.
    pub async fn compact(&self, trial: TrialId, up_to: u64, now: Timestamp) -> Result<usize> {
        let (first, last) = arms_up_to(up_to);
        let query = self.between(&trial_partition(trial), first, last);
        let most = i32::try_from(MOST_TAKEN * MOST_TRANSACTIONS).unwrap_or(i32::MAX);
        let page = query.limit(most).sent().await.map_err(failed)?;
        let items: Vec<(String, Sums)> = page.items().iter().map(numbers).collect::<Result<_>>()?;
        let mut taken = 0;
        for items in items.chunks(MOST_TAKEN) {
            match self.write(&compaction(trial, items, now)?).await {
                Ok(()) => taken += items.len(),
                Err(Refused::Lost) => tracing::debug!(%trial, "somebody else writes the same strata"),
                Err(Refused::Never(error) | Refused::Failed(error)) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// All counters of a trial.
    ///
    /// They are read page by page, between which a compaction may move some: whoever finds that there was one looks
    /// again.
    pub async fn trial_counters(&self, trial: TrialId) -> Result<TrialCounters> {
        let mut before = self.compactions(trial).await?;
        for _ in 0..LOOKS {
            let counters = self.counters_in_items(trial).await?;
            let after = self.compactions(trial).await?;
            if before == after {
                return Ok(counters);
            }
            before = after;
        }
        Err(Error::new(ErrorKind::Contended, "The counters of the trial are being compacted. Ask again."))
    }

    async fn compactions(&self, trial: TrialId) -> Result<Compactions> {
        Ok(self.get_telemetry(&TelemetryKey::Compactions(trial)).await?.unwrap_or_default())
    }
}

/// Adds items to those of compacted strata, and takes them away.
fn compaction(trial: TrialId, items: &[(String, Sums)], now: Timestamp) -> Result<Writes> {
    let mut writes = Writes::new();
    let gone_at = now.plus(TRIALS).as_seconds();
    let mut add = |key: TelemetryKey, sums: Sums| {
        if !sums.is_empty() {
            join(&mut writes, place(&key), Expiring { write: Write::Add(sums), gone_at });
        }
    };
    for (sk, sums) in items {
        let (version, arm, what) = parse_arm(sk).ok_or_else(|| unreadable(sk))?;
        let (own, spread) = sums::divide(sums.clone());
        let strata = TelemetryKey::Strata(trial, arm.to_owned(), version / SIDE_BY_SIDE);
        add(strata, sums::of_stratum(version, what, own));
        let all = match parse_measure(what) {
            Some(measure) => TelemetryKey::Cell(trial, COMPACTED, arm.to_owned(), measure),
            None => TelemetryKey::Exposures(trial, COMPACTED, arm.to_owned()),
        };
        add(all, spread);
    }
    add(TelemetryKey::Compactions(trial), [("n".to_owned(), 1)].into());
    let taken = items.iter().map(|(sk, sums)| {
        let write = Expiring { write: Write::Take(sums.clone()), gone_at };
        ((trial_partition(trial), sk.clone()), write)
    });
    writes.extend(taken);
    Ok(writes)
}
