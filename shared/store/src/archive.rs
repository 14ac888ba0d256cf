//! The archive of the audit: the same entries as in the table, as objects that on AWS nobody can alter, and checkpoints
//! over all chains.

use std::collections::BTreeSet;

use aws_sdk_s3::{operation::get_object::GetObjectError, primitives::ByteStream};
use domain::{
    AuditId, Error, Result,
    audit::{Action, AuditEntry, checkpoint::Checkpoint},
    content::Content,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use crate::{
    PageRequest, Store,
    audit::{AuditItem, Chain, read_entry},
    keys::{
        AUDIT, Key, archive_folder, archive_key, archived_after, archived_id, checkpoint_key, content_key,
    },
    sent::Sent,
    table::{Page, text},
};

/// How many entries, and how many objects, one call compares at most.
const PART: u16 = 500;

/// How many objects are read at once.
const READS: usize = 16;

/// What came of comparing the archive with a part of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Up to which entry both are compared now.
    pub up_to: AuditId,
    /// How many entries were missing in the archive, and are there now.
    pub filled: usize,
    /// The objects that hold what the chain does not say, and entries that do not read. They are left as they are: one
    /// of both was altered.
    pub differing: Vec<String>,
}

/// An entry with its place.
#[derive(Deserialize)]
pub(crate) struct PlacedEntry {
    pub(crate) sk: String,
    entry: String,
}

/// What an entry is beside its object. Of several what is worst comes last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    Alike,
    Filled,
    Differing(String),
}

impl Store {
    /// Copies an entry of the audit into the archive, as the text that its hash covers, and before it what a version
    /// says that it tells of: where the table has lost that, the daily comparison says so. Twice is as good as once.
    pub async fn archive_audit(&self, key: &Key) -> Result<AuditEntry> {
        let item: Option<AuditItem> = self.get(key).await?;
        let item = item.ok_or_else(|| Error::internal(format!("the entry {} is missing", key.sk())))?;
        let entry = item.read()?;
        if let Some((key, Some(content))) = self.content_of(&entry).await? {
            self.put_archived(&key, serde_json::to_vec(&content).map_err(Error::internal)?).await?;
        }
        self.put_archived(&archive_key(&entry), item.entry.into_bytes()).await?;
        Ok(entry)
    }

    /// Compares the archive with a part of a chain: with entries after one and up to another, which need not be there.
    /// Fills its gaps.
    pub async fn reconcile(&self, chain: &Chain, after: AuditId, last: AuditId) -> Result<Reconciled> {
        let name = chain.name();
        // It is listed first: whatever is archived by then is in the table already.
        let (mut unknown, up_to) = self.archived(&name, after, last).await?;
        let (entries, up_to) = self.entries(chain, after, up_to).await?;
        unknown.retain(|key| archived_id(key).is_some_and(|id| id <= up_to));
        let (mut readable, mut differing) = (Vec::new(), Vec::new());
        for PlacedEntry { sk, entry } in entries {
            match read_entry(&entry) {
                Ok(read) => {
                    let key = archive_key(&read);
                    unknown.remove(&key);
                    readable.push((key, read, entry));
                }
                Err(_) => differing.push(format!("the entry {sk} of {name}, which does not read")),
            }
        }
        let compared = stream::iter(readable).map(|(key, read, entry)| self.compare(key, read, entry));
        let compared: Vec<Compared> = compared.buffer_unordered(READS).try_collect().await?;
        let filled = compared.iter().filter(|compared| matches!(compared, Compared::Filled)).count();
        differing.extend(compared.into_iter().filter_map(|compared| match compared {
            Compared::Differing(key) => Some(key),
            Compared::Alike | Compared::Filled => None,
        }));
        differing.extend(unknown);
        Ok(Reconciled { up_to, filled, differing })
    }

    async fn compare(&self, key: String, read: AuditEntry, entry: String) -> Result<Compared> {
        let content = match self.content_of(&read).await? {
            Some((key, Some(content))) => self.compare_content(key, &content).await?,
            Some((key, None)) => Compared::Differing(key),
            None => Compared::Alike,
        };
        let bytes = entry.as_bytes();
        Ok(self.compare_object(key, bytes, |archived| archived == bytes).await?.max(content))
    }

    /// By its hash and not by its text: another release may write the same content otherwise.
    async fn compare_content(&self, key: String, content: &Content) -> Result<Compared> {
        let bytes = serde_json::to_vec(content).map_err(Error::internal)?;
        let is_same = |archived: &[u8]| {
            serde_json::from_slice::<Content>(archived).is_ok_and(|read| read.sha256() == content.sha256())
        };
        self.compare_object(key, &bytes, is_same).await
    }

    async fn compare_object(
        &self,
        key: String,
        wanted: &[u8],
        is_same: impl Fn(&[u8]) -> bool,
    ) -> Result<Compared> {
        match self.read_archived(&key).await? {
            None => {
                self.put_archived(&key, wanted.to_vec()).await?;
                Ok(Compared::Filled)
            }
            Some(archived) if is_same(&archived) => Ok(Compared::Alike),
            Some(_) => Ok(Compared::Differing(key)),
        }
    }

    /// The object for what the version says that an entry tells of, and what it says: an entry names that by its hash
    /// alone. `None` beside the object: the table has lost it.
    async fn content_of(&self, entry: &AuditEntry) -> Result<Option<(String, Option<Content>)>> {
        if entry.action != Action::VersionCreated {
            return Ok(None);
        }
        let version = entry.subject.parse().map_err(Error::internal)?;
        let prompt = entry.chain.parse().map_err(Error::internal)?;
        let told_of = self.version_told_of(prompt, entry).await?;
        Ok(Some((content_key(prompt, version), told_of.map(|version| version.content))))
    }

    /// The first entries of a chain after one and up to another, and up to which one these are all.
    pub(crate) async fn entries(
        &self,
        chain: &Chain,
        after: AuditId,
        last: AuditId,
    ) -> Result<(Vec<PlacedEntry>, AuditId)> {
        let query = self
            .query(&self.names.registry, chain.partition(), "")
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":first", text(format!("{AUDIT}{}", after.successor())))
            .expression_attribute_values(":last", text(format!("{AUDIT}{last}")));
        let page: Page<PlacedEntry> = self.page(query, &PageRequest::first(PART.into())).await?;
        let end = page.data.last().filter(|_| page.next_cursor.is_some());
        let end = end.and_then(|end| end.sk.strip_prefix(AUDIT)?.parse().ok());
        Ok((page.data, end.unwrap_or(last)))
    }

    /// Puts a checkpoint into the archive. Twice is as good as once.
    pub async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let bytes = serde_json::to_vec(checkpoint).map_err(Error::internal)?;
        self.put_archived(&checkpoint_key(checkpoint), bytes).await
    }

    /// The first objects of a chain's entries after one and up to another, and up to which one these are all.
    async fn archived(
        &self,
        chain: &str,
        after: AuditId,
        last: AuditId,
    ) -> Result<(BTreeSet<String>, AuditId)> {
        let listing = self.s3.list_objects_v2().bucket(self.archive()?).prefix(archive_folder(chain));
        let listing = listing.start_after(archived_after(chain, after)).max_keys(PART.into());
        let page = listing.sent().await.map_err(unavailable)?;
        let keys: Vec<String> = page.contents.into_iter().flatten().filter_map(|object| object.key).collect();
        let end = keys.iter().filter_map(|key| archived_id(key)).max();
        // Entries whose writers' clocks disagree may lie under another day than their ids do: what would not go on goes
        // on to the end.
        let end = end.filter(|end| page.is_truncated == Some(true) && *end > after).unwrap_or(last).min(last);
        let within = |key: &String| archived_id(key).is_some_and(|id| after < id && id <= end);
        Ok((keys.into_iter().filter(within).collect(), end))
    }

    pub(crate) async fn read_archived(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let answer = match self.s3.get_object().bucket(self.archive()?).key(key).sent().await {
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            answer => answer.map_err(unavailable)?,
        };
        Ok(Some(answer.body.collect().await.map_err(unavailable)?.to_vec()))
    }

    async fn put_archived(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.s3.put_object().bucket(self.archive()?).key(key).content_type("application/json");
        put.body(ByteStream::from(bytes)).sent().await.map_err(unavailable)?;
        Ok(())
    }

    pub(crate) fn archive(&self) -> Result<&str> {
        let bucket = self.names.archive.as_deref();
        bucket.ok_or_else(|| Error::internal("this process knows no bucket of the archive"))
    }
}

pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("The archive", error)
}
