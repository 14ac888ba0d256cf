//! Writing versions: what is made, what is refused, and when a request waits.

use std::time::Duration;

use e2e::{Call, World, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};
use tokio::time::timeout;

use crate::api::{self, at, pointers, under};

/// Longer than a request waits.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_version_says_all_that_it_was_given_and_the_defaults() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let made = world.version(&prompt, &json!({ "template_text": "Hi {{ name }}" })).await;
    assert_eq!(
        (&made["version_number"], &made["eval_status"], &made["eval_run_id"], &made["template_format"]),
        (&json!(1), &json!("none"), &Value::Null, &json!("jinja"))
    );
    assert_eq!((&made["temperature"], &made["max_tokens"]), (&json!(0.7), &json!(1000)));
    assert_eq!(made["variables"], json!([{ "name": "name", "type": "string", "required": true }]));
    assert_eq!(text(&made["content_sha256"]).len(), 64);
    let content = json!({
        "template_text": "{{ a }}", "system_prompt": "{{ b }}", "template_format": "mustache",
        "few_shot_examples": [{ "input": "{{i}}", "output": "o" }],
        "variables": [
            { "name": "a", "type": "number", "required": false, "default": 1.50, "description": "d" },
            { "name": "b", "type": "json", "required": true },
        ],
        "model_id": "other/model", "temperature": 0.0, "max_tokens": 5, "params": { "stop": ["x"] },
        "config": { "any": [1, null] }, "note": "why", "based_on": made["version_id"],
    });
    let made = world.version(&prompt, &content).await;
    let read = world.admin(Call::get(under(&made, ""))).await.expect(200);
    assert_eq!(read, made);
    for (name, value) in content.as_object().unwrap().iter().filter(|(name, _)| *name != "based_on") {
        assert_eq!(&read[name], value, "{name}");
    }
}

#[tokio::test]
async fn the_model_is_the_newest_versions_else_the_teams_default() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let write = |content: Value| Call::post(at(&prompt, "/versions"), &content);
    let problem = world.admin(write(json!({ "template_text": "a" }))).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/model_id"]);
    world.admin(Call::put("/api/teams/a", &json!({ "default_model_id": "team/model" }))).await.expect(200);
    let model = |made: Value| made["model_id"].clone();
    assert_eq!(model(world.admin(write(json!({ "template_text": "a" }))).await.expect(201)), "team/model");
    world.admin(write(json!({ "template_text": "b", "model_id": "my/model" }))).await.expect(201);
    assert_eq!(model(world.admin(write(json!({ "template_text": "c" }))).await.expect(201)), "my/model");
}

#[tokio::test]
async fn what_the_newest_version_says_already_is_unchanged() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let write = |content: Value| Call::post(at(&prompt, "/versions"), &content);
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let again = world.admin(write(json!({ "template_text": "one", "note": "another" }))).await.expect(200);
    assert_eq!((&again["unchanged"], &again["version_id"]), (&json!(true), &one["version_id"]));
    let two = world.admin(write(json!({ "template_text": "two" }))).await.expect(201);
    let three = world.admin(write(json!({ "template_text": "one" }))).await.expect(201);
    assert_eq!((&two["version_number"], &three["version_number"]), (&json!(2), &json!(3)));
    assert_eq!(three["content_sha256"], one["content_sha256"]);
    assert_eq!(two.get("unchanged"), None);
}

#[tokio::test]
async fn writing_on_a_version_that_is_not_the_newest_is_409_with_the_difference() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one\n" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two\n", "temperature": 0.1 })).await;
    let draft = |on: &Value| json!({ "template_text": "three\n", "based_on": on["version_id"] });
    let refused = world.admin(Call::post(at(&prompt, "/versions"), &draft(&one))).await;
    let problem = refused.refused(409, "newer-version");
    assert_eq!((&problem["newest_version_id"], pointers(&problem)), (&two["version_id"], vec!["/based_on"]));
    let diff = problem["diff"].to_string();
    assert!(diff.contains("two") && diff.contains("three") && diff.contains("temperature"), "{problem}");
    world.admin(Call::post(at(&prompt, "/versions"), &draft(&two))).await.expect(201);
}

#[tokio::test]
async fn two_versions_are_compared_by_id_or_number() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "old words\n" })).await;
    world.version(&prompt, &json!({ "template_text": "new words\n", "max_tokens": 5 })).await;
    for from in [text(&one["version_id"]), "1"] {
        let path = at(&prompt, &format!("/diff?from={from}&to=2"));
        let diff = world.admin(Call::get(path)).await.expect(200);
        assert_eq!(diff["from"]["version_number"], 1);
        assert_eq!(diff["fields"][0]["field"], "max_tokens", "{diff}");
        assert!(diff["text"].to_string().contains("old"), "{diff}");
    }
    let problem = world.admin(Call::get(at(&prompt, "/diff?from=1&to=3"))).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/to"]);
}

/// A world with a model that says «yes», and a prompt with a test set that wants that.
async fn evaluated() -> (World, ScriptedProvider, Value) {
    let provider = ScriptedProvider::start(|_| Reply::Answer("yes".to_owned())).unwrap();
    let world = api::with_model(&provider).await;
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let gate = json!({ "mode": "required", "min_cases": 1 });
    let more = json!({ "test_set_id": set, "gate": gate });
    let prompt = world.prompt("a", "greeter", &more).await;
    (world, provider, prompt)
}

#[tokio::test]
async fn a_request_that_waits_is_201_when_the_evaluation_decided() {
    let (world, provider, prompt) = evaluated().await;
    let body = json!({ "template_text": "one", "model_id": "test/model" });
    let write = world.admin(Call::post(at(&prompt, "/versions?wait=25"), &body));
    let work = async {
        while provider.calls() == 0 {
            world.work().await;
        }
    };
    let (written, ()) = timeout(PATIENCE, Box::pin(async { tokio::join!(write, work) })).await.unwrap();
    let version = written.expect(201);
    assert_eq!((&version["eval_status"], &version["eval_score"]), (&json!("passed"), &json!(1.0)));
}

#[tokio::test]
async fn a_request_that_waited_in_vain_is_202_with_the_run() {
    let (world, _provider, prompt) = evaluated().await;
    let body = json!({ "template_text": "one", "model_id": "test/model" });
    let version = world.admin(Call::post(at(&prompt, "/versions?wait=1"), &body)).await.expect(202);
    assert_eq!(
        (&version["eval_status"], &version["eval_run"]["status"]),
        (&json!("pending"), &json!("queued"))
    );
    assert_eq!(version["eval_run"]["eval_run_id"], version["eval_run_id"]);
    let run = format!("/api/evals/{}", text(&version["eval_run_id"]));
    let cancel = Call::post(format!("{run}/cancel"), &json!({}));
    assert_eq!(world.admin(cancel.clone()).await.expect(200)["status"], "cancelled");
    world.admin(cancel).await.refused(409, "conflict");
    let read = world.admin(Call::get(under(&version, ""))).await.expect(200);
    assert_eq!(read["eval_status"], "pending", "a cancelled run leaves it so");
}

#[tokio::test]
async fn trying_answers_what_the_model_said_and_a_provider_that_fails_is_502() {
    let (world, provider, prompt) = evaluated().await;
    let version = world.version(&prompt, &json!({ "template_text": "one {{ n }}" })).await;
    let body = json!({ "version_id": version["version_id"], "variables": { "n": "x", "more": 1 } });
    let tried = world.admin(Call::post("/api/try", &body)).await.expect(200);
    assert_eq!((&tried["output"], &tried["ignored_variables"]), (&json!("yes"), &json!(["more"])));
    let unknown = json!({ "draft": { "template_text": "a", "model_id": "nobody/knows" } });
    let problem = world.admin(Call::post("/api/try", &unknown)).await.refused(422, "invalid");
    assert!(text(&problem["detail"]).contains("PUT /api/models/nobody/knows"), "{problem}");
    let url = provider.url();
    drop(provider);
    let answer = world.admin(Call::post("/api/try", &body)).await;
    answer.refused(502, "provider");
    assert!(!answer.text().contains(&url), "{}", answer.text());
}
