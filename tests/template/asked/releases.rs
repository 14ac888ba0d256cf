//! What goes live and back: over HTTP, and past the gateway.

use std::time::Duration;

use e2e::{ADMIN, text};
use serde_json::json;

use super::{stage::Stage, written::Written};

pub(super) async fn play(stage: &mut Stage, written: &Written) {
    let authoring = stage.acting("authoring");
    authoring.promote(&written.prompt, &written.versions[0], "production").await.expect(200);
    let prompt = authoring.prompt("support", "moved", &json!({})).await;
    let mut versions = Vec::new();
    for words in ["one", "two"] {
        authoring.clock.advance(Duration::from_millis(1));
        let version = authoring.version(&prompt, &json!({ "template_text": words })).await;
        authoring.promote(&prompt, &version, "production").await.expect(200);
        versions.push(version);
    }

    stage.hinder("authoring");
    let authoring = stage.acting("authoring");
    authoring.roll_back(&prompt, "production").await.expect(200);
    authoring.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    authoring.promote(&prompt, &versions[1], "production").await.expect(200);
    for list in ["/api/prompts?team_id=support", "/api/prompts", "/api/teams", "/api/keys?team_id=support"] {
        stage.get(list).await;
    }
    stage.get(format!("/api/prompts/{}/history", text(&prompt["prompt_id"]))).await;

    stage.hinder("rollback");
    let rollback = stage.acting("rollback").process.rollback.clone();
    let event = json!({ "prompt": "moved", "environment": "production", "reason": "fire", "api_key": ADMIN });
    for status in [200, 409] {
        let answer = rollback::handle(event.clone(), "request", &rollback).await;
        assert_eq!(answer["status"], status, "{answer}");
    }
    stage.acting("authoring").promote(&prompt, &versions[1], "production").await.expect(200);
}
