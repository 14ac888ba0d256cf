//! DynamoDB items and keys, and S3 objects: the only place that knows their shapes.
//!
//! Reads are strongly consistent, unless they go through the index. Every change of the registry is one [`Change`]:
//! its items, the conditions under which it may happen, its audit entry and the new head of the audit chain, in one
//! transaction. To add a kind of item: give it a [`keys::Key`], a file here with its reads, and a `put_…` on
//! [`Change`].

mod api_key;
mod archive;
pub mod audit;
mod audit_round;
mod budget;
mod change;
mod erasure;
mod eval_run;
mod idempotency;
mod judgement;
pub mod keys;
pub mod metric;
mod model;
mod object;
mod ping;
mod progress;
mod prompt;
mod reference;
mod restoring;
mod reuse;
pub mod schema;
mod sent;
mod session;
mod signing_key;
mod table;
mod tables;
mod team;
mod test_set;
mod trial;
mod upload;
mod usage;
mod version;
mod watch;
mod webhook;

pub use archive::Reconciled;
pub use audit_round::{ArchiveRound, AuditRound};
pub use change::{Change, CommitError, Slot};
pub use idempotency::{Act, IdempotencyMark, IdempotencyRecord, Made};
pub use judgement::Judgement;
pub use ping::Dependency;
pub use progress::{Progress, RunProgress};
pub use restoring::Archived;
pub use session::Session;
pub use table::{Page, PageRequest, bad_cursor};
use tables::Tables;
pub use test_set::{TestSet, TestSetVersion};
pub use trial::TrialKind;
pub use upload::UPLOAD_FOR;
pub use watch::WatchRound;

/// What the tables and the bucket are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The registry table: small, precious, with a stream.
    pub registry: String,
    /// The telemetry table: large, expiring.
    pub telemetry: String,
    /// The bucket of test sets.
    pub bucket: String,
    /// The bucket of the audit's archive, which on AWS is locked against changes; `None` where nobody archives.
    pub archive: Option<String>,
}

/// The two tables and the bucket.
#[derive(Debug, Clone)]
pub struct Store {
    tables: Tables,
    s3: aws_sdk_s3::Client,
    names: Names,
}

impl Store {
    /// A store over clients that are configured already.
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, s3: aws_sdk_s3::Client, names: Names) -> Self {
        Self { tables: Tables::new(dynamodb), s3, names }
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.tables.client()
    }
}
