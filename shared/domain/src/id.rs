//! Prefixed ids, sortable by time: `prm_01JD…`. Raw strings stop at the extractors.

use std::{fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ulid::Ulid;

use crate::Timestamp;

/// A kind of thing that has ids.
pub trait Entity {
    /// The prefix, without the underscore.
    const PREFIX: &'static str;
    /// What a person calls it.
    const NOUN: &'static str;
}

/// The id of an `E`: its prefix, an underscore and a ULID.
pub struct Id<E>(Ulid, PhantomData<fn() -> E>);

impl<E: Entity> Id<E> {
    /// An id of this moment.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let mut wide = [0; 16];
        wide[6..].copy_from_slice(&random);
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(Ulid::from_parts(millis, u128::from_be_bytes(wide)), PhantomData)
    }

    /// The next id after this one, for chains whose entries must sort as they were made.
    #[must_use]
    pub fn successor(self) -> Self {
        Self(Ulid::from(u128::from(self.0).saturating_add(1)), PhantomData)
    }

    /// The moment that it is of.
    pub fn moment(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }

    /// The sixteen bytes without the prefix.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// An id from its sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes), PhantomData)
    }

    /// Whether a text begins as an id of this kind does; names may not.
    pub fn looks_like(text: &str) -> bool {
        text.strip_prefix(E::PREFIX).is_some_and(|rest| rest.starts_with('_'))
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Id<E> {}
impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<E> Eq for Id<E> {}
impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<E> hash::Hash for Id<E> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<E: Entity> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", E::PREFIX, self.0)
    }
}
impl<E: Entity> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Entity> FromStr for Id<E> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a {} id: it would begin with `{}_`", E::NOUN, E::PREFIX);
        let rest = text.strip_prefix(E::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(wrong)?;
        let ulid = Ulid::from_str(rest).map_err(|_| wrong())?;
        // Crockford's alphabet reads lower case and look-alikes too; only the canonical text is an id.
        if ulid.to_string() == rest { Ok(Self(ulid, PhantomData)) } else { Err(wrong()) }
    }
}

impl<E: Entity> Serialize for Id<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, E: Entity> Deserialize<'de> for Id<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

macro_rules! entities {
    ($($entity:ident $id:ident $prefix:literal $noun:literal;)*) => {$(
        #[doc = concat!("Marks ids of a ", $noun, ".")]
        #[derive(Debug)]
        pub enum $entity {}
        impl Entity for $entity {
            const PREFIX: &'static str = $prefix;
            const NOUN: &'static str = $noun;
        }
        #[doc = concat!("The id of a ", $noun, ": `", $prefix, "_…`.")]
        pub type $id = Id<$entity>;
    )*};
}

entities! {
    PromptEntity PromptId "prm" "prompt";
    VersionEntity VersionId "ver" "version";
    TestSetEntity TestSetId "tst" "test set";
    EvalRunEntity EvalRunId "evl" "evaluation run";
    ExperimentEntity ExperimentId "exp" "experiment";
    RolloutEntity RolloutId "rol" "canary";
    MessageEntity MessageId "msg" "message of metrics";
    AuditEntity AuditId "aud" "audit entry";
    WebhookEntity WebhookId "whk" "webhook";
    SigningKeyEntity SigningKeyId "sig" "signing key";
    RequestEntity RequestId "req" "request";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_text_is_an_id() {
        let id = PromptId::new(Timestamp::from_millis(1_795_158_000_007), [7; 10]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert!(text.to_lowercase().parse::<PromptId>().is_err());
        assert!(text.replace("prm", "ver").parse::<PromptId>().is_err());
        assert!(PromptId::looks_like("prm_x") && !PromptId::looks_like("prm"));
    }

    proptest! {
        #[test]
        fn ids_sort_by_time_as_text(a in 0..i64::from(u32::MAX), gap in 1..1_000_000_i64, x: [u8; 10], y: [u8; 10]) {
            let early = VersionId::new(Timestamp::from_millis(a), x);
            let late = VersionId::new(Timestamp::from_millis(a + gap), y);
            prop_assert!(early < late && early.to_string() < late.to_string());
            prop_assert!(early.successor() > early);
            prop_assert_eq!(VersionId::from_bytes(early.to_bytes()), early);
        }
    }
}
