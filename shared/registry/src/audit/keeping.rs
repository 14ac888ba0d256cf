//! Every day the ends of all chains are written down where nobody can alter them, and the archive is compared with the
//! chains.

use std::time::Duration;

use domain::{
    Alarm, Result, Timestamp,
    audit::{
        ChainHead,
        checkpoint::{Checkpoint, is_another_day},
        export::Head,
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use store::{AuditRound, PageRequest, Reconciled, audit::Chain};

use crate::Registry;

/// How many prompts' chains one call looks at, so that a call is short and a checkpoint fits into an item.
const PROMPTS_A_CALL: u32 = 200;

/// How many chains are compared at once.
const READS: usize = 16;

/// How young an entry may be to be left for the next round: the stream brings it to the archive.
const ON_ITS_WAY: Duration = Duration::from_mins(15);

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

impl Registry {
    /// Goes on with the round over all chains, or begins the next on another day. Of two at once one is in time, and
    /// what both do to the archive is the same.
    pub async fn keep_audit(&self) -> Result<AuditKept> {
        let now = self.sources.now();
        let round = match self.store.audit_round().await? {
            Some(round) if round.unstored.is_some() => {
                return self.store_checkpoint(round, AuditKept::default()).await;
            }
            Some(round) if round.cursor.is_some() => round,
            Some(round) if !is_another_day(round.began_at, now) => return Ok(AuditKept::default()),
            former => begun(former, now),
        };
        let mut request = PageRequest::first(PROMPTS_A_CALL);
        request.cursor.clone_from(&round.cursor);
        let mut chains = if round.cursor.is_none() { self.store.team_chains().await? } else { Vec::new() };
        let page = self.store.prompt_chains(&request).await?;
        chains.extend(page.data);
        let kept = self.compare(&chains, &round).await?;
        let (checkpoint, last) = Checkpoint::after(&round.last, heads(&chains), now)?;
        let next = AuditRound {
            revision: round.revision + 1,
            cursor: page.next_cursor,
            last,
            unstored: Some(checkpoint),
            ..round
        };
        if self.store.keep_audit_round(&next).await? {
            self.store_checkpoint(next, kept).await
        } else {
            Ok(kept)
        }
    }

    /// Puts a round's checkpoint into the archive, and notes that it is there.
    async fn store_checkpoint(&self, round: AuditRound, kept: AuditKept) -> Result<AuditKept> {
        if let Some(checkpoint) = &round.unstored {
            self.store.put_checkpoint(checkpoint).await?;
        }
        let stored = AuditRound { revision: round.revision + 1, unstored: None, ..round };
        let noted = self.store.keep_audit_round(&stored).await?;
        Ok(AuditKept { checkpoints: usize::from(noted), ..kept })
    }

    async fn compare(&self, chains: &[(Chain, ChainHead)], round: &AuditRound) -> Result<AuditKept> {
        let (from, to) = (round.from, round.to);
        let names: Vec<Chain> = chains.iter().map(|(chain, _)| chain.clone()).collect();
        let compared =
            stream::iter(names).map(|chain| async move { self.store.reconcile(&chain, from, to).await });
        let compared: Vec<Reconciled> = compared.buffered(READS).try_collect().await?;
        let filled = compared.iter().map(|chain| chain.filled).sum();
        if filled > 0 {
            tracing::warn!(entries = filled, "entries were missing in the archive, and are there now");
        }
        let differing: Vec<String> = compared.into_iter().flat_map(|chain| chain.differing).collect();
        for object in &differing {
            tracing::error!(
                alarm = Alarm::ArchiveDiffers.name(),
                object,
                "the archive of the audit holds what its chain does not say"
            );
        }
        Ok(AuditKept { checkpoints: 0, filled, differing: differing.len() })
    }
}

/// The next round. It compares what the former one left, the first one everything.
fn begun(former: Option<AuditRound>, now: Timestamp) -> AuditRound {
    let to = now.minus(ON_ITS_WAY);
    let first = || AuditRound {
        revision: 0,
        began_at: now,
        from: Timestamp::from_millis(0),
        to,
        cursor: None,
        last: ChainHead::default(),
        unstored: None,
    };
    former.map_or_else(first, |former| AuditRound { began_at: now, from: former.to, to, ..former })
}

/// The ends of the chains that have begun.
fn heads(chains: &[(Chain, ChainHead)]) -> Vec<Head> {
    let begun = chains.iter().filter(|(_, head)| head.sequence > 0);
    begun.map(|(chain, head)| Head::new(chain.name(), head)).collect()
}
