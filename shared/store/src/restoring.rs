//! Reading the archive of the audit, for a table that was restored to an earlier moment.

use std::{collections::BTreeSet, time::Duration};

use domain::{AuditId, Error, PromptId, Result, Timestamp, VersionId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Store,
    archive::unavailable,
    audit::Chain,
    keys::{
        AUDIT, archive_after, archive_folder, archived_after, archived_chain, archived_id, checkpoints_from,
        content_key,
    },
    sent::Sent,
};

/// How many objects are read at once.
const READS: usize = 16;

/// How far the clocks of a chain's writers may disagree: an entry lies under the day that its writer's clock said.
const DISAGREEMENT: Duration = Duration::from_hours(24);

/// An object of the archive, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// What it is called.
    pub object: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Store {
    /// The next of the names of chains in the archive after one; some stand for no chain.
    pub async fn archived_chain(&self, after: Option<&str>) -> Result<Option<String>> {
        let (prefix, after) = archive_after(after);
        let list = self.s3.list_objects_v2().bucket(self.archive()?).prefix(prefix).max_keys(1);
        let page = list.set_start_after(after).sent().await.map_err(unavailable)?;
        let key = page.contents.into_iter().flatten().find_map(|object| object.key);
        Ok(key.as_deref().and_then(archived_chain).map(str::to_owned))
    }

    /// All entries of a chain in the archive after one, in their order.
    pub async fn archived_entries(&self, chain: &str, after: Option<AuditId>) -> Result<Vec<Archived>> {
        let from = after.map_or(Timestamp::from_millis(0), |after| after.moment().minus(DISAGREEMENT));
        let start = archived_after(chain, AuditId::new(from, [0; 10]));
        let mut entries: Vec<_> = self.list_archived(&archive_folder(chain), start).await?;
        entries.retain(|key| archived_id(key).is_some_and(|id| after.is_none_or(|after| id > after)));
        entries.sort_by_key(|key| archived_id(key));
        self.read_all_archived(entries).await
    }

    /// The objects of entries that a chain has not, though it goes on to one after them: it went on without them. Looks
    /// as far back as clocks may disagree; the daily comparison knows what was before.
    pub async fn archived_beside(&self, chain: &Chain, last: AuditId) -> Result<Vec<String>> {
        let name = chain.name();
        let first = AuditId::new(last.moment().minus(DISAGREEMENT), [0; 10]);
        let mut keys = self.list_archived(&archive_folder(&name), archived_after(&name, first)).await?;
        let (mut known, mut up_to) = (BTreeSet::new(), first);
        while up_to < last {
            let (entries, next) = self.entries(chain, up_to, last).await?;
            let ids =
                entries.iter().filter_map(|entry| entry.sk.strip_prefix(AUDIT)?.parse::<AuditId>().ok());
            known.extend(ids);
            up_to = next;
        }
        let is_passed = |id: AuditId| first < id && id <= last && !known.contains(&id);
        keys.retain(|key| archived_id(key).is_some_and(is_passed));
        Ok(keys)
    }

    /// The checkpoints in the archive from the day before a moment on, in their order.
    pub async fn archived_checkpoints(&self, from: Timestamp) -> Result<Vec<Archived>> {
        let (prefix, start) = checkpoints_from(from.minus(DISAGREEMENT));
        let keys = self.list_archived(prefix, start).await?;
        self.read_all_archived(keys).await
    }

    /// What a version says, from the archive.
    pub async fn archived_content(&self, prompt: PromptId, version: VersionId) -> Result<Option<Vec<u8>>> {
        self.read_archived(&content_key(prompt, version)).await
    }

    async fn list_archived(&self, prefix: &str, mut after: String) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        loop {
            let listing = self.s3.list_objects_v2().bucket(self.archive()?).prefix(prefix);
            let page = listing.start_after(&after).sent().await.map_err(unavailable)?;
            keys.extend(page.contents.into_iter().flatten().filter_map(|object| object.key));
            match keys.last() {
                Some(last) if page.is_truncated == Some(true) => after.clone_from(last),
                _ => return Ok(keys),
            }
        }
    }

    async fn read_all_archived(&self, keys: Vec<String>) -> Result<Vec<Archived>> {
        let reads = stream::iter(keys).map(|object| async move {
            let bytes = self.read_archived(&object).await?.unwrap_or_default();
            Ok::<_, Error>(Archived { object, bytes })
        });
        reads.buffered(READS).try_collect().await
    }
}
