//! Between request and counter: costs, what is looked for, and a queue that fails.

use std::time::Duration;

use domain::metric::{Count, Counts};
use e2e::{
    metrics::{Road, Spot, event},
    text,
};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::fault::{Fault, Rule};

async fn counts(road: &Road, version: usize) -> Counts {
    road.total(version).await.counts
}

/// A fault of reading items of the registry of some kinds.
fn on_read(fault: Fault, of: impl Fn(&Key) -> bool + Send + Sync + 'static) -> Rule {
    Rule::on("GetItem", fault).when(move |body| {
        let attribute = |name: &str| body["Key"][name]["S"].as_str().map(str::to_owned);
        Key::of_item(attribute).is_some_and(|key| of(&key))
    })
}

#[tokio::test]
async fn a_cost_that_is_not_given_follows_from_tokens_and_the_catalogue() {
    let road = Road::start(1, 1).await;
    let far = json!({ "template_text": "far", "model_id": "far/away" });
    let prompt = json!({ "prompt_id": road.versions[0].prompt_id });
    let far = road.world.version(&prompt, &far).await;
    let events = [
        road.of_version(0, json!({ "input_tokens": 1000, "output_tokens": 100 })),
        road.of_version(0, json!({ "output_tokens": 10 })),
        road.of_version(0, json!({ "input_tokens": 1000, "cost_usd": 0.5 })),
        road.of_version(0, json!({ "latency_ms": 7 })),
        event(json!({ "version_id": far["version_id"] }), json!({ "input_tokens": 1000 })),
    ];
    road.accept(&json!({ "events": events })).await;
    road.count().await;
    let counts = counts(&road, 0).await;
    let nanos = 1000 * 1000 + 100 * 2000 + 10 * 2000 + 500_000_000;
    assert_eq!((counts.get(Count::CostGiven), counts.get(Count::CostNanos)), (3, nanos));
    let id = text(&far["version_id"]).parse().unwrap();
    let (from, to) = ("2026-11-20".parse().unwrap(), "2026-11-21".parse().unwrap());
    let store = &road.world.registry().store;
    let hours = store.hours(id, &domain::name::production(), from, to).await.unwrap();
    let counts = &hours.values().next().unwrap().counts;
    // A model without a price has no cost, rather than none to pay.
    assert_eq!((counts.get(Count::InputTokens), counts.get(Count::CostGiven)), (1000, 0));
}

#[tokio::test]
async fn five_hundred_events_look_once_for_each_version_and_then_never_again() {
    let road = Road::start(2, 2).await;
    let looked_for = |key: &Key| {
        matches!(key, Key::VersionById(_) | Key::Version(..) | Key::Prompt(_) | Key::SigningKey(_))
    };
    let reads = road.world.faults().add(on_read(Fault::Delay(Duration::ZERO), looked_for));
    let mut events = Vec::new();
    for (number, nonce) in (0..500).zip(0..) {
        let spot = Spot { allocation_version: 1, arm: "A", unit: nonce % 50, nonce };
        let (version, values) = (number % 4, json!({ "latency_ms": number }));
        events.push(match number % 8 {
            0..4 => road.of_version(version, values),
            _ => road.of_spot(version, spot, values).await,
        });
    }
    for _ in 0..3 {
        road.accept(&json!({ "events": events })).await;
        assert_eq!(reads.injected(), 4 * 3, "the place, the prompt and the content of each version");
    }
}

#[tokio::test]
async fn nothing_is_accepted_that_the_queue_does_not_take_or_that_nobody_can_look_for() {
    let road = Road::start(1, 1).await;
    let body = json!({ "events": [road.of_version(0, json!({ "latency_ms": 7 }))] });
    let unread = Fault::Exception("AccessDeniedException");
    let place = |key: &Key| matches!(key, Key::VersionById(_));
    road.world.faults().add(on_read(unread, place).times(1));
    road.report(&body).await.refused(503, "unavailable");
    road.accept(&body).await;
    let source = road.world.metrics_source();
    road.world.clients.sqs.delete_queue().queue_url(source.queue_url).send().await.unwrap();
    let refused = road.report(&body).await;
    refused.refused(503, "unavailable");
    assert!(!refused.text().contains("NonExistentQueue"), "{}", refused.text());
}

#[tokio::test]
async fn a_message_that_does_not_read_fails_alone_and_ends_among_the_dead_letters() {
    let road = Road::start(1, 1).await;
    road.world.send_metrics(&[json!({ "what": "ever" })]).await;
    road.accept(&json!({ "events": [road.of_version(0, json!({ "latency_ms": 7 }))] })).await;
    road.world.send_metrics(&[json!([])]).await;
    let mut steps = 0;
    while road.world.step_metrics().await > 0 {
        steps += 1;
    }
    assert_eq!(steps, 3, "each is tried three times");
    assert_eq!(counts(&road, 0).await.get(Count::LatencyMs), 7);
    let dead: Vec<Value> = road.world.take_dead_metrics().await;
    assert_eq!(dead, [json!({ "what": "ever" }), json!([])]);
}
