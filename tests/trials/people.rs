//! What people do to experiments that run.

use std::time::Duration;

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::stage::Stage;

async fn read(stage: &Stage, experiment: &Value) -> Value {
    stage.get(&format!("/api/experiments/{}", text(&experiment["experiment_id"]))).await
}

async fn stop(stage: &Stage, experiment: &Value, body: &Value) -> e2e::Answer {
    stage.post(&format!("/api/experiments/{}/stop", text(&experiment["experiment_id"])), body).await
}

/// After memory's bound, nobody is on an arm any more.
async fn assert_served(stage: &Stage, version: usize) {
    stage.world.clock.advance(Duration::from_secs(1));
    for user in 0..20 {
        let answer = stage.resolve(&format!("user-{user}")).await;
        assert_eq!(answer["version_id"], stage.versions[version]["version_id"]);
        assert_eq!((&answer["experiment_id"], &answer["variant"]), (&json!(null), &json!(null)));
    }
}

#[tokio::test]
async fn stopping_keeps_the_control() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({})).await;
    let stopped = stop(&stage, &running, &json!({ "reason": "the campaign is over" })).await.expect(200);
    assert_eq!((&stopped["status"], &stopped["outcome"]), (&json!("stopped"), &json!(null)));
    assert!(text(&stopped["decision"]["reasons"][0]).contains("the campaign is over"), "{stopped}");
    assert!(stopped["end_date"].is_string());
    assert_served(&stage, 0).await;
    stop(&stage, &running, &json!({})).await.refused(409, "conflict");
    assert_eq!(stage.steer().await, 0, "what has ended is not steered");
    assert_eq!(stage.actions().await[0], "experiment_ended");
    assert_eq!(stage.moves().await, ["experiment_ended", "experiment_started", "promoted"]);
    stage.experiment(&json!({})).await;
}

#[tokio::test]
async fn stopping_with_a_winner_promotes_it() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({})).await;
    let stranger = json!({ "winner_version_id": "ver_01JD0000000000000000000000" });
    let problem = stop(&stage, &running, &stranger).await.refused(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/winner_version_id");
    let winner = json!({ "winner_version_id": stage.id(1), "reason": "people love it" });
    let stopped = stop(&stage, &running, &winner).await.expect(200);
    assert_eq!(stopped["winner_version_id"], stage.versions[1]["version_id"]);
    assert_served(&stage, 1).await;
    assert_eq!(stage.actions().await[0], "promoted");
    let back = stage.world.roll_back(&stage.prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], stage.versions[0]["version_id"]);
}

#[tokio::test]
async fn a_rollback_ends_it_and_keeps_its_control() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({})).await;
    let back = stage.world.roll_back(&stage.prompt, "production").await.expect(200);
    assert_eq!(back["stopped_experiment_id"], running["experiment_id"]);
    assert_eq!(back["production_version_id"], stage.versions[0]["version_id"]);
    assert_served(&stage, 0).await;
    assert_eq!(read(&stage, &running).await["status"], "stopped");
    assert_eq!(stage.production().await["automation_held"], true);
    let history = stage.get(&stage.path("/history")).await;
    assert_eq!(history["data"][0]["action"], "rolled_back");
}

#[tokio::test]
async fn a_rollback_to_a_target_ends_it_too_and_says_the_same_when_it_is_repeated() {
    let stage = Stage::new(2).await;
    stage.world.promote(&stage.prompt, &stage.versions[1], "production").await.expect(200);
    let body = json!({ "variants": [{ "version_id": stage.id(1) }, { "version_id": stage.id(0) }] });
    let running = stage.post(&stage.path("/experiments"), &body).await.expect(201);
    let wish = json!({ "environment": "production", "target_version_id": stage.id(0) });
    let call = || Call::post(stage.path("/rollback"), &wish).header("idempotency-key", "back");
    for _ in 0..2 {
        let back = stage.world.admin(call()).await.expect(200);
        assert_eq!(back["stopped_experiment_id"], running["experiment_id"]);
        assert_eq!(back["production_version_id"], stage.versions[0]["version_id"]);
    }
    assert_served(&stage, 0).await;
}

#[tokio::test]
async fn archiving_ends_it() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({})).await;
    stage.delete(&stage.path("")).await.expect(200);
    let ended = read(&stage, &running).await;
    assert_eq!(ended["status"], "stopped");
    stage.post(&stage.path("/restore"), &json!({})).await.expect(200);
    let moves = ["prompt_restored", "prompt_archived", "experiment_started", "promoted"];
    assert_eq!(stage.moves().await, moves, "archiving is what ended it");
    assert_served(&stage, 0).await;
}

#[tokio::test]
async fn an_override_ends_it_and_promotes() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({})).await;
    let wish =
        json!({ "version_id": stage.id(1), "environment": "production", "override": { "reason": "now" } });
    stage.post(&stage.path("/promote"), &wish).await.expect(200);
    assert_eq!(read(&stage, &running).await["status"], "stopped");
    assert_served(&stage, 1).await;
}

#[tokio::test]
async fn a_lock_and_overrides_leave_it_running() {
    let stage = Stage::new(2).await;
    stage.experiment(&json!({})).await;
    let lock = stage.path("/environments/production/lock");
    stage.world.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    let overrides = stage.path("/environments/production/overrides");
    stage.world.admin(Call::put(&overrides, &json!({ "temperature": 0.1 }))).await.expect(200);
    stage.world.clock.advance(Duration::from_secs(1));
    let served: std::collections::BTreeSet<String> = {
        let mut served = std::collections::BTreeSet::new();
        for user in 0..30 {
            served.insert(text(&stage.resolve(&format!("user-{user}")).await["variant"]).to_owned());
        }
        served
    };
    assert_eq!(served.into_iter().collect::<Vec<_>>(), ["A", "B"]);
}
