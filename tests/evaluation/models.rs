//! Other models: a version goes live on one only after it has passed there.

use e2e::{Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members, model};

/// A version that is live on `test/model`; `test/other` knows all that it knows, `test/weak` forgets a third of it.
async fn live() -> (Lab, Value) {
    let provider = ScriptedProvider::start(|call| {
        let number: u32 = call.user().rsplit(' ').next().unwrap().parse().unwrap();
        if call.model == "test/weak" && number <= 20 { Reply::Answer("no".to_owned()) } else { echo(call) }
    })
    .unwrap();
    let builtin = ["test/model", "test/other", "test/weak"].map(|id| model(id, &provider)).to_vec();
    let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let version = lab.version("moving", &cases(60, 0)).await;
    lab.finished(&version).await;
    lab.world.promote(&version, &version, "production").await.expect(200);
    (lab, version)
}

/// Makes production use this model.
fn use_model(version: &Value, model_id: &str) -> Call {
    let path = format!("/api/prompts/{}/environments/production/overrides", text(&version["prompt_id"]));
    Call::put(path, &json!({ "model_id": model_id }))
}

async fn evaluated(lab: &Lab, version: &Value, model_id: &str) -> Value {
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let run = lab.post(&path, &json!({ "model_id": model_id }), 202).await;
    lab.finished(&run).await
}

/// The model that production uses.
async fn resolved(lab: &Lab) -> Value {
    let body = json!({ "prompt": "moving", "variables": { "message": "hi" } });
    lab.world.admin(Call::post("/api/resolve", &body)).await.expect(200)["model_id"].clone()
}

#[tokio::test]
async fn production_takes_another_model_once_the_version_has_passed_there() {
    let (lab, version) = live().await;
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
    let (lab, version) = live().await;
    let run = evaluated(&lab, &version, "test/weak").await;
    assert_eq!((&run["gate_result"], &run["comparison"]["regressed"]), (&json!("fail"), &json!(20)));
    assert_eq!(lab.status(&version).await, "passed", "that says nothing about its own model");
    lab.world.admin(use_model(&version, "test/weak")).await.refused(409, "not-evaluated");
    lab.world.admin(use_model(&version, "test/nobody")).await.refused(422, "invalid");
    lab.world.admin(use_model(&version, "test/model")).await.expect(200);
    assert_eq!(resolved(&lab).await, "test/model");
}
