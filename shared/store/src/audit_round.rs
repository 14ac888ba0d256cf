//! How far the daily rounds over the audit's chains are: that of checkpoints, and that over the archive.

use domain::{
    AuditId, Result, Timestamp,
    audit::{ChainHead, checkpoint::Checkpoint},
};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    audit::Chain,
    keys::{Key, TelemetryKey},
    sent::Sent,
    table::{failed, to_item, to_telemetry_item},
};

/// A round that writes checkpoints over all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRound {
    /// Counts its changes, from 1 on.
    pub revision: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// Where it goes on; `None`: it is done.
    pub cursor: Option<String>,
    /// The end of the checkpoints' own chain. It is kept as safely as the chains are: begun anew it would contradict
    /// what is in the archive.
    pub last: ChainHead,
    /// The last checkpoint, until it is in the archive: the table decides what it says, and whoever comes puts it
    /// there.
    pub unstored: Option<Checkpoint>,
}

/// A round that compares the archive with all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRound {
    /// When it began.
    pub began_at: Timestamp,
    /// Up to which moment it compares.
    pub to: Timestamp,
    /// Where it goes on; of a round that is done, `None`.
    pub cursor: Option<String>,
    /// Whether all chains were looked at.
    pub is_done: bool,
}

/// How far the archive is compared with a chain.
#[derive(Serialize, Deserialize)]
struct Mark {
    up_to: AuditId,
}

impl Store {
    /// The newest round of checkpoints; `None` before the first.
    pub async fn audit_round(&self) -> Result<Option<AuditRound>> {
        self.get(&Key::AuditRound).await
    }

    /// Keeps how far a round is, in place of what it was a revision before. Returns whether it took: somebody else may
    /// have gone on with it.
    pub async fn keep_audit_round(&self, round: &AuditRound) -> Result<bool> {
        let item = to_item(&Key::AuditRound, round)?;
        match round.revision {
            0 | 1 => self.put_new(item).await,
            revision => self.keep(&self.names.registry, item, round, revision - 1).await,
        }
    }

    /// The newest comparison of the archive; `None` before the first.
    pub async fn archive_round(&self) -> Result<Option<ArchiveRound>> {
        self.get_telemetry(&TelemetryKey::Archived).await
    }

    /// Keeps how far a comparison is. Of two at once the last one counts: nothing is lost by comparing twice.
    pub async fn keep_archive_round(&self, round: &ArchiveRound) -> Result<()> {
        self.put_mark(&TelemetryKey::Archived, round).await
    }

    /// Up to which entry the archive is compared with a chain; `None`: it never was.
    pub async fn archived_up_to(&self, chain: &Chain) -> Result<Option<AuditId>> {
        let mark: Option<Mark> = self.get_telemetry(&TelemetryKey::ArchivedUpTo(chain.name())).await?;
        Ok(mark.map(|mark| mark.up_to))
    }

    /// Keeps up to which entry it is. Of two at once the last one counts, as above.
    pub async fn keep_archived_up_to(&self, chain: &Chain, up_to: AuditId) -> Result<()> {
        self.put_mark(&TelemetryKey::ArchivedUpTo(chain.name()), &Mark { up_to }).await
    }

    async fn put_mark(&self, key: &TelemetryKey, value: &impl Serialize) -> Result<()> {
        let item = to_telemetry_item(key, value)?;
        let put = self.dynamodb().put_item().table_name(&self.names.telemetry).set_item(Some(item));
        put.sent().await.map(|_| ()).map_err(failed)
    }
}
