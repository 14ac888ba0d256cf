//! The cache that all processes share: ElastiCache, in Valkey's protocol.
//!
//! **Fencing.** A value is taken only if the one that is there is not newer: one script compares revisions, then
//! `read_at`. **Expiry.** Every key lapses after 25 hours, an hour later than the last use of anything stale.
//! **Bounded waits.** Nobody waits long for it, and while it does not answer, readers leave it alone.

mod frame;
mod keys;
mod link;

use std::{pin::Pin, sync::Arc, time::Duration};

use domain::{ApiKey, Error, PromptId, Ref, Result, Sources, Version};
use frame::{Frame, HEAD};
pub use keys::RemoteKey;
use link::{Link, MOVER, Patience, READER};
use serde::{Serialize, de::DeserializeOwned};

use crate::ReadAt;

/// How old a ref or a key from the cache may be.
pub const BOUND: Duration = Duration::from_secs(3);

/// How old anything fresh may be in all, wherever it was: [`BOUND`] in the cache, [`crate::FRESH`] in memory, and a
/// quarter of a second on the way.
pub const WORST_AGE: Duration = Duration::from_secs(4);

/// How old a read may be for its value to be put into the cache by a reader: what took longer may have been
/// overtaken by a move whose key the cache has lost since.
const YOUNG: Duration = Duration::from_secs(1);

/// In seconds: 25 hours.
const LIFE: u32 = 25 * 3600;

/// Takes a value unless the one that is there is newer. Heads have one length, and digits compare as numbers do; a head
/// of anything else is nobody's, and would keep out every value until it lapses.
const PUT: &str = "
local held = redis.call('GETRANGE', KEYS[1], 1, ARGV[3] - 1)
local new = string.sub(ARGV[1], 2, ARGV[3])
if #held == #new and not string.find(held, '%D') and held > new then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1";

/// Whom a process is to the cache.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password: on AWS a token that is good for a quarter of an hour.
    pub password: String,
}

/// Makes credentials for a new connection.
pub type Login = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send>> + Send + Sync>;

/// Where the cache is.
#[derive(Clone)]
pub struct RemoteSettings {
    /// `redis://host:port`, or `rediss://host:port` with TLS.
    pub url: String,
    /// Whether it is a cluster, as `ElastiCache` Serverless always is.
    pub cluster: bool,
    /// Whom to be there; `None`: nobody asks.
    pub login: Option<Login>,
}

impl RemoteSettings {
    /// A single node without a login.
    pub fn node(url: impl Into<String>) -> Self {
        Self { url: url.into(), cluster: false, login: None }
    }
}

/// What the cache can hold.
pub(crate) trait Shared: Serialize + DeserializeOwned + Send + Sync {
    /// How old it may be to be served without asking the table.
    const FRESH_FOR: Duration;
    /// How old it may be to be served when the table does not answer.
    const STALE_FOR: Duration;
    /// Which of two is newer.
    fn revision(&self) -> u64;
}

impl Shared for Ref {
    const FRESH_FOR: Duration = BOUND;
    const STALE_FOR: Duration = Duration::from_hours(24);
    fn revision(&self) -> u64 {
        self.revision
    }
}

impl Shared for ApiKey {
    const FRESH_FOR: Duration = BOUND;
    const STALE_FOR: Duration = Duration::from_hours(1);
    fn revision(&self) -> u64 {
        self.revision
    }
}

/// A version never changes.
impl Shared for Version {
    const FRESH_FOR: Duration = Duration::MAX;
    const STALE_FOR: Duration = Duration::MAX;
    fn revision(&self) -> u64 {
        0
    }
}

/// What a name stands for: a name of a team belongs to its prompt for ever.
impl Shared for PromptId {
    const FRESH_FOR: Duration = Duration::MAX;
    const STALE_FOR: Duration = Duration::MAX;
    fn revision(&self) -> u64 {
        0
    }
}

/// What the cache holds.
#[derive(Debug)]
pub(crate) struct Held<T> {
    /// `None`: the value of the revision that the asker holds.
    pub(crate) value: Option<T>,
    pub(crate) revision: u64,
    pub(crate) read_at: ReadAt,
    pub(crate) age: Duration,
}

/// The cache.
#[derive(Debug)]
pub struct Remote {
    link: Link,
    sources: Sources,
}

impl Remote {
    /// A cache, to be connected to when it is first needed.
    pub fn new(settings: RemoteSettings, sources: Sources) -> Result<Self> {
        Ok(Self { link: Link::new(settings, sources.clone())?, sources })
    }

    /// What the cache holds; nothing also when the age is unknown, for the wall clock went backwards. The asker `holds`
    /// this revision already.
    pub(crate) async fn get<T: Shared>(
        &self,
        key: &RemoteKey,
        holds: Option<u64>,
    ) -> Result<Option<Held<T>>> {
        let command = redis::cmd("GET").arg(key.to_string()).take();
        let bytes: Option<Vec<u8>> = self.link.ask(&command, READER).await?;
        Ok(bytes.and_then(|bytes| self.read(&bytes, holds)))
    }

    fn read<T: Shared>(&self, bytes: &[u8], holds: Option<u64>) -> Option<Held<T>> {
        let Frame { revision, read_at, value } = Frame::read(bytes, holds)?;
        let read_at = ReadAt::elsewhere(read_at, &self.sources);
        Some(Held { value, revision, age: read_at.age(&self.sources)?, read_at })
    }

    /// Offers what was read from the table. That the cache does not take it is no matter to a reader.
    pub(crate) async fn fill<T: Shared>(&self, key: &RemoteKey, value: &T, read_at: ReadAt) {
        if read_at.age(&self.sources).is_some_and(|age| age <= YOUNG) {
            let _ = self.put(key, value, read_at, READER).await;
        }
    }

    /// Puts what was written to the table, and waits until the cache has it.
    pub(crate) async fn publish<T: Shared>(&self, key: &RemoteKey, value: &T, read_at: ReadAt) -> Result<()> {
        self.put(key, value, read_at, MOVER).await
    }

    async fn put<T: Shared>(
        &self,
        key: &RemoteKey,
        value: &T,
        read_at: ReadAt,
        patience: Patience,
    ) -> Result<()> {
        let frame = Frame { revision: value.revision(), read_at: read_at.wall(), value };
        let bytes = frame.write().map_err(Error::internal)?;
        let mut command = redis::cmd("EVAL");
        command.arg(PUT).arg(1).arg(key.to_string()).arg(bytes).arg(LIFE).arg(HEAD);
        self.link.ask::<i32>(&command, patience).await.map(|_taken| ())
    }
}
