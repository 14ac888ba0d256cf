//! What people write: models, test sets, prompts and versions, and what comes of these by itself.

use std::time::Duration;

use axum::http::StatusCode;
use e2e::{Call, text};
use serde_json::{Value, json};

use super::stage::{AGAIN, Stage};

/// What there is afterwards.
pub(super) struct Written {
    /// A prompt with a gate.
    pub(super) prompt: Value,
    /// Two of its versions, which have passed.
    pub(super) versions: Vec<Value>,
    /// The only version of another prompt, which has passed too.
    pub(super) other: Value,
    /// The test set of both.
    pub(super) set: String,
}

pub(super) async fn play(stage: &mut Stage) -> Written {
    assert_eq!(stage.get("/readyz").await["status"], "ok");
    let models = catalogue(stage).await;
    webhook(stage).await;
    let set = stage.test_set(&cases()).await;
    let more = json!({ "test_set_id": set, "gate": gate() });
    let prompt = stage.acting("authoring").prompt("support", "gated", &more).await;
    let mut versions = Vec::new();
    for (number, model) in models.iter().enumerate() {
        let content = json!({ "template_text": format!("v{number} {{{{ message }}}}"), "model_id": model });
        // Ids of one moment have no order.
        stage.world.clock.advance(Duration::from_millis(1));
        versions.push(stage.acting("authoring").version(&prompt, &content).await);
    }
    let other = stage.acting("authoring").prompt("support", "other", &more).await;
    let other = stage.acting("authoring").version(&other, &json!({ "template_text": "{{ message }}" })).await;
    stage.work().await;
    for (version, verdict) in versions.iter().chain([&other]).zip(["pass", "pass", "fail", "fail", "pass"]) {
        let run = format!("/api/evals/{}", text(&version["eval_run_id"]));
        assert_eq!(stage.get(&run).await["gate_result"], verdict, "{version}");
        assert_eq!(stage.get(format!("{run}/cases")).await["data"].as_array().unwrap().len(), cases().len());
    }
    versions.truncate(2);
    assert!(stage.acting("notify").step_webhooks().await > 0);
    upload(stage).await;
    stage.propagate().await;
    Written { prompt, versions, other, set }
}

/// Cases that an echo passes: one of them when it is asked once more, and one at great length.
pub(super) fn cases() -> Vec<Value> {
    let case = |message: &str| {
        let check = json!({ "type": "contains", "value": message });
        json!({ "vars": { "message": message }, "assert": [check] })
    };
    vec![case("hello"), case(AGAIN), case(&["and so on"; 600].join(" "))]
}

pub(super) fn gate() -> Value {
    json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 })
}

/// Models of all kinds: one that costs nothing, one with a key and a budget, and Bedrock's in one region and in several.
/// Returns their names.
async fn catalogue(stage: &mut Stage) -> [&'static str; 4] {
    let entry = |more: Value| {
        let mut entry = json!({ "input_usd_per_mtok": 0, "output_usd_per_mtok": 0 });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    let kept = json!({
        "provider": "openai", "base_url": stage.provider.url(), "secret_name": "cuecard/openai",
        "requests_per_minute": 10_000,
    });
    let near = json!({ "provider": "bedrock", "api_model": "anthropic.near" });
    let far = json!({ "provider": "bedrock", "api_model": "eu.anthropic.far" });
    let models = [("kept/model", kept), ("near/model", near), ("far/model", far)];
    for (name, model) in &models {
        stage.admin(Call::put(format!("/api/models/{name}"), &entry(model.clone()))).await.expect(200);
    }
    for name in ["test/model", "kept/model", "near/model", "far/model"] {
        let draft = json!({ "draft": { "template_text": "hello", "model_id": name } });
        stage.post("/api/try", &draft, 200).await;
    }
    ["test/model", "kept/model", "near/model", "far/model"]
}

/// A webhook whose receiver is gone.
async fn webhook(stage: &mut Stage) {
    let webhook = json!({
        "team_id": "support", "url": format!("{}/gone", stage.all_else), "events": ["version.created"],
        "format": "json",
    });
    stage.post("/api/webhooks", &webhook, 201).await;
}

/// A test set that is uploaded, and asked for once more when it is there no longer.
async fn upload(stage: &mut Stage) {
    let set = stage.test_set(&cases()).await;
    let upload = put_file(stage, &set).await;
    let cases = Call::put(
        format!("/api/test-sets/{set}/versions"),
        &json!({ "upload_id": upload, "content_type": "application/jsonl" }),
    );
    stage.admin(cases.clone()).await.expect(201);
    stage.admin(cases).await.refused(422, "invalid");
    let kept = stage.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await;
    assert_eq!(kept.status, StatusCode::OK);
}

/// Puts a file where an upload of this test set wants it; returns the upload's id.
pub(super) async fn put_file(stage: &mut Stage, set: &str) -> String {
    let upload = stage.post(format!("/api/test-sets/{set}/uploads"), &json!({}), 201).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let file = json!({ "vars": { "message": "hello" }, "expected": "hello" }).to_string();
    let put = client.put(text(&upload["url"])).body(file).send().await.unwrap();
    assert_eq!(put.status().as_u16(), 200);
    text(&upload["upload_id"]).to_owned()
}
