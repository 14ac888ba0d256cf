//! Arms that callers name without a token.

use e2e::text;
use serde_json::{Value, json};

use crate::stage::Stage;

fn named(version: &Value, trial: &Value, arm: &str) -> Value {
    json!({ "version_id": version["version_id"], "experiment_id": trial, "variant": arm, "latency_ms": 200 })
}

#[tokio::test]
async fn an_arm_that_does_not_serve_the_version_is_rejected() {
    let stage = Stage::new(2).await;
    let trial = stage.experiment(&json!({})).await["experiment_id"].clone();
    let (_, foreign) = Stage::another(&stage.world, "farewell", 1).await;
    let [first, second] = [&stage.versions[0], &stage.versions[1]];
    let events = [
        named(first, &trial, "A"),
        named(second, &trial, "A"),
        named(second, &trial, "B"),
        named(second, &trial, "C"),
        named(second, &json!("exp_01JD0000000000000000000000"), "B"),
        named(&foreign[0], &trial, "A"),
    ];
    let answer = stage.post("/api/metrics", &json!({ "events": events })).await.expect(202);
    assert_eq!(answer["accepted"], 2);
    let rejected = answer["rejected"].as_array().unwrap();
    let places: Vec<_> = rejected.iter().map(|rejected| rejected["index"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 3, 4, 5]);
    let said = text(&rejected[1]["detail"]);
    assert!(said.contains("`variant`") && said.contains("`C`") && said.contains("token"), "{said}");
}

#[tokio::test]
async fn the_arms_of_a_canary_are_named_too_and_still_after_its_end() {
    let stage = Stage::new(2).await;
    let canary = stage.try_canary(&json!({})).await.expect(201)["rollout_id"].clone();
    let [first, second] = [&stage.versions[0], &stage.versions[1]];
    let events =
        [named(first, &canary, "control"), named(second, &canary, "canary"), named(first, &canary, "canary")];
    let abort = format!("/api/rollouts/{}/abort", text(&canary));
    for _ in 0..2 {
        let answer = stage.post("/api/metrics", &json!({ "events": events })).await.expect(202);
        assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(2), &json!(2)));
        stage.post(&abort, &json!({})).await.expect(200);
    }
}
