//! Batches: what handles one message or record becomes what handles a batch, failing item by item.

use std::collections::HashSet;

use aws_lambda_events::event::{
    dynamodb::{Event as StreamEvent, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent, SqsMessage},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use domain::{Error, Result, Timestamp};
use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use serde_dynamo::AttributeValue;
use store::keys::Key;

/// Handles the messages of a batch at once. Those that fail are logged here, once, and alone come again.
pub async fn messages<T, F>(event: SqsEvent, handle: impl Fn(T) -> F) -> SqsBatchResponse
where
    T: DeserializeOwned,
    F: Future<Output = Result<()>>,
{
    let most = event.records.len().max(1);
    let handle = &handle;
    let outcomes = stream::iter(event.records)
        .map(|message| async move {
            let id = message.message_id.clone().unwrap_or_default();
            let handled = match parse(&message) {
                Ok(parsed) => handle(parsed).await,
                Err(error) => Err(error),
            };
            handled.map_err(|error| (id, error))
        })
        .buffer_unordered(most)
        .collect::<Vec<_>>()
        .await;
    failures(outcomes.into_iter().filter_map(Result::err))
}

/// Handles the messages of a batch together; `handle` says of each, in their order, what came of it. Those that fail,
/// and those that do not parse, are logged here, once, and alone come again.
pub async fn together<T, F>(event: SqsEvent, handle: impl FnOnce(Vec<T>) -> F) -> SqsBatchResponse
where
    T: DeserializeOwned,
    F: Future<Output = Vec<Result<()>>>,
{
    let (mut ids, mut parsed, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for message in event.records {
        let id = message.message_id.clone().unwrap_or_default();
        match parse(&message) {
            Ok(message) => {
                ids.push(id);
                parsed.push(message);
            }
            Err(error) => failed.push((id, error)),
        }
    }
    let outcomes = ids.into_iter().zip(handle(parsed).await);
    failures(failed.into_iter().chain(outcomes.filter_map(|(id, outcome)| Some((id, outcome.err()?)))))
}

fn failures(failed: impl Iterator<Item = (String, Error)>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for (id, error) in failed {
        tracing::warn!(message_id = %id, error = %error.chain(), "a message failed and will come again");
        response.add_failure(id);
    }
    response
}

fn parse<T: DeserializeOwned>(message: &SqsMessage) -> Result<T> {
    serde_json::from_str(message.body.as_deref().unwrap_or_default()).map_err(Error::internal)
}

/// An item of the registry that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its key; `None` when it is none that this code knows, such as one of a newer release.
    pub key: Option<Key>,
    /// Whether it is gone.
    pub removed: bool,
}

/// Handles the records of a stream in their order, up to the first that fails: it and all after it come again.
pub async fn records<F>(event: StreamEvent, handle: impl Fn(Written) -> F) -> DynamoDbEventResponse
where
    F: Future<Output = Result<()>>,
{
    for record in event.records {
        if let Err(error) = handle(written(&record)).await {
            return again_from(&record, &error);
        }
    }
    DynamoDbEventResponse::default()
}

/// Lets all records of a batch come again.
pub fn all_again(event: &StreamEvent, error: &Error) -> DynamoDbEventResponse {
    event.records.first().map_or_else(DynamoDbEventResponse::default, |record| again_from(record, error))
}

fn again_from(record: &EventRecord, error: &Error) -> DynamoDbEventResponse {
    let sequence = record.change.sequence_number.clone();
    tracing::warn!(sequence = ?sequence, error = %error.chain(), "a record failed and will come again");
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = sequence;
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.push(failure);
    response
}

/// The items that a batch says were written, each once, as far as this code knows their keys.
pub fn keys(event: &StreamEvent) -> HashSet<Key> {
    event
        .records
        .iter()
        .map(written)
        .filter(|written| !written.removed)
        .filter_map(|written| written.key)
        .collect()
}

/// When the first of a batch was written, to the second.
pub fn oldest(event: &StreamEvent) -> Option<Timestamp> {
    let millis = |record: &EventRecord| record.change.approximate_creation_date_time.timestamp_millis();
    event.records.iter().map(millis).min().map(Timestamp::from_millis)
}

fn written(record: &EventRecord) -> Written {
    let keys = &record.change.keys;
    let key = Key::of_item(|name| match keys.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    });
    Written { key, removed: record.event_name == "REMOVE" }
}
