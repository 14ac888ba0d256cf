//! Conditions of writes, in DynamoDB's words.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use super::{Slot, wish::UNTIL};
use crate::table::number;

/// The condition under which an item is written.
pub(crate) enum Guard {
    /// There is none yet.
    Absent,
    /// There is none yet, or it expired.
    AbsentOrExpired(Timestamp),
    /// There is one, whatever it says.
    Exists,
    /// A counter of it stands where it was read. Nested attributes are written with a dot.
    Counter(&'static str, u64),
}

impl Guard {
    /// The revision before this one is there; before the first there is none.
    pub(crate) fn before(revision: u64) -> Self {
        match revision {
            0 | 1 => Self::Absent,
            revision => Self::Counter("revision", revision - 1),
        }
    }
}

/// A condition in DynamoDB's words, with the names and values that it uses.
#[derive(Default)]
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: Vec<(String, String)>,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

/// The condition of a write, and for the head of a chain that nobody asked everybody to stand back.
pub(super) fn condition(slot: Slot, guard: &Guard, yields: Option<Timestamp>) -> Condition {
    let mut condition = Condition::default();
    match guard {
        Guard::Absent => condition.expression.push_str("attribute_not_exists(pk)"),
        Guard::Exists => condition.expression.push_str("attribute_exists(pk)"),
        Guard::AbsentOrExpired(now) => {
            condition.expression.push_str("attribute_not_exists(pk) OR expires_at <= :now");
            condition.values.push((":now", number(now.as_seconds())));
        }
        Guard::Counter(path, value) => {
            let parts: Vec<String> = path.split('.').map(|part| format!("#{part}")).collect();
            condition.expression = format!("{} = :counter", parts.join("."));
            condition.names.extend(path.split('.').map(|part| (format!("#{part}"), part.to_owned())));
            condition.values.push((":counter", number(value)));
        }
    }
    if let (Slot::Head, Guard::Counter(..), Some(now)) = (slot, guard, yields) {
        condition.expression =
            format!("{} AND (attribute_not_exists({UNTIL}) OR {UNTIL} <= :moment)", condition.expression);
        condition.values.push((":moment", number(now.as_millis())));
    }
    condition
}
