//! What a million events cost: items written, for batches of a hundred over twenty versions.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::metric::{Count, Message};
use e2e::{Dice, any_seed};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::road::Road;

const BATCH: usize = 100;

/// As many messages as Lambda hands over at once (template.yaml).
const MESSAGES: usize = 200;

/// The targets' figure.
const MOST_WRITES: usize = 20_000;

#[tokio::test]
async fn a_million_events_in_batches_of_100_over_20_versions_write_fewer_than_20_000_items() {
    let dice = Dice::new(any_seed());
    let road = Road::start(4, 5).await;
    for batch in 0..MESSAGES {
        let event = |_| {
            let tokens = dice.below(2000);
            let values = json!({
                "latency_ms": dice.below(5000), "input_tokens": tokens, "output_tokens": tokens / 4,
                "error": dice.once_in(50), "user_rating": 1 + dice.below(5),
            });
            road.of_version(dice.below(20), values)
        };
        let events: Vec<Value> = (0..BATCH).map(event).collect();
        road.accept(&json!({ "batch_id": format!("{batch}"), "events": events })).await;
    }
    let messages = road.world.take_metrics().await;
    assert_eq!(messages.len(), MESSAGES);
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let count = move |body: &Value| {
        counter.fetch_add(body["TransactItems"].as_array().map_or(0, Vec::len), Ordering::Relaxed);
        false
    };
    road.world.faults().add(Rule::on("TransactWriteItems", Fault::Conflict).when(count));
    let answer = rollup::handle(event(&messages), &road.world.rollup()).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    let events = MESSAGES * BATCH;
    let mut calls = 0;
    for version in 0..20 {
        calls += road.total(version).await.counts.get(Count::Calls);
    }
    assert_eq!(calls, i64::try_from(events).unwrap());
    let written = written.load(Ordering::Relaxed);
    let of_a_million = written * 1_000_000 / events;
    println!("{events} events wrote {written} items: {of_a_million} for a million");
    assert!((1..MOST_WRITES).contains(&of_a_million), "{of_a_million}");
}

/// Messages as Lambda hands them over.
fn event(messages: &[Message]) -> SqsEvent {
    let record = |(at, message): (usize, &Message)| {
        let mut record = SqsMessage::default();
        record.message_id = Some(at.to_string());
        record.body = Some(serde_json::to_string(message).unwrap());
        record
    };
    let mut event = SqsEvent::default();
    event.records = messages.iter().enumerate().map(record).collect();
    event
}
