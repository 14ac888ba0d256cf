//! The archive of the audit: the same entries as in the table, as objects that on AWS nobody can alter, and checkpoints
//! over all chains.

use std::collections::BTreeSet;

use aws_sdk_s3::{operation::get_object::GetObjectError, primitives::ByteStream};
use domain::{
    AuditId, Error, Result, Timestamp,
    audit::{AuditEntry, checkpoint::Checkpoint},
};

use crate::{
    Store,
    audit::{AuditItem, Chain},
    keys::{AUDIT, Key, archive_folder, archive_from, archive_key, archived_id, checkpoint_key},
    sent::Sent,
    table::text,
};

/// What came of comparing the archive with a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many entries were missing in the archive, and are there now.
    pub filled: usize,
    /// The objects that hold what the chain does not say. They are left as they are: one of both was altered.
    pub differing: Vec<String>,
}

impl Store {
    /// Copies an entry of the audit into the archive, as the text that its hash covers. Twice is as good as once.
    pub async fn archive_audit(&self, key: &Key) -> Result<AuditEntry> {
        let item: Option<AuditItem> = self.get(key).await?;
        let item = item.ok_or_else(|| Error::internal(format!("the entry {} is missing", key.sk())))?;
        let entry = item.read()?;
        self.put_archived(&archive_key(&entry), item.entry.into_bytes()).await?;
        Ok(entry)
    }

    /// Compares the archive with a chain's entries between two moments, and fills its gaps.
    pub async fn reconcile(&self, chain: &Chain, from: Timestamp, to: Timestamp) -> Result<Reconciled> {
        let mut reconciled = Reconciled::default();
        // It is listed first: whatever is archived by then is in the table already.
        let mut unknown = self.archived(chain, from, to).await?;
        let (first, last) = (AuditId::new(from, [0; 10]), AuditId::new(to, [0; 10]));
        let query = self
            .query(&self.names.registry, chain.partition(), "")
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":first", text(format!("{AUDIT}{first}")))
            .expression_attribute_values(":last", text(format!("{AUDIT}{last}")));
        for item in self.all::<AuditItem>(query).await? {
            let key = archive_key(&item.read()?);
            unknown.remove(&key);
            match self.read_archived(&key).await? {
                None => {
                    self.put_archived(&key, item.entry.into_bytes()).await?;
                    reconciled.filled += 1;
                }
                Some(archived) if archived != item.entry.as_bytes() => reconciled.differing.push(key),
                Some(_) => {}
            }
        }
        reconciled.differing.extend(unknown);
        Ok(reconciled)
    }

    /// Puts a checkpoint into the archive. Twice is as good as once.
    pub async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        let bytes = serde_json::to_vec(checkpoint).map_err(Error::internal)?;
        self.put_archived(&checkpoint_key(checkpoint), bytes).await
    }

    /// The objects of a chain's entries between two moments.
    async fn archived(&self, chain: &Chain, from: Timestamp, to: Timestamp) -> Result<BTreeSet<String>> {
        let chain = chain.name();
        let between = AuditId::new(from, [0; 10])..=AuditId::new(to, [0; 10]);
        let (mut found, mut token) = (BTreeSet::new(), None);
        loop {
            let list = self.s3.list_objects_v2().bucket(self.archive()?).prefix(archive_folder(&chain));
            let list = list.start_after(archive_from(&chain, from)).set_continuation_token(token);
            let page = list.sent().await.map_err(unavailable)?;
            let keys = page.contents.into_iter().flatten().filter_map(|object| object.key);
            found.extend(keys.filter(|key| archived_id(key).is_some_and(|id| between.contains(&id))));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn read_archived(&self, key: &str) -> Result<Option<Vec<u8>>> {
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

    fn archive(&self) -> Result<&str> {
        let bucket = self.names.archive.as_deref();
        bucket.ok_or_else(|| Error::internal("this process knows no bucket of the archive"))
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("The archive", error)
}
