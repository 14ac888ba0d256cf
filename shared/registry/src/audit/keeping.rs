//! Every day the ends of all chains are written down where nobody can alter them, and the archive is compared with the
//! chains. Neither waits for the other.

use std::time::Duration;

use domain::{
    Alarm, AuditId, Error, Result, Timestamp,
    audit::{
        ChainHead,
        checkpoint::{Checkpoint, is_another_day},
        export::Head,
    },
};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use store::{ArchiveRound, AuditRound, Page, PageRequest, audit::Chain};

use crate::Registry;

/// How many prompts' chains are looked at at a time, so that a checkpoint fits into an item. Teams are few.
const PROMPTS_AT_A_TIME: u32 = 200;

/// How many chains are compared at once.
const CHAINS: usize = 4;

/// How young an entry may be to be left for the next round: the stream brings it to the archive.
const ON_ITS_WAY: Duration = Duration::from_mins(15);

/// How long one call compares.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was done for the audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AuditKept {
    /// Checkpoints that were written.
    pub checkpoints: usize,
    /// Entries that were missing in the archive, and are there now.
    pub filled: usize,
    /// Objects of the archive that are not what the chains say.
    pub differing: usize,
}

/// What came of comparing some chains.
#[derive(Default)]
struct Compared {
    filled: usize,
    differing: usize,
    /// Whether time ran out before all of it was compared.
    is_cut_short: bool,
    failed: Option<Error>,
}

impl Compared {
    fn add(&mut self, other: Self) {
        self.filled += other.filled;
        self.differing += other.differing;
        self.is_cut_short |= other.is_cut_short;
        self.failed = self.failed.take().or(other.failed);
    }
}

impl Registry {
    /// Goes on with both rounds over all chains, or begins the next on another day. Of two at once one is in time, and
    /// what both do to the archive is the same.
    pub async fn keep_audit(&self) -> Result<AuditKept> {
        let checkpoints = self.keep_checkpoints().await;
        let compared = self.compare_archive().await?;
        if let Some(error) = compared.failed {
            return Err(error);
        }
        let Compared { filled, differing, .. } = compared;
        Ok(AuditKept { checkpoints: usize::from(checkpoints?), filled, differing })
    }

    /// Writes the next checkpoint of the day. Returns whether there was one to write.
    async fn keep_checkpoints(&self) -> Result<bool> {
        let now = self.sources.now();
        let round = match self.store.audit_round().await? {
            Some(round) if round.unstored.is_some() => return self.store_checkpoint(round).await,
            Some(round) if round.cursor.is_some() => round,
            Some(round) if !is_another_day(round.began_at, now) => return Ok(false),
            Some(round) => AuditRound { began_at: now, ..round },
            None => {
                let last = ChainHead::default();
                AuditRound { revision: 0, began_at: now, cursor: None, last, unstored: None }
            }
        };
        let Page { data: chains, next_cursor } = self.chains_from(round.cursor.as_ref()).await?;
        let begun = chains.iter().filter(|(_, head)| head.sequence > 0);
        let heads = begun.map(|(chain, head)| Head::new(chain.name(), head)).collect();
        let (checkpoint, last) = Checkpoint::after(&round.last, heads, now)?;
        let revision = round.revision + 1;
        let next = AuditRound { revision, cursor: next_cursor, last, unstored: Some(checkpoint), ..round };
        Ok(self.store.keep_audit_round(&next).await? && self.store_checkpoint(next).await?)
    }

    /// Puts a round's checkpoint into the archive, and notes that it is there.
    async fn store_checkpoint(&self, round: AuditRound) -> Result<bool> {
        if let Some(checkpoint) = &round.unstored {
            self.store.put_checkpoint(checkpoint).await?;
        }
        let stored = AuditRound { revision: round.revision + 1, unstored: None, ..round };
        self.store.keep_audit_round(&stored).await
    }

    /// A page of all chains, those of teams first.
    async fn chains_from(&self, cursor: Option<&String>) -> Result<Page<(Chain, ChainHead)>> {
        let teams = if cursor.is_none() { self.store.team_chains().await? } else { Vec::new() };
        let request = PageRequest { limit: PROMPTS_AT_A_TIME, cursor: cursor.cloned() };
        let page = self.store.prompt_chains(&request).await?;
        Ok(Page { data: teams.into_iter().chain(page.data).collect(), ..page })
    }

    /// Compares the archive with the next chains, for a while.
    async fn compare_archive(&self) -> Result<Compared> {
        let now = self.sources.now();
        let mut round = match self.store.archive_round().await? {
            Some(round) if !round.is_done => round,
            Some(round) if !is_another_day(round.began_at, now) => return Ok(Compared::default()),
            _ => ArchiveRound { began_at: now, to: now.minus(ON_ITS_WAY), cursor: None, is_done: false },
        };
        let mut all = Compared::default();
        while !round.is_done {
            let page = self.chains_from(round.cursor.as_ref()).await?;
            let (to, until) = (round.to, now.plus(PATIENCE));
            let compared = stream::iter(page.data)
                .map(|(chain, _)| async move { self.compare(&chain, to, until).await });
            let mut compared = compared.buffer_unordered(CHAINS);
            while let Some(chain) = compared.next().await {
                all.add(chain);
            }
            if all.is_cut_short {
                break;
            }
            round.is_done = page.next_cursor.is_none();
            round.cursor = page.next_cursor;
            self.store.keep_archive_round(&round).await?;
        }
        Ok(all)
    }

    /// Compares the archive with a chain, from where it came to before. A chain that fails is told of, holds up no
    /// other, and goes on from there the next day.
    async fn compare(&self, chain: &Chain, to: Timestamp, until: Timestamp) -> Compared {
        let mut compared = Compared::default();
        if let Err(error) = self.compare_parts(chain, to, until, &mut compared).await {
            tracing::warn!(chain = chain.name(), error = %error.chain(), "the archive is not compared with a chain");
            compared.failed = Some(error);
        }
        compared
    }

    async fn compare_parts(
        &self,
        chain: &Chain,
        to: Timestamp,
        until: Timestamp,
        compared: &mut Compared,
    ) -> Result<()> {
        let last = AuditId::new(to, [0; 10]);
        let first = || AuditId::new(Timestamp::from_millis(0), [0; 10]);
        let mut up_to = self.store.archived_up_to(chain).await?.unwrap_or_else(first);
        while up_to < last {
            if self.sources.now() >= until {
                compared.is_cut_short = true;
                return Ok(());
            }
            let part = self.store.reconcile(chain, up_to, last).await?;
            if part.filled > 0 {
                tracing::warn!(
                    chain = chain.name(),
                    entries = part.filled,
                    "the archive lacked entries, and has them now"
                );
            }
            for object in &part.differing {
                tracing::error!(
                    alarm = Alarm::ArchiveDiffers.name(),
                    object,
                    "the archive of the audit holds what its chain does not say"
                );
            }
            compared.filled += part.filled;
            compared.differing += part.differing.len();
            up_to = part.up_to;
            self.store.keep_archived_up_to(chain, up_to).await?;
        }
        Ok(())
    }
}
