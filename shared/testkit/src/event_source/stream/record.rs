//! A record of the Streams API as the event that a function is given.

use std::{collections::HashMap, time::SystemTime};

use aws_lambda_events::event::dynamodb::{EventRecord, StreamRecord};
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, StreamRecord as Change};

use crate::engines::REGION;

/// The event record; `None` for an item that expired.
///
/// Only a removal by expiry has a user identity. The engine spells its fields in a way that the SDK does not read,
/// so the identity is empty here; that it exists is what tells.
pub(super) fn changed(record: Record) -> Option<EventRecord> {
    if record.user_identity.is_some() {
        return None;
    }
    let mut event = EventRecord::default();
    REGION.clone_into(&mut event.aws_region);
    event.event_id = record.event_id.unwrap_or_default();
    event.event_name = record.event_name.map(|name| name.as_str().to_owned()).unwrap_or_default();
    event.event_source = Some("aws:dynamodb".to_owned());
    event.event_version = record.event_version;
    event.change = change(record.dynamodb.unwrap_or_else(|| Change::builder().build()));
    Some(event)
}

fn change(record: Change) -> StreamRecord {
    let mut change = StreamRecord::default();
    if let Some(Ok(time)) = record.approximate_creation_date_time.map(SystemTime::try_from) {
        change.approximate_creation_date_time = time.into();
    }
    change.keys = item(record.keys);
    change.new_image = item(record.new_image);
    change.old_image = item(record.old_image);
    change.sequence_number = record.sequence_number;
    change.size_bytes = record.size_bytes.unwrap_or_default();
    change
}

fn item(attributes: Option<HashMap<String, AttributeValue>>) -> serde_dynamo::Item {
    attributes.unwrap_or_default().into()
}
