//! Tests of the poller of queues, over the embedded engine.

use std::sync::Mutex;

use aws_sdk_sqs::types::QueueAttributeName;
use tokio::sync::{Barrier, mpsc, oneshot};

use super::*;
use crate::{
    Clients,
    fixture::{engines, queue, queue_with_dead_letters, send},
};

type Answer = Result<SqsBatchResponse, Failure>;

fn bodies(event: &SqsEvent) -> Vec<String> {
    event.records.iter().filter_map(|message| message.body.clone()).collect()
}

/// Reports every message whose body is this as failed.
fn failing(event: &SqsEvent, body: &str) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    for message in event.records.iter().filter(|message| message.body.as_deref() == Some(body)) {
        answer.add_failure(message.message_id.clone().unwrap());
    }
    answer
}

/// Every message of the queue, visible or not.
async fn left(clients: &Clients, url: &str) -> Vec<String> {
    let call = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let attributes = call.send().await.unwrap().attributes.unwrap();
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    names.iter().map(|name| attributes[name].clone()).collect()
}

#[tokio::test]
async fn only_what_failed_comes_again() {
    let (_engines, clients) = engines().await;
    let source = QueueSource::new(queue(&clients, "work").await);
    for body in ["good", "bad", "fine"] {
        send(&clients, &source.queue_url, body).await;
    }
    let seen = Mutex::new(Vec::new());
    let handler = |event: SqsEvent| {
        seen.lock().unwrap().push(bodies(&event));
        let answer = failing(&event, "bad");
        async move { Answer::Ok(answer) }
    };
    assert_eq!(source.drain_once(&clients.sqs, handler).await.unwrap(), 3);
    assert_eq!(source.drain_once(&clients.sqs, handler).await.unwrap(), 1);
    assert_eq!(*seen.lock().unwrap(), [vec!["good", "bad", "fine"], vec!["bad"]]);

    let last = source.drain_once(&clients.sqs, async |event: SqsEvent| {
        assert_eq!(event.records[0].attributes["ApproximateReceiveCount"], "3");
        assert_eq!(
            event.records[0].event_source_arn.as_deref(),
            Some("arn:aws:sqs:us-east-1:000000000000:work")
        );
        Answer::Ok(SqsBatchResponse::default())
    });
    assert_eq!(last.await.unwrap(), 1);
    assert_eq!(left(&clients, &source.queue_url).await, ["0", "0"]);
}

#[tokio::test]
async fn an_error_or_an_unknown_id_fails_the_whole_batch() {
    let (_engines, clients) = engines().await;
    let source = QueueSource::new(queue(&clients, "work").await);
    send(&clients, &source.queue_url, "a").await;
    send(&clients, &source.queue_url, "b").await;
    let error = async |_: SqsEvent| Answer::Err("injected".into());
    assert_eq!(source.drain_once(&clients.sqs, error).await.unwrap(), 2);
    let unknown = async |_: SqsEvent| {
        let mut answer = SqsBatchResponse::default();
        answer.add_failure("nobody");
        Answer::Ok(answer)
    };
    assert_eq!(source.drain_once(&clients.sqs, unknown).await.unwrap(), 2);
    assert_eq!(left(&clients, &source.queue_url).await, ["2", "0"]);
}

#[tokio::test]
async fn what_fails_too_often_becomes_a_dead_letter() {
    let (_engines, clients) = engines().await;
    let dead = QueueSource::new(queue(&clients, "work-dead").await);
    let url = queue_with_dead_letters(&clients, "work", "work-dead", 2).await;
    let source = QueueSource { retry_after: Duration::ZERO, ..QueueSource::new(url) };
    send(&clients, &source.queue_url, "bad").await;

    let (attempts, mut tried) = mpsc::unbounded_channel();
    let (letters, mut lettered) = mpsc::unbounded_channel();
    let working = source.run(&clients.sqs, std::future::pending(), |event: SqsEvent| {
        attempts.send(bodies(&event)).unwrap();
        async { Answer::Err("injected".into()) }
    });
    let dead = dead.run(&clients.sqs, std::future::pending(), |event: SqsEvent| {
        letters.send(bodies(&event)).unwrap();
        async { Answer::Ok(SqsBatchResponse::default()) }
    });
    tokio::select! {
        () = working => panic!("ended without a stop"),
        () = dead => panic!("ended without a stop"),
        letter = lettered.recv() => assert_eq!(letter.unwrap(), ["bad"]),
    }
    tried.close();
    assert_eq!(
        (tried.recv().await, tried.recv().await),
        (Some(vec!["bad".to_owned()]), Some(vec!["bad".to_owned()]))
    );
    assert_eq!(tried.recv().await, None);
}

#[tokio::test]
async fn as_many_batches_run_at_once_as_allowed() {
    let (_engines, clients) = engines().await;
    let url = queue(&clients, "work").await;
    let source = QueueSource { batch_size: 1, concurrency: 2, ..QueueSource::new(url) };
    for body in ["1", "2", "3", "4"] {
        send(&clients, &source.queue_url, body).await;
    }
    let under_way = Arc::new(Mutex::new((0, 0)));
    let pairs = Arc::new(Barrier::new(2));
    let (ended, mut endings) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = source.run(&clients.sqs, async { drop(stopped.await) }, |_: SqsEvent| {
        let (under_way, pairs, ended) = (under_way.clone(), pairs.clone(), ended.clone());
        async move {
            {
                let mut count = under_way.lock().unwrap();
                *count = (count.0 + 1, count.1.max(count.0 + 1));
            }
            // Nobody passes alone, so each pair was under way at one time.
            pairs.wait().await;
            under_way.lock().unwrap().0 -= 1;
            ended.send(()).unwrap();
            Answer::Ok(SqsBatchResponse::default())
        }
    });
    let watching = async {
        for _ in 0..4 {
            endings.recv().await.unwrap();
        }
        drop(stop);
    };
    tokio::join!(running, watching);
    assert_eq!(under_way.lock().unwrap().1, 2);
    assert_eq!(left(&clients, &source.queue_url).await, ["0", "0"]);
}

#[tokio::test]
async fn a_stop_waits_for_what_is_in_flight() {
    let (_engines, clients) = engines().await;
    let source = QueueSource::new(queue(&clients, "work").await);
    send(&clients, &source.queue_url, "slow").await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = source.run(&clients.sqs, async { drop(stopped.await) }, |_: SqsEvent| {
        begun.send(()).unwrap();
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Answer::Ok(SqsBatchResponse::default())
        }
    });
    let stopping = async {
        begins.recv().await.unwrap();
        assert_eq!(source.left(&clients.sqs).await.unwrap(), 1);
        drop(stop);
    };
    tokio::join!(running, stopping);
    assert_eq!(source.left(&clients.sqs).await.unwrap(), 0);
}
