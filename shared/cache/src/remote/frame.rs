//! How a value stands in the cache: a head that the fence compares, then the value.
//!
//! `<format: 1 byte><revision: 20 digits><read_at: 20 digits, ms since 1970><JSON>`. The head stays in its place in
//! every format, so that writers of different releases keep to one fence; what a reader does not know, it has not.

use domain::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

/// The only format so far.
const FORMAT: u8 = b'1';

/// Format, revision and `read_at`, in bytes.
pub(super) const HEAD: usize = 41;

/// A value with what the fence and the bound need to know of it.
#[derive(Debug, PartialEq)]
pub(super) struct Frame<T> {
    pub(super) revision: u64,
    /// When the read began that it came from.
    pub(super) read_at: Timestamp,
    pub(super) value: T,
}

impl<T: Serialize> Frame<T> {
    pub(super) fn write(&self) -> serde_json::Result<Vec<u8>> {
        let read_at = u64::try_from(self.read_at.as_millis()).unwrap_or_default();
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(format!("{:020}{read_at:020}", self.revision).as_bytes());
        serde_json::to_writer(&mut bytes, &self.value)?;
        Ok(bytes)
    }
}

impl<T: DeserializeOwned> Frame<Option<T>> {
    /// `None`: another format, or damaged. A value of the revision that the reader `holds` is left out: each revision
    /// has one value for ever.
    pub(super) fn read(bytes: &[u8], holds: Option<u64>) -> Option<Self> {
        let (head, value) = bytes.split_at_checked(HEAD)?;
        let digits = std::str::from_utf8(head.strip_prefix(&[FORMAT])?).ok()?;
        let (revision, read_at) = digits.split_at_checked(20)?;
        let revision = revision.parse().ok()?;
        let value = if holds == Some(revision) { None } else { Some(serde_json::from_slice(value).ok()?) };
        Some(Self { revision, read_at: Timestamp::from_millis(read_at.parse().ok()?), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_the_same() {
        let frame = Frame { revision: u64::MAX, read_at: Timestamp::from_millis(1), value: "é" };
        let written = frame.write().unwrap();
        let read = Frame::<Option<String>>::read;
        for holds in [None, Some(7)] {
            assert_eq!(read(&written, holds).unwrap().value.as_deref(), Some("é"));
        }
        let same = Frame { revision: u64::MAX, read_at: Timestamp::from_millis(1), value: None };
        assert_eq!(read(&written, Some(u64::MAX)), Some(same), "who holds it needs its age alone");
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let whole = Frame { revision: 1, read_at: Timestamp::from_millis(2), value: 3 }.write().unwrap();
        let of_a_newer_release = [b"2", &whole[1..]].concat();
        for bytes in [b"".as_slice(), &whole[..40], &whole[..41], &of_a_newer_release] {
            assert_eq!(Frame::<Option<i32>>::read(bytes, None), None);
        }
    }
}
