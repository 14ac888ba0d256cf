//! The objects of the buckets.

use domain::{
    AuditId, PromptId, TestSetId, Timestamp, VersionId,
    audit::{AuditEntry, checkpoint::Checkpoint},
};

const ARCHIVE: &str = "audit/";
const CHECKPOINTS: &str = "audit/checkpoints/";
const DATASETS: &str = "datasets/";
const UPLOADS: &str = "uploads/";

/// The object of an audit entry: `audit/<prompt or team>/<year>/<month>/<day>/<id>.json`.
pub(crate) fn archive_key(entry: &AuditEntry) -> String {
    format!("{}{}/{}.json", archive_folder(&entry.chain), day(entry.at), entry.audit_id)
}

/// How the objects of a chain's entries begin.
pub(crate) fn archive_folder(chain: &str) -> String {
    format!("{ARCHIVE}{chain}/")
}

/// How all objects of the archive begin, and what those of the chains after this one come after: `0` follows `/`.
pub(crate) fn archive_after(chain: Option<&str>) -> (&'static str, Option<String>) {
    (ARCHIVE, chain.map(|chain| format!("{ARCHIVE}{chain}0")))
}

/// The chain of an object of the archive, or what stands in its place.
pub(crate) fn archived_chain(key: &str) -> Option<&str> {
    key.strip_prefix(ARCHIVE)?.split('/').next()
}

/// The object of what a version says: `audit/versions/<prompt>/<version>.json`.
pub(crate) fn content_key(prompt: PromptId, version: VersionId) -> String {
    format!("{ARCHIVE}versions/{prompt}/{version}.json")
}

/// What the objects of a chain's entries after this one come after.
pub(crate) fn archived_after(chain: &str, entry: AuditId) -> String {
    format!("{}{}/{entry}.json", archive_folder(chain), day(entry.moment()))
}

/// The entry that an object of the archive is named after.
pub(crate) fn archived_id(key: &str) -> Option<AuditId> {
    key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// The object of a checkpoint: `audit/checkpoints/<year>/<month>/<day>/<number>.json`.
pub(crate) fn checkpoint_key(checkpoint: &Checkpoint) -> String {
    format!("{CHECKPOINTS}{}/{:08}.json", day(checkpoint.at), checkpoint.sequence)
}

/// How the objects of checkpoints begin, and what those of this day and later come after.
pub(crate) fn checkpoints_from(at: Timestamp) -> (&'static str, String) {
    (CHECKPOINTS, format!("{CHECKPOINTS}{}/", day(at)))
}

/// `<year>/<month>/<day>`.
fn day(at: Timestamp) -> String {
    let at = at.to_string();
    at.get(..10).unwrap_or_default().replace('-', "/")
}

/// The object that holds a test set's cases. Its content is part of its name: of two uploads of one number in the
/// same moment the table takes one, and the other must not have written over it.
pub(crate) fn dataset_object(set: TestSetId, version: u32, sha256: &str) -> String {
    let short = sha256.get(..16).unwrap_or(sha256);
    format!("{DATASETS}{set}/{version}-{short}.jsonl")
}

/// How all objects of a test set begin.
pub(crate) fn object_folders(set: TestSetId) -> [String; 2] {
    [DATASETS, UPLOADS].map(|folder| format!("{folder}{set}/"))
}

/// The object that somebody uploads cases to, before they are looked at.
pub(crate) fn upload_object(set: TestSetId, upload: &str) -> String {
    format!("{UPLOADS}{set}/{upload}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{
        AuditId, Caller, TestSetId, Timestamp,
        audit::{Action, ChainHead, Fact},
    };

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn an_entry_lies_under_its_chain_and_its_day() {
        let fact = Fact::new(&Caller::system("test").actor, Action::TeamUpdated, "x");
        let at = Timestamp::from_millis(1_763_640_000_000);
        let (entry, _) =
            ChainHead::default().append("support".to_owned(), fact, at, AuditId::new(at, [7; 10])).unwrap();
        let key = archive_key(&entry);
        assert_eq!(key, format!("audit/support/2025/11/20/{}.json", entry.audit_id));
        assert_eq!(archived_id(&key), Some(entry.audit_id));
        assert_eq!(archived_after("support", entry.audit_id), key);
        assert!(archived_after("support", AuditId::new(at, [6; 10])) < key);
        assert!(key < archived_after("support", AuditId::new(at.plus(DAY), [0; 10])));
    }

    #[test]
    fn the_objects_of_other_chains_come_after_those_of_one() {
        let (prompt, version) = (PromptId::from_bytes([1; 16]), VersionId::from_bytes([2; 16]));
        let content = content_key(prompt, version);
        assert_eq!((archived_chain(&content), archived_id(&content)), (Some("versions"), None));
        let (prefix, after) = archive_after(Some("team:support"));
        let after = after.unwrap();
        assert!(
            content.starts_with(prefix) && after > format!("{}9999/12/31/x", archive_folder("team:support"))
        );
        assert!(after < archive_folder("team:support1"));
    }

    #[test]
    fn checkpoints_sort_as_they_were_written() {
        let at = Timestamp::from_millis(1_763_640_000_000);
        let (first, head) = Checkpoint::after(&ChainHead::default(), Vec::new(), at).unwrap();
        let (second, _) = Checkpoint::after(&head, Vec::new(), at).unwrap();
        let keys = [&first, &second].map(checkpoint_key);
        assert_eq!(keys[0], "audit/checkpoints/2025/11/20/00000001.json");
        assert!(keys[0] < keys[1]);
    }

    #[test]
    fn of_two_uploads_of_one_number_each_has_its_own_object() {
        let object = |sha256| dataset_object(TestSetId::from_bytes([1; 16]), 3, sha256);
        assert_ne!(object("0123456789abcdef0"), object("1123456789abcdef0"));
    }
}
