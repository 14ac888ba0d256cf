//! Events of queues and streams on their way through a function: what it gets is what the source made.

use aws_lambda_events::event::{
    dynamodb::Event,
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};

use super::*;
use crate::{
    event_source::{Failure, QueueSource, StreamSource},
    fixture::{engines, put, queue, send, table},
};

#[tokio::test]
async fn a_batch_of_a_queue() {
    let (_engines, clients) = engines().await;
    let source = QueueSource::new(queue(&clients, "work").await);
    for body in ["good", "bad"] {
        send(&clients, &source.queue_url, body).await;
    }
    let scene = Scene::new(SLEEPER, 1);
    let process = scene.process().await;
    let handler = async |event: SqsEvent| {
        let failing = async {
            let (id, seen) = process.next().await;
            assert_eq!(serde_json::from_value::<SqsEvent>(seen).unwrap(), event);
            let bad = event.records.iter().find(|message| message.body.as_deref() == Some("bad"));
            let bad = bad.and_then(|message| message.message_id.as_deref());
            process.post(&id, "response", json!({ "batchItemFailures": [{ "itemIdentifier": bad }] })).await;
        };
        let (answer, ()) = join!(scene.function.invoke(serde_json::to_value(&event)?), failing);
        Ok::<SqsBatchResponse, Failure>(serde_json::from_value(answer?)?)
    };
    assert_eq!(source.drain_once(&clients.sqs, handler).await.unwrap(), 2);
    let left = source.drain_once(&clients.sqs, async |event: SqsEvent| {
        assert_eq!(event.records[0].body.as_deref(), Some("bad"));
        Ok::<_, Failure>(SqsBatchResponse::default())
    });
    assert_eq!(left.await.unwrap(), 1);
}

#[tokio::test]
async fn a_batch_of_a_stream() {
    let (_engines, clients) = engines().await;
    table(&clients, "things").await;
    for value in ["1", "2"] {
        put(&clients, "things", "a", value).await;
    }
    let scene = Scene::new(SLEEPER, 1);
    let process = Arc::new(scene.process().await);
    let source = StreamSource::new("things", "reader", scene.folder.path());
    let handler = |event: Event| {
        let (function, process) = (scene.function.clone(), process.clone());
        async move {
            let payload = serde_json::to_value(&event)?;
            let (answer, seen) =
                join!(function.invoke(payload), process.respond(json!({ "batchItemFailures": [] })));
            assert_eq!(serde_json::from_value::<Event>(seen).unwrap(), event);
            assert_eq!(event.records.len(), 2);
            Ok::<DynamoDbEventResponse, Failure>(serde_json::from_value(answer?)?)
        }
    };
    assert_eq!(source.drain(&clients.streams, handler).await.unwrap(), 2);
    assert_eq!(source.drain(&clients.streams, handler).await.unwrap(), 0);
}
