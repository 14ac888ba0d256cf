//! The objects of the buckets.

use domain::{TestSetId, audit::AuditEntry};

/// The object of an audit entry: `audit/<prompt or team>/<year>/<month>/<day>/<id>.json`.
pub(crate) fn archive_key(entry: &AuditEntry) -> String {
    let day = entry.at.to_string();
    let day = day.get(..10).unwrap_or_default().replace('-', "/");
    format!("audit/{}/{day}/{}.json", entry.chain, entry.audit_id)
}

/// The object that holds a test set's cases. Its content is part of its name: of two uploads of one number in the
/// same moment the table takes one, and the other must not have written over it.
pub(crate) fn dataset_object(set: TestSetId, version: u32, sha256: &str) -> String {
    let short = sha256.get(..16).unwrap_or(sha256);
    format!("datasets/{set}/{version}-{short}.jsonl")
}

/// The object that somebody uploads cases to, before they are looked at.
pub(crate) fn upload_object(set: TestSetId, upload: &str) -> String {
    format!("uploads/{set}/{upload}")
}

#[cfg(test)]
mod tests {
    use domain::{
        AuditId, Caller, TestSetId, Timestamp,
        audit::{Action, ChainHead, Fact},
    };

    use super::*;

    #[test]
    fn an_entry_lies_under_its_chain_and_its_day() {
        let fact = Fact::new(&Caller::system("test").actor, Action::TeamUpdated, "x");
        let at = Timestamp::from_millis(1_763_640_000_000);
        let (entry, _) =
            ChainHead::default().append("support".to_owned(), fact, at, AuditId::new(at, [7; 10])).unwrap();
        assert_eq!(archive_key(&entry), format!("audit/support/2025/11/20/{}.json", entry.audit_id));
    }

    #[test]
    fn of_two_uploads_of_one_number_each_has_its_own_object() {
        let object = |sha256| dataset_object(TestSetId::from_bytes([1; 16]), 3, sha256);
        assert_ne!(object("0123456789abcdef0"), object("1123456789abcdef0"));
    }
}
