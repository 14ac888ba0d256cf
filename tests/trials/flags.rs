//! What people are called for.

use e2e::{Raised, text};
use serde_json::json;

use crate::stage::{HOUR, MINUTE, Stage, event};

/// Somebody resolves, and says how it went.
async fn visit(stage: &Stage, user: &str) {
    let answer = stage.resolve(user).await;
    stage.report(&[event(&answer, &json!({ "success": true }))]).await;
}

/// All users of the canary meet an error.
async fn fail(stage: &Stage) {
    let mut events = Vec::new();
    for user in 0..60 {
        let answer = stage.resolve(&format!("user-{user}")).await;
        events.push(event(&answer, &json!({ "error": answer["variant"] == "canary" })));
    }
    stage.report(&events).await;
}

#[tokio::test]
async fn people_are_called_for_a_canary_that_is_taken_back() {
    let stage = Stage::new(2).await;
    let stages = json!([{ "percent": 50, "min_samples": 5_000, "bake_minutes": 5 }]);
    stage.try_canary(&json!({ "stages": stages })).await.expect(201);
    let raised = Raised::listen();
    fail(&stage).await;
    for _ in 0..3 {
        stage.pass(MINUTE).await;
    }
    assert_eq!(raised.names(), ["trial-flagged"]);
    assert_eq!(stage.production().await["experiment_id"], json!(null));
}

#[tokio::test]
async fn people_are_called_once_for_an_experiment_that_nobody_meets() {
    let stage = Stage::new(2).await;
    stage.experiment(&json!({})).await;
    let raised = Raised::listen();
    visit(&stage, "somebody").await;
    stage.pass(MINUTE).await;
    stage.pass(23 * HOUR).await;
    assert!(raised.names().is_empty(), "{:?}", raised.names());
    for _ in 0..3 {
        stage.pass(HOUR).await;
    }
    assert_eq!(raised.names(), ["trial-flagged"]);
    visit(&stage, "another").await;
    stage.pass(MINUTE).await;
    for _ in 0..26 {
        stage.pass(HOUR).await;
    }
    assert_eq!(raised.names(), ["trial-flagged"; 2], "it went well, and then it did not again");
}

#[tokio::test]
async fn people_are_called_once_for_a_canary_that_waits_in_vain_or_that_they_must_end() {
    let stage = Stage::new(2).await;
    let stages = json!([{ "percent": 50, "min_samples": 5_000, "bake_minutes": 5 }]);
    let canary = stage.try_canary(&json!({ "stages": stages, "auto_rollback": false })).await.expect(201);
    let raised = Raised::listen();
    for _ in 0..50 {
        stage.pass(HOUR).await;
    }
    assert_eq!(raised.names(), ["trial-flagged"]);
    fail(&stage).await;
    for _ in 0..3 {
        stage.pass(MINUTE).await;
    }
    assert_eq!(raised.names(), ["trial-flagged"; 2]);
    let found = stage.get(&format!("/api/rollouts/{}", text(&canary["rollout_id"]))).await;
    assert_eq!((&found["status"], &found["flags"]), (&json!("active"), &json!(["breached"])));
}
