//! What the arms of a trial came to, by the hour.

use std::collections::BTreeMap;

use e2e::text;
use serde_json::{Value, json};

use crate::stage::{HOUR, Stage, event};

/// The calls of each arm, by its key and the number of its version.
async fn calls(stage: &Stage, trial: &Value) -> BTreeMap<(String, u64), i64> {
    let shown = stage.get(&stage.path("/metrics?group_by=variant")).await;
    let rows = shown["data"].as_array().unwrap().iter().filter(|row| row["experiment_id"] == *trial);
    let mut calls = BTreeMap::new();
    for row in rows {
        let arm = (text(&row["variant"]).to_owned(), row["version_number"].as_u64().unwrap());
        *calls.entry(arm).or_default() += row["calls"].as_i64().unwrap();
    }
    calls
}

/// So many users call; returns how many met the arm of this key.
async fn visit(stage: &Stage, users: usize, key: &str) -> i64 {
    let mut events = Vec::new();
    let mut met = 0;
    for user in 0..users {
        let answer = stage.resolve(&format!("user-{user}")).await;
        met += i64::from(answer["variant"] == key);
        events.push(event(&answer, &json!({ "latency_ms": 200 })));
    }
    stage.report(&events).await;
    met
}

#[tokio::test]
async fn variants_are_told_apart_while_their_trial_runs() {
    let stage = Stage::new(2).await;
    let before = stage.get(&stage.path("/metrics?group_by=variant")).await;
    assert_eq!(before["data"], json!([]));
    let experiment = stage.experiment(&json!({})).await["experiment_id"].clone();
    let of_b = visit(&stage, 40, "B").await;
    let arm = |key: &str, version| (key.to_owned(), version);
    let counted = BTreeMap::from([(arm("A", 1), 40 - of_b), (arm("B", 2), of_b)]);
    assert_eq!(calls(&stage, &experiment).await, counted);

    let stop = format!("/api/experiments/{}/stop", text(&experiment));
    stage.post(&stop, &json!({ "reason": "seen enough" })).await.expect(200);
    stage.world.clock.advance(2 * HOUR);
    visit(&stage, 10, "B").await;
    assert_eq!(calls(&stage, &experiment).await, counted, "what came after it is none of its");

    let half = json!({ "stages": [{ "percent": 50, "min_samples": 500, "bake_minutes": 60 }] });
    let canary = stage.try_canary(&half).await.expect(201)["rollout_id"].clone();
    let of_canary = visit(&stage, 40, "canary").await;
    assert_eq!(calls(&stage, &canary).await[&arm("canary", 2)], of_canary);
    assert_eq!(calls(&stage, &experiment).await, counted);
}
