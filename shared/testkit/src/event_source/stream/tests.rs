//! Tests of the poller of streams, over the embedded engine.

use std::sync::{Arc, Mutex};

use aws_lambda_events::event::streams::DynamoDbBatchItemFailure;
use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveSpecification};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::{
    Clients, Engines,
    fixture::{engines, exists, put, table, text},
};

type Answer = Result<DynamoDbEventResponse, Failure>;
type Seen = Arc<Mutex<Vec<String>>>;

async fn things() -> (Engines, Clients, TempDir) {
    let (engines, clients) = engines().await;
    table(&clients, "things").await;
    (engines, clients, TempDir::new().unwrap())
}

fn ids(event: &Event) -> Vec<String> {
    let keys = event.records.iter().map(|record| record.change.keys["id"].clone());
    keys.map(|id| serde_dynamo::from_attribute_value(id).unwrap()).collect()
}

/// Handles everything and notes it.
fn noting(seen: &Seen) -> impl Fn(Event) -> std::future::Ready<Answer> {
    let seen = seen.clone();
    move |event| {
        seen.lock().unwrap().extend(ids(&event));
        std::future::ready(Ok(DynamoDbEventResponse::default()))
    }
}

#[tokio::test]
async fn a_record_carries_keys_and_both_images() {
    let (_engines, clients, folder) = things().await;
    put(&clients, "things", "a", "1").await;
    put(&clients, "things", "a", "2").await;
    clients.dynamodb.delete_item().table_name("things").key("id", text("a")).send().await.unwrap();
    let source = StreamSource::new("things", "test", folder.path());
    let (events, mut received) = mpsc::unbounded_channel();
    let count = source.drain(&clients.streams, |event: Event| {
        events.send(event).unwrap();
        async { Answer::Ok(DynamoDbEventResponse::default()) }
    });
    assert_eq!(count.await.unwrap(), 3);
    let value = |text: &str| Some(serde_dynamo::AttributeValue::S(text.to_owned()));
    let records = received.recv().await.unwrap().records;
    let seen: Vec<_> = records
        .iter()
        .map(|record| {
            let (new, old) = (&record.change.new_image, &record.change.old_image);
            (record.event_name.as_str(), old.get("value").cloned(), new.get("value").cloned())
        })
        .collect();
    let wanted =
        [("INSERT", None, value("1")), ("MODIFY", value("1"), value("2")), ("REMOVE", value("2"), None)];
    assert_eq!(seen, wanted);
    assert_eq!(records[0].change.keys.get("id").cloned(), value("a"));
    assert!(records[0].change.approximate_creation_date_time.timestamp() > 1_700_000_000);
}

#[tokio::test]
async fn each_consumer_goes_on_where_it_was() {
    let (_engines, clients, folder) = things().await;
    let (first, second) = (Seen::default(), Seen::default());
    let source = StreamSource::new("things", "first", folder.path());
    put(&clients, "things", "a", "1").await;
    assert_eq!(source.drain(&clients.streams, noting(&first)).await.unwrap(), 1);
    put(&clients, "things", "b", "1").await;
    assert_eq!(source.drain(&clients.streams, noting(&first)).await.unwrap(), 1);
    assert_eq!(source.drain(&clients.streams, noting(&first)).await.unwrap(), 0);
    let other = StreamSource::new("things", "second", folder.path());
    assert_eq!(other.drain(&clients.streams, noting(&second)).await.unwrap(), 2);
    assert_eq!(
        (&*first.lock().unwrap(), &*second.lock().unwrap()),
        (&vec!["a".into(), "b".into()], &vec!["a".into(), "b".into()])
    );
}

#[tokio::test]
async fn a_checkpoint_that_nobody_knows_starts_at_the_oldest() {
    let (_engines, clients, folder) = things().await;
    put(&clients, "things", "a", "1").await;
    let source = StreamSource::new("things", "test", folder.path());
    for unknown in [r#"{"after":"17"}"#, r#"{"after":"999999999999999999999999"}"#, "cut off in the mid"] {
        std::fs::write(&source.checkpoint, unknown).unwrap();
        assert_eq!(source.drain(&clients.streams, noting(&Seen::default())).await.unwrap(), 1, "{unknown}");
    }
}

#[tokio::test]
async fn a_record_that_keeps_failing_is_tried_then_given_up() {
    let (_engines, clients, folder) = things().await;
    for id in ["a", "bad", "c"] {
        put(&clients, "things", id, "1").await;
    }
    let mut source = StreamSource::new("things", "test", folder.path());
    (source.attempts, source.backoff) = (3, Duration::from_millis(1));
    let seen = Seen::default();
    let note = noting(&seen);
    let reporting = |event: Event| {
        let bad = ids(&event).iter().position(|id| id == "bad");
        let number = bad.and_then(|place| event.records[place].change.sequence_number.clone());
        drop(note(event));
        let mut answer = DynamoDbEventResponse::default();
        if let Some(number) = number {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(number);
            answer.batch_item_failures.push(failure);
        }
        async move { Answer::Ok(answer) }
    };
    assert_eq!(source.drain(&clients.streams, reporting).await.unwrap(), 3);
    // The first batch held all three; what comes after a failed record comes again, as on AWS.
    assert_eq!(*seen.lock().unwrap(), ["a", "bad", "c", "bad", "bad", "c"]);
    assert_eq!(source.drain(&clients.streams, noting(&seen)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_failed_batch_is_taken_apart() {
    let (_engines, clients, folder) = things().await;
    for id in ["a", "bad", "c"] {
        put(&clients, "things", id, "1").await;
    }
    let mut source = StreamSource::new("things", "test", folder.path());
    (source.attempts, source.backoff) = (2, Duration::from_millis(1));
    let handled = Seen::default();
    let note = noting(&handled);
    let refusing = |event: Event| {
        let bad = ids(&event).contains(&"bad".to_owned());
        let answer = if bad { Err("injected".into()) } else { note(event).into_inner() };
        async move { answer }
    };
    assert_eq!(source.drain(&clients.streams, refusing).await.unwrap(), 3);
    assert_eq!(*handled.lock().unwrap(), ["a", "c"]);
}

#[tokio::test]
async fn what_expires_is_no_change() {
    let (_engines, clients, folder) = things().await;
    let spec = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build().unwrap();
    let call = clients.dynamodb.update_time_to_live().table_name("things").time_to_live_specification(spec);
    call.send().await.unwrap();
    let source = StreamSource::new("things", "test", folder.path());
    let expired = AttributeValue::N("1700000000".to_owned());
    let call =
        clients.dynamodb.put_item().table_name("things").item("id", text("old")).item("expires", expired);
    call.send().await.unwrap();
    assert_eq!(source.drain(&clients.streams, noting(&Seen::default())).await.unwrap(), 1);
    while exists(&clients, "things", "old").await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(source.drain(&clients.streams, noting(&Seen::default())).await.unwrap(), 0);
    put(&clients, "things", "new", "1").await;
    assert_eq!(source.drain(&clients.streams, noting(&Seen::default())).await.unwrap(), 1);
}

#[tokio::test]
async fn a_loop_follows_a_table_that_comes_later_and_ends_when_told() {
    let (_engines, clients) = engines().await;
    let folder = TempDir::new().unwrap();
    let source = StreamSource::new("later", "test", folder.path());
    let (events, mut received) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let following = source.run(&clients.streams, async { drop(stopped.await) }, |event: Event| {
        events.send(ids(&event)).unwrap();
        async { Answer::Ok(DynamoDbEventResponse::default()) }
    });
    let changing = async {
        table(&clients, "later").await;
        put(&clients, "later", "a", "1").await;
        assert_eq!(received.recv().await.unwrap(), ["a"]);
        put(&clients, "later", "b", "1").await;
        assert_eq!(received.recv().await.unwrap(), ["b"]);
        drop(stop);
    };
    tokio::join!(following, changing);
    assert_eq!(source.drain(&clients.streams, noting(&Seen::default())).await.unwrap(), 0);
}
