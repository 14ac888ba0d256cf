//! What is reported of local answers: it is counted, and nobody waits for it.

use std::time::Duration;

use client::{
    metrics::Outcome,
    resolver::{Counts, Options, Resolver},
};
use domain::allocation::Unit;
use e2e::{Call, text};
use serde_json::{Value, json};

use super::{Beside, SEEN_BY_ALL, ada, by_hand};

fn outcome(latency: f64) -> Outcome {
    Outcome { latency_ms: Some(latency), ..Outcome::default() }
}

fn report(resolver: &Resolver, times: usize) {
    let answer = resolver.resolve("greeter", &Unit::user("ada"), &ada()).unwrap();
    for _ in 0..times {
        resolver.report(&answer, outcome(12.0));
    }
}

/// How many calls of the prompt were counted.
async fn calls(beside: &Beside, prompt: &Value) -> i64 {
    hours(beside, prompt).await.iter().sum()
}

/// The same, for each hour that has any.
async fn hours(beside: &Beside, prompt: &Value) -> Vec<i64> {
    let world = &beside.scene.world;
    while world.step_metrics().await > 0 {}
    let path = format!("/api/prompts/{}/metrics", text(&prompt["prompt_id"]));
    let metrics = world.admin(Call::get(path)).await.expect(200);
    let calls = metrics["data"].as_array().unwrap().iter().map(|row| row["calls"].as_i64().unwrap());
    calls.filter(|calls| *calls > 0).collect()
}

#[tokio::test]
async fn reports_are_sent_in_batches_and_all_count() {
    let beside = Beside::start().await;
    let prompt = beside.scene.greeter("greeter").await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    report(&resolver, 1203);
    resolver.flush().await.unwrap();
    let counts = Counts { accepted: 1203, rejected: 0, dropped: 0 };
    assert_eq!(resolver.status().reports, counts);
    assert_eq!(calls(&beside, &prompt).await, 1203);
}

#[tokio::test]
async fn what_is_reported_while_the_platform_is_away_is_counted_later_in_its_own_hour() {
    let beside = Beside::start().await;
    let prompt = beside.scene.greeter("greeter").await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    beside.is_away(true);
    report(&resolver, 7);
    resolver.flush().await.unwrap_err();
    beside.scene.world.clock.advance(Duration::from_hours(3));
    report(&resolver, 5);
    resolver.flush().await.unwrap_err();
    beside.is_away(false);
    resolver.flush().await.unwrap();
    assert_eq!(resolver.status().reports.accepted, 12);
    assert_eq!(hours(&beside, &prompt).await, [7, 5]);
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_neither_blocks_nor_fails() {
    let beside = Beside::start().await;
    beside.scene.greeter("greeter").await;
    let resolver = beside.resolver(Options { most_reports: 10, ..by_hand() }).await.unwrap();
    beside.is_away(true);
    report(&resolver, 100_000);
    assert_eq!(resolver.status().reports.dropped, 99_990);
    beside.is_away(false);
    resolver.flush().await.unwrap();
    assert_eq!(resolver.status().reports.accepted, 10);
}

#[tokio::test]
async fn what_the_platform_will_not_count_is_told_and_not_sent_for_ever() {
    let beside = Beside::start().await;
    beside.scene.greeter("greeter").await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    let answer = resolver.resolve("greeter", &Unit::NOBODY, &ada()).unwrap();
    resolver.report(&answer, outcome(-1.0));
    resolver.report(&answer, outcome(1.0));
    resolver.flush().await.unwrap();
    assert_eq!(resolver.status().reports, Counts { accepted: 1, rejected: 1, dropped: 0 });
}

#[tokio::test]
async fn with_an_experiment_they_count_for_the_version_and_not_for_the_arm() {
    let beside = Beside::start().await;
    let (scene, world) = (&beside.scene, &beside.scene.world);
    let prompt = scene.greeter("greeter").await;
    let other = scene.version(&prompt, r#"{"template_text": "Hi {{ name }}"}"#).await;
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    let live = world.admin(Call::get(format!("{path}/environments/production"))).await.expect(200);
    let variants = [&live, &other].map(|version| json!({ "version_id": version["version_id"] }));
    let trial = Call::post(format!("{path}/experiments"), &json!({ "variants": variants }));
    let trial = world.admin(trial).await.expect(201);
    world.clock.advance(SEEN_BY_ALL);
    let resolver = beside.resolver(by_hand()).await.unwrap();
    let answer = resolver.resolve("greeter", &Unit::user("ada"), &ada()).unwrap();
    let assignment = answer.assignment.as_ref().unwrap();
    assert_eq!(assignment.trial.to_string(), text(&trial["experiment_id"]));
    resolver.report(&answer, outcome(1.0));
    resolver.flush().await.unwrap();
    assert_eq!(resolver.status().reports, Counts { accepted: 1, rejected: 0, dropped: 0 });
    assert_eq!(calls(&beside, &prompt).await, 1);
    let trial = world.admin(Call::get(format!("/api/experiments/{}", text(&trial["experiment_id"])))).await;
    let exposures: Vec<_> = trial.expect(200)["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| arm["exposures"].clone())
        .collect();
    assert_eq!(exposures, [0, 0], "only a token proves which unit met the arm");
}
