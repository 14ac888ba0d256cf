//! What an `Idempotency-Key` made: the id alone, never a body and never a secret.

use std::time::Duration;

use domain::{Caller, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Change, Slot, Store, change::Guard, keys::Key};

/// How long an idempotency key is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);

/// An idempotency key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyMark {
    /// The public part of the API key that sent it.
    pub key_id: String,
    /// SHA-256 of the header, in hex.
    pub header_sha256: String,
    /// SHA-256 of route and body, in hex.
    pub request_sha256: String,
}

/// Somebody doing something.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who.
    pub caller: Caller,
    /// The idempotency key under which it happens at most once.
    pub once: Option<IdempotencyMark>,
}

impl Act {
    /// Something done without an idempotency key.
    pub fn by(caller: Caller) -> Self {
        Self { caller, once: None }
    }
}

/// What was made, now or the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct Made<T> {
    /// The thing.
    pub value: T,
    /// Whether the idempotency key had made it before.
    pub replayed: bool,
}

/// What was made under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the route and body that it was used with.
    pub request_sha256: String,
    /// The status that was answered.
    pub status: u16,
    /// The id of what was made.
    pub made: String,
    /// Until when it counts, in seconds since the epoch: the table deletes late, so reads check.
    pub expires_at: i64,
}

impl Change {
    /// Ties the change to an idempotency key: it happens once.
    pub fn once(&mut self, mark: &IdempotencyMark, status: u16, made: impl std::fmt::Display) -> Result<()> {
        let expires_at = self.now().plus(REMEMBERED);
        let record = IdempotencyRecord {
            request_sha256: mark.request_sha256.clone(),
            status,
            made: made.to_string(),
            expires_at: expires_at.as_seconds(),
        };
        let key = Key::Idempotency(mark.key_id.clone(), mark.header_sha256.clone());
        let guard = Guard::AbsentOrExpired(self.now());
        self.put_expiring(Slot::Idempotency, key, &record, guard, expires_at)
    }
}

impl Store {
    /// What was made under an idempotency key, while it is remembered.
    pub async fn idempotency(
        &self,
        mark: &IdempotencyMark,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>> {
        let key = Key::Idempotency(mark.key_id.clone(), mark.header_sha256.clone());
        let record: Option<IdempotencyRecord> = self.get(&key).await?;
        Ok(record.filter(|record| now.as_seconds() < record.expires_at))
    }
}
