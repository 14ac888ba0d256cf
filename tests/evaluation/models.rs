//! Other models: a version goes live on one only after it has passed there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use e2e::{Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members, model, run_path};

/// So many cases that twenty forgotten ones are surely worse, and …
const MANY: usize = 60;

/// … so few that none is not surely as good: a person decides.
const FEW: usize = 20;

/// A version that is live on `test/model`; `test/other` knows all that it knows, `test/weak` forgets twenty cases.
async fn live(count: usize) -> (Lab, Value) {
    live_beside(count, |_| false).await
}

/// The same where `test/other` forgets them too while this says so.
async fn live_beside(count: usize, unwell: impl Fn(&str) -> bool + Send + Sync + 'static) -> (Lab, Value) {
    let provider = ScriptedProvider::start(move |call| {
        let number: u32 = call.user().rsplit(' ').next().unwrap().parse().unwrap();
        let forgets = call.model == "test/weak" || unwell(&call.model);
        if forgets && number <= 20 { Reply::Answer("no".to_owned()) } else { echo(call) }
    })
    .unwrap();
    let builtin = ["test/model", "test/other", "test/weak"].map(|id| model(id, &provider)).to_vec();
    let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let version = lab.version("moving", &cases(count, 0)).await;
    lab.finished(&version).await;
    lab.world.promote(&version, &version, "production").await.expect(200);
    (lab, version)
}

/// Makes production use this model.
fn use_model(version: &Value, model_id: &str) -> Call {
    let path = format!("/api/prompts/{}/environments/production/overrides", text(&version["prompt_id"]));
    Call::put(path, &json!({ "model_id": model_id }))
}

async fn queued(lab: &Lab, version: &Value, model_id: &str) -> Value {
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    lab.post(&path, &json!({ "model_id": model_id }), 202).await
}

async fn evaluated(lab: &Lab, version: &Value, model_id: &str) -> Value {
    let run = queued(lab, version, model_id).await;
    lab.finished(&run).await
}

/// The model that production uses.
async fn resolved(lab: &Lab) -> Value {
    let body = json!({ "prompt": "moving", "variables": { "message": "hi" } });
    lab.world.admin(Call::post("/api/resolve", &body)).await.expect(200)["model_id"].clone()
}

#[tokio::test]
async fn production_takes_another_model_once_the_version_has_passed_there() {
    let (lab, version) = live(MANY).await;
    let refused = lab.world.admin(use_model(&version, "test/other")).await.refused(409, "not-evaluated");
    assert!(text(&refused["detail"]).contains("{\"model_id\": \"test/other\"}"), "{refused}");
    let run = evaluated(&lab, &version, "test/other").await;
    assert_eq!(
        members(&run, &["purpose", "gate_result", "model_id"]),
        json!(["other_model", "pass", "test/other"])
    );
    assert_eq!(run["baseline_eval_run_id"], version["eval_run_id"], "compared with itself on its own model");
    assert_eq!(members(&run["comparison"], &["pairs", "regressed"]), json!([60, 0]));
    let found = lab.get(&format!("/api/versions/{}", text(&version["version_id"]))).await;
    let models = json!({ "test/model": version["eval_run_id"], "test/other": run["eval_run_id"] });
    assert_eq!((&found["models_passed"], &found["eval_run_id"]), (&models, &version["eval_run_id"]));

    assert_eq!(resolved(&lab).await, "test/model");
    let taken = lab.world.admin(use_model(&version, "test/other")).await.expect(200);
    assert_eq!(members(&taken["overrides"], &["model_id"]), json!(["test/other"]));
    assert_eq!(resolved(&lab).await, "test/other");

    let next = json!({ "template_text": "{{ message }}", "system_prompt": "Echo." });
    let next = lab.world.version(&version, &next).await;
    lab.finished(&next).await;
    lab.world.promote(&version, &next, "production").await.expect(200);
    assert_eq!(resolved(&lab).await, "test/model", "a promotion clears what stood instead");
    lab.world.admin(use_model(&version, "test/other")).await.refused(409, "not-evaluated");
}

#[tokio::test]
async fn a_model_on_which_it_fails_or_failed_last_is_refused() {
    let unwell = Arc::new(AtomicBool::new(false));
    let mood = Arc::clone(&unwell);
    let (lab, version) =
        live_beside(MANY, move |model| model == "test/other" && mood.load(Ordering::SeqCst)).await;
    let run = evaluated(&lab, &version, "test/weak").await;
    assert_eq!((&run["gate_result"], &run["comparison"]["regressed"]), (&json!("fail"), &json!(20)));
    assert_eq!(lab.status(&version).await, "passed", "that says nothing about its own model");
    lab.world.admin(use_model(&version, "test/weak")).await.refused(409, "not-evaluated");
    lab.world.admin(use_model(&version, "test/nobody")).await.refused(422, "invalid");

    assert_eq!(evaluated(&lab, &version, "test/other").await["gate_result"], "pass");
    lab.world.admin(use_model(&version, "test/other")).await.expect(200);
    lab.world.admin(use_model(&version, "test/model")).await.expect(200);
    unwell.store(true, Ordering::SeqCst);
    assert_eq!(evaluated(&lab, &version, "test/other").await["gate_result"], "fail");
    lab.world.admin(use_model(&version, "test/other")).await.refused(409, "not-evaluated");
    assert_eq!(resolved(&lab).await, "test/model");
}

#[tokio::test]
async fn a_run_on_another_model_that_ends_after_a_newer_one_decides_nothing() {
    let unwell = Arc::new(AtomicBool::new(false));
    let mood = Arc::clone(&unwell);
    let (lab, version) =
        live_beside(MANY, move |model| model == "test/other" && mood.load(Ordering::SeqCst)).await;
    let older = queued(&lab, &version, "test/other").await;
    let newer = queued(&lab, &version, "test/other").await;
    lab.world.step_stream().await;
    let (of_older, of_newer): (Vec<_>, Vec<_>) = lab
        .world
        .take_cases()
        .await
        .into_iter()
        .partition(|case| case.eval_run_id.to_string() == text(&older["eval_run_id"]));
    lab.world.send_cases(&of_newer).await;
    assert_eq!(lab.finished(&newer).await["gate_result"], "pass");
    unwell.store(true, Ordering::SeqCst);
    lab.world.send_cases(&of_older).await;
    assert_eq!(lab.finished(&older).await["gate_result"], "fail");
    lab.world.admin(use_model(&version, "test/other")).await.expect(200);
}

#[tokio::test]
async fn only_the_newest_run_on_another_model_is_reviewed() {
    let (lab, version) = live(FEW).await;
    let older = evaluated(&lab, &version, "test/other").await;
    assert_eq!(older["gate_result"], "manual_review");
    let newer = queued(&lab, &version, "test/other").await;
    let releaser = lab.world.key("support", "releaser").await;
    let approve = |run: &Value| {
        let body = json!({ "decision": "approve", "reason": "I read the cases." });
        Call::post(run_path(run, "/review"), &body).key(&releaser)
    };
    lab.world.call(approve(&older)).await.refused(409, "conflict");
    let waiting = async || {
        let listed = lab.get("/api/evals?status=waiting").await;
        listed["data"].as_array().unwrap().iter().map(|run| run["eval_run_id"].clone()).collect::<Vec<_>>()
    };
    assert!(waiting().await.is_empty(), "the newest is under way");
    assert_eq!(lab.finished(&newer).await["gate_result"], "manual_review");
    lab.world.call(approve(&older)).await.refused(409, "conflict");
    lab.world.admin(use_model(&version, "test/other")).await.refused(409, "not-evaluated");
    assert_eq!(waiting().await, [newer["eval_run_id"].clone()]);
    lab.world.call(approve(&newer)).await.expect(200);
    assert!(waiting().await.is_empty());
    lab.world.admin(use_model(&version, "test/other")).await.expect(200);
}

#[tokio::test]
async fn another_model_is_measured_beside_a_version_that_was_never_measured_on_these_cases() {
    let (lab, version) = live(MANY).await;
    let prompt = lab.get(&format!("/api/prompts/{}", text(&version["prompt_id"]))).await;
    lab.new_cases(&prompt, &cases(MANY + 1, 0)).await;
    let run = evaluated(&lab, &version, "test/other").await;
    assert_eq!(members(&run, &["purpose", "gate_result"]), json!(["other_model", "pass"]));
    assert_ne!(run["baseline_eval_run_id"], version["eval_run_id"], "its own model was measured beside it");
    let found = lab.get(&format!("/api/versions/{}", text(&version["version_id"]))).await;
    assert_eq!(found["models_passed"]["test/other"], run["eval_run_id"]);
}
