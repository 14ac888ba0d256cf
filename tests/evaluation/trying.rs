//! Trying and rendering: what a version or a draft says, before anybody evaluates it.

use e2e::{Call, World, WorldSettings, text};
use models::Secrets;
use serde_json::json;
use testkit::provider::{Reply, ScriptedProvider};

use crate::lab::{Lab, echo, members};

#[tokio::test]
async fn a_version_and_a_draft_are_tried_at_once() {
    let lab = Lab::new(echo).await;
    let prices = json!({
        "provider": "openai", "base_url": lab.provider.url(), "input_usd_per_mtok": 3.0, "output_usd_per_mtok": 5.0,
    });
    lab.world.admin(Call::put("/api/models/acme/dear", &prices)).await.expect(200);
    let prompt = lab.world.prompt("support", "tried", &json!({})).await;
    let content = json!({ "template_text": "Dear {{ name }}", "system_prompt": "Be kind." });
    let version = lab.world.version(&prompt, &content).await;
    let resolver = lab.world.key("support", "resolver").await;
    let try_out = async |body| lab.world.call(Call::post("/api/try", &body).key(&resolver)).await;

    let variables = json!({ "name": "Ada", "colour": "red" });
    let body =
        json!({ "version_id": version["version_id"], "variables": variables, "model_id": "acme/dear" });
    let tried = try_out(body).await.expect(200);
    assert_eq!(
        tried["messages"],
        json!([{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "Dear Ada" }])
    );
    assert_eq!(
        members(&tried, &["output", "model_id", "ignored_variables"]),
        json!(["Dear Ada", "acme/dear", ["colour"]])
    );
    // 4 words in, 2 out.
    assert_eq!(members(&tried, &["input_tokens", "output_tokens", "cost_usd"]), json!([4, 2, 0.000_022]));
    assert!(tried["latency_ms"].is_u64());

    let draft = json!({ "template_text": "Hi {{ name }}", "model_id": "test/model" });
    let tried = try_out(json!({ "draft": draft, "variables": { "name": "Bo" } })).await.expect(200);
    assert_eq!(members(&tried, &["output", "cost_usd"]), json!(["Hi Bo", 0.0]));
    let versions = format!("/api/prompts/{}/versions", text(&prompt["prompt_id"]));
    assert_eq!(lab.get(&versions).await["data"].as_array().unwrap().len(), 1, "trying saves nothing");
}

#[tokio::test]
async fn what_cannot_be_tried_says_why_and_never_answers_by_a_mock() {
    let provider = ScriptedProvider::start(|_| Reply::Status(503, None)).unwrap();
    let secrets = Secrets::new(|_| None);
    let world = World::with(WorldSettings { secrets, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    for (model_id, secret) in [("acme/down", json!(null)), ("acme/locked", json!("ACME_KEY"))] {
        let entry = json!({
            "provider": "openai", "base_url": lab.provider.url(), "secret_name": secret,
            "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
        });
        lab.world.admin(Call::put(format!("/api/models/{model_id}"), &entry)).await.expect(200);
    }
    let try_on = async |model_id: &str, variables| {
        let draft = json!({ "template_text": "Hi {{ name }}", "model_id": model_id });
        lab.world.admin(Call::post("/api/try", &json!({ "draft": draft, "variables": variables }))).await
    };
    let ada = json!({ "name": "Ada" });
    try_on("acme/down", ada.clone()).await.refused(502, "provider");
    let locked = try_on("acme/locked", ada.clone()).await.refused(422, "invalid");
    assert!(text(&locked["detail"]).contains("`ACME_KEY` is missing"), "{locked}");
    let unknown = try_on("nobody/knows", ada).await.refused(422, "invalid");
    assert!(text(&unknown["detail"]).contains("PUT /api/models/nobody/knows"), "{unknown}");
    assert_eq!(lab.provider.calls(), 1);
    let bare = try_on("acme/down", json!({})).await.refused(422, "invalid");
    assert!(bare.to_string().contains("name"), "{bare}");
    let both = json!({ "version_id": null, "draft": null });
    lab.world.admin(Call::post("/api/try", &both)).await.refused(422, "invalid");
}

#[tokio::test]
async fn rendering_shows_what_a_model_would_be_sent_and_calls_none() {
    let lab = Lab::new(echo).await;
    let prompt = lab.world.prompt("support", "rendered", &json!({})).await;
    let examples = json!([{ "input": "{{ raw }}", "output": "kept" }]);
    let content = json!({ "template_text": "Dear {{ name }}\n", "few_shot_examples": examples });
    let version = lab.world.version(&prompt, &content).await;
    let path = format!("/api/versions/{}/render", text(&version["version_id"]));
    let rendered = lab.post(&path, &json!({ "variables": { "name": "{{ Ada }}", "x": 1 } }), 200).await;
    assert_eq!(
        members(&rendered, &["resolved_text", "ignored_variables"]),
        json!(["Dear {{ Ada }}\n", ["x"]])
    );
    assert_eq!(
        rendered["messages"],
        json!([
            { "role": "user", "content": "{{ raw }}" },
            { "role": "assistant", "content": "kept" },
            { "role": "user", "content": "Dear {{ Ada }}\n" },
        ])
    );
    lab.world.admin(Call::post(path, &json!({}))).await.refused(422, "invalid");
    assert_eq!(lab.provider.calls(), 0);
}
