//! How far the daily round over the audit's chains is.

use domain::{
    Result, Timestamp,
    audit::{ChainHead, checkpoint::Checkpoint},
};
use serde::{Deserialize, Serialize};

use crate::{Store, keys::TelemetryKey, table::to_telemetry_item};

/// A round over all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRound {
    /// Counts its changes, from 1 on.
    pub revision: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// It compares the archive with the entries from this moment on, …
    pub from: Timestamp,
    /// … to this one.
    pub to: Timestamp,
    /// Where it goes on; `None`: it is done.
    pub cursor: Option<String>,
    /// The end of the checkpoints' own chain.
    pub last: ChainHead,
    /// The last checkpoint, until it is in the archive: the table decides what it says, and whoever comes puts it
    /// there.
    pub unstored: Option<Checkpoint>,
}

impl Store {
    /// The newest round; `None` before the first.
    pub async fn audit_round(&self) -> Result<Option<AuditRound>> {
        self.get_telemetry(&TelemetryKey::AuditRound).await
    }

    /// Keeps how far a round is, in place of what it was a revision before. Returns whether it took: somebody else may
    /// have gone on with it.
    pub async fn keep_audit_round(&self, round: &AuditRound) -> Result<bool> {
        let item = to_telemetry_item(&TelemetryKey::AuditRound, round)?;
        match round.revision {
            0 | 1 => self.put_if_absent(&self.names.telemetry, item).await,
            revision => self.keep(&self.names.telemetry, item, round, revision - 1).await,
        }
    }
}
