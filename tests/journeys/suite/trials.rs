//! Releasing to some: experiments and canaries.

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::target::Target;

/// A prompt with two versions, the first of them live.
async fn two_versions(target: &Target, name: &str) -> (String, [String; 2]) {
    let prompt = target.prompt("support", name, &json!({})).await;
    let one = target.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = target.version(&prompt, &json!({ "template_text": "two" })).await;
    target.promote(&prompt, &one).await.expect(200);
    (prompt, [one, two])
}

async fn get(target: &Target, path: String) -> Value {
    target.admin(Call::get(path)).await.expect(200)
}

pub(crate) async fn an_experiment_is_started_heard_of_explained_and_stopped(target: &Target) {
    let key = target.key("support", "resolver").await;
    let key = text(&key["secret"]);
    let (prompt, [one, two]) = two_versions(target, "tried").await;
    let wish = json!({
        "variants": [{ "version_id": one }, { "version_id": two }], "primary_metric": "success",
    });
    let started = Call::post(format!("/api/prompts/{prompt}/experiments"), &wish);
    let started = target.admin(started).await.expect(201);
    let id = text(&started["experiment_id"]);
    let ask = Call::get(format!("/api/resolve/{prompt}?user_id=ada&min_revision=2"));
    let served = target.call(ask.key(key)).await.expect(200);
    assert_eq!(served["experiment_id"], id);
    let variant = usize::from(served["variant"] == "B");
    assert_eq!(served["version_id"], [&one, &two][variant].as_str());
    let token = text(&served["resolution_token"]);
    let told = get(target, format!("/api/explain?resolution_token={token}&unit=ada")).await;
    assert_eq!((&told["variant"], &told["experiment_id"]), (&served["variant"], &json!(id)));
    let event = json!({ "events": [{ "resolution_token": token, "success": true }] });
    target.call(Call::post("/api/metrics", &event).key(key)).await.expect(202);
    let path = format!("/api/experiments/{id}");
    let ask = || Call::get(&path).key(e2e::ADMIN);
    let heard = target.until(ask, |answer| answer.json()["variants"][variant]["exposures"] == 1).await.json();
    assert_eq!(heard["variants"][variant]["feedback"], 1);
    assert_eq!(get(target, format!("{path}/weights")).await["data"].as_array().unwrap().len(), 1);
    let stop = Call::post(format!("{path}/stop"), &json!({ "winner_version_id": two, "reason": "it is" }));
    assert_eq!(target.admin(stop).await.expect(200)["status"], "stopped");
    let listed = get(target, format!("/api/prompts/{prompt}/experiments")).await;
    assert_eq!(listed["data"][0]["winner_version_id"], two);
    assert_eq!(target.resolve(key, &prompt, 3).await["version_id"], two);
}

pub(crate) async fn a_canary_grows_and_is_taken_back(target: &Target) {
    let key = target.key("support", "resolver").await;
    let key = text(&key["secret"]);
    let (prompt, [one, two]) = two_versions(target, "canary").await;
    let stages = json!([
        { "percent": 5, "min_samples": 50, "bake_minutes": 30 },
        { "percent": 50, "min_samples": 500, "bake_minutes": 60 },
    ]);
    let wish = json!({ "version_id": two, "stages": stages });
    let started = Call::post(format!("/api/prompts/{prompt}/rollouts"), &wish);
    let started = target.admin(started).await.expect(201);
    let path = format!("/api/rollouts/{}", text(&started["rollout_id"]));
    for (step, field, value) in [
        ("pause", "stage", json!(0)),
        ("resume", "paused_at", json!(null)),
        ("advance", "percent", json!(50.0)),
        ("advance", "percent", json!(100.0)),
    ] {
        let stepped = target.admin(Call::post(format!("{path}/{step}"), &json!({}))).await.expect(200);
        assert_eq!(stepped[field], value, "{step}");
    }
    // Begun, advanced, promoted.
    assert_eq!(target.resolve(key, &prompt, 4).await["version_id"], two);
    let aborted =
        target.admin(Call::post(format!("{path}/abort"), &json!({ "reason": "no" }))).await.expect(200);
    assert_eq!(aborted["status"], "stopped");
    assert_eq!(target.resolve(key, &prompt, 5).await["version_id"], one);
    assert_eq!(get(target, path).await["reasons"], json!(["no"]));
    let listed = get(target, format!("/api/prompts/{prompt}/rollouts")).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}
