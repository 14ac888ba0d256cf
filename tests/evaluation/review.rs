//! People who decide: reviews of what was too close to call, and approvals.

use std::time::Duration;

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::lab::{Lab, any_size, cases, echo, members, run_path};

/// A version that went to a person, and the key of a releaser who may decide.
async fn undecided(lab: &Lab, name: &str) -> (Value, String) {
    let version = lab.version(name, &cases(15, 5)).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "manual_review");
    (version, lab.world.key("support", "releaser").await)
}

fn review(version: &Value, decision: &str) -> Call {
    Call::post(run_path(version, "/review"), &json!({ "decision": decision, "reason": "I read the cases." }))
}

async fn promote(lab: &Lab, version: &Value) -> e2e::Answer {
    lab.world.promote(&json!({ "prompt_id": version["prompt_id"] }), version, "production").await
}

#[tokio::test]
async fn a_releaser_lets_through_what_was_too_close_to_call() {
    let lab = Lab::new(echo).await;
    let (version, releaser) = undecided(&lab, "close").await;
    promote(&lab, &version).await.refused(409, "review-needed");
    let once = review(&version, "approve").key(&releaser).header("idempotency-key", "once");
    let reviewed = lab.world.call(once.clone()).await.expect(200);
    assert_eq!(
        members(&reviewed, &["eval_run_id", "gate_result"]),
        json!([version["eval_run_id"], "manual_review"])
    );
    let again = lab.world.call(once).await;
    assert_eq!((again.expect(200), again.header("idempotency-replayed")), (reviewed, "true"));
    lab.world.call(review(&version, "reject").key(&releaser)).await.refused(409, "conflict");

    let found = lab.get(&format!("/api/versions/{}", text(&version["version_id"]))).await;
    assert_eq!(found["eval_status"], "passed");
    let decided = members(&found["review"], &["eval_run_id", "approved", "reason"]);
    assert_eq!(decided, json!([version["eval_run_id"], true, "I read the cases."]));
    let path = format!("/api/audit?prompt_id={}&limit=100", text(&version["prompt_id"]));
    let audit = lab.get(&path).await;
    let reviews =
        audit["data"].as_array().unwrap().iter().filter(|entry| entry["action"] == "evaluation_reviewed");
    let [entry] = reviews.collect::<Vec<_>>()[..] else { panic!("not one review: {audit}") };
    assert_eq!(
        members(entry, &["reason", "before"]),
        json!(["I read the cases.", { "eval_status": "manual_review" }])
    );
    assert_eq!(members(&entry["after"], &["eval_status", "approved"]), json!(["passed", true]));
    assert_eq!(found["review"]["by"], entry["actor"]["id"]);
    promote(&lab, &version).await.expect(200);
}

#[tokio::test]
async fn what_waits_is_listed_until_it_is_decided_whatever_ended_since() {
    let lab = Lab::new(echo).await;
    let waiting = async || {
        let listed = lab.get("/api/evals?status=waiting&limit=100").await;
        listed["data"].as_array().unwrap().iter().map(|run| run["eval_run_id"].clone()).collect::<Vec<_>>()
    };
    let (first, releaser) = undecided(&lab, "first").await;
    let (second, _) = undecided(&lab, "second").await;
    let other = lab.version("other", &cases(1, 0)).await;
    lab.finished(&other).await;
    let again = format!("/api/versions/{}/evals", text(&other["version_id"]));
    for _ in 0..3 {
        lab.world.clock.advance(Duration::from_millis(1));
        lab.post(&again, &json!({}), 202).await;
        lab.world.work().await;
    }
    let [one, two] = [&first, &second].map(|version| version["eval_run_id"].clone());
    assert_eq!(waiting().await, [two.clone(), one.clone()], "the newest first");
    let path = "/api/evals?status=waiting";
    let foreign = lab.world.key("growth", "author").await;
    assert_eq!(lab.world.call(Call::get(path).key(&foreign)).await.expect(200)["data"], json!([]));

    lab.world.call(review(&first, "reject").key(&releaser)).await.expect(200);
    assert_eq!(waiting().await, [two]);
    let prompt = format!("/api/prompts/{}", text(&second["prompt_id"]));
    lab.world.admin(Call::delete(&prompt)).await.expect(200);
    assert!(waiting().await.is_empty(), "nobody decides on what is archived");
    lab.post(&format!("{prompt}/restore"), &json!({}), 200).await;
    lab.post(&format!("/api/versions/{}/evals", text(&second["version_id"])), &json!({}), 202).await;
    assert!(waiting().await.is_empty(), "a newer run decides");
}

#[tokio::test]
async fn what_a_releaser_rejects_has_failed() {
    let lab = Lab::new(echo).await;
    let (version, releaser) = undecided(&lab, "rejected").await;
    lab.world.call(review(&version, "reject").key(&releaser)).await.expect(200);
    assert_eq!(lab.status(&version).await, "failed");
    promote(&lab, &version).await.refused(409, "gate-failed");
    lab.world.call(review(&version, "approve").key(&releaser)).await.refused(409, "conflict");
}

#[tokio::test]
async fn nobody_decides_on_their_own_version_without_the_role_or_without_a_reason() {
    let lab = Lab::new(echo).await;
    let prompt = lab.prompt("own", &cases(15, 5)).await;
    let releaser = lab.world.key("support", "releaser").await;
    let path = format!("/api/prompts/{}/versions", text(&prompt["prompt_id"]));
    let content = json!({ "template_text": "{{ message }}", "model_id": "test/model" });
    let version = lab.world.call(Call::post(path, &content).key(&releaser)).await.expect(201);
    lab.world.work().await;
    lab.world.call(review(&version, "approve").key(&releaser)).await.refused(403, "forbidden");
    // A key that took its place is in the same hand.
    let rotate = format!("/api/keys/key_{}/rotate", releaser.split('_').nth(1).unwrap());
    let successor = lab.world.admin(Call::post(rotate, &json!({}))).await.expect(201);
    let successor = text(&successor["secret"]);
    lab.world.call(review(&version, "approve").key(successor)).await.refused(403, "forbidden");
    let author = lab.world.key("support", "author").await;
    lab.world.call(review(&version, "approve").key(&author)).await.refused(403, "forbidden");
    let foreign = lab.world.key("growth", "releaser").await;
    lab.world.call(review(&version, "approve").key(&foreign)).await.refused(404, "not-found");
    let wordless = json!({ "decision": "approve", "reason": " " });
    lab.world.admin(Call::post(run_path(&version, "/review"), &wordless)).await.refused(422, "invalid");
    assert_eq!(lab.status(&version).await, "manual_review");
    lab.world.admin(review(&version, "approve")).await.expect(200);
    assert_eq!(lab.status(&version).await, "passed");
}

#[tokio::test]
async fn only_the_run_that_the_version_waits_for_is_reviewed() {
    let lab = Lab::new(echo).await;
    let (version, releaser) = undecided(&lab, "anew").await;
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let newer = lab.post(&path, &json!({}), 202).await;
    lab.world.call(review(&version, "approve").key(&releaser)).await.refused(409, "conflict");
    assert_eq!(lab.finished(&newer).await["gate_result"], "manual_review");
    lab.world.call(review(&version, "approve").key(&releaser)).await.refused(409, "conflict");
    lab.world.call(review(&newer, "approve").key(&releaser)).await.expect(200);
    let clear = lab.version("clear", &cases(20, 0)).await;
    lab.world.work().await;
    lab.world.call(review(&clear, "reject").key(&releaser)).await.refused(409, "conflict");
    assert_eq!(lab.status(&clear).await, "passed");
}

/// A version that passes in a prompt whose gate asks for more.
async fn passed(lab: &Lab, name: &str, more: &Value) -> Value {
    let mut gate = any_size();
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let set = lab.test_set(&cases(20, 0)).await;
    let prompt = lab.world.prompt("support", name, &json!({ "test_set_id": set, "gate": gate })).await;
    let version = lab.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "pass");
    version
}

#[tokio::test]
async fn where_the_gate_asks_for_approval_somebody_else_gives_it_for_that_environment() {
    let lab = Lab::new(echo).await;
    let version = passed(&lab, "approved", &json!({ "require_approval": true })).await;
    let approve = |environment: &str| {
        let path = format!("/api/versions/{}/approvals", text(&version["version_id"]));
        Call::post(path, &json!({ "environment": environment, "reason": "It reads well." }))
    };
    promote(&lab, &version).await.refused(409, "approval-needed");
    lab.world.admin(approve("production")).await.refused(403, "forbidden");
    let author = lab.world.key("support", "author").await;
    lab.world.call(approve("production").key(&author)).await.refused(403, "forbidden");
    promote(&lab, &version).await.refused(409, "approval-needed");
    let releaser = lab.world.key("support", "releaser").await;
    lab.world.call(approve("staging").key(&releaser)).await.expect(201);
    promote(&lab, &version).await.refused(409, "approval-needed");
    let shown = lab.world.call(approve("production").key(&releaser)).await.expect(201);
    assert_eq!(shown["approvals"].as_array().unwrap().len(), 2);
    promote(&lab, &version).await.expect(200);
}

#[tokio::test]
async fn where_the_gate_asks_for_staging_first_production_comes_second() {
    let lab = Lab::new(echo).await;
    let version = passed(&lab, "staged", &json!({ "require_staging_first": true })).await;
    promote(&lab, &version).await.refused(409, "staging-needed");
    let prompt = json!({ "prompt_id": version["prompt_id"] });
    lab.world.promote(&prompt, &version, "staging").await.expect(200);
    promote(&lab, &version).await.expect(200);
}
