//! What no other play asks of the API.

use std::time::Duration;

use e2e::{Call, text};
use serde_json::{Value, json};

use super::{stage::Stage, written::cases};

/// What it is asked about.
struct Scene {
    /// The path of a prompt whose gate leaves each version to a person: it asks for more cases than there are.
    prompt: String,
    name: &'static str,
    /// Live in staging.
    first: Value,
    /// Evaluated, and let through by somebody.
    second: Value,
    set: String,
    /// The key of a releaser who wrote nothing.
    releaser: String,
}

pub(super) async fn play(stage: &mut Stage) {
    let scene = scene(stage).await;
    evaluations(stage, &scene).await;
    versions(stage, &scene).await;
    environments(stage, &scene).await;
    resolving(stage, &scene).await;
    experiment(stage, &scene).await;
    canary(stage, &scene).await;
    let Scene { prompt, set, .. } = &scene;
    for path in [
        "/healthz".to_owned(),
        "/api/openapi.json".to_owned(),
        "/api/audit".to_owned(),
        "/api/audit/export".to_owned(),
        "/api/changes?since=2026-11-20T07:00:00Z".to_owned(),
        "/api/evals?status=waiting".to_owned(),
        "/api/metrics/summary".to_owned(),
        "/api/models".to_owned(),
        "/api/teams/support/metrics".to_owned(),
        "/api/test-sets?team_id=support".to_owned(),
        format!("/api/test-sets/{set}"),
        format!("/api/test-sets/{set}/versions"),
        "/api/webhooks?team_id=support".to_owned(),
        prompt.clone(),
    ] {
        stage.get(path).await;
    }
    keys_and_webhooks(stage).await;
    stage.post(format!("/api/test-sets/{set}/cases"), &cases()[0], 201).await;
    stage.admin(Call::put("/api/teams/support", &json!({ "gate": { "mode": "off" } }))).await.expect(200);
    stage.admin(Call::patch(prompt, &json!({ "description": "all of it" }))).await.expect(200);
    stage.admin(Call::delete(prompt)).await.expect(200);
    stage.post(format!("{prompt}/restore"), &json!({}), 200).await;
}

/// A prompt with two versions: of the first nobody waited for the verdict, and on the second somebody decides.
async fn scene(stage: &mut Stage) -> Scene {
    let name = "operated";
    let set = stage.test_set(&cases()).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 50 });
    let more = json!({ "test_set_id": set, "gate": gate });
    let authoring = stage.acting("authoring");
    let releaser = authoring.key("support", "releaser").await;
    let made = authoring.prompt("support", name, &more).await;
    let first = authoring.version(&made, &json!({ "template_text": "one {{ message }}" })).await;
    stage.post(format!("/api/evals/{}/cancel", text(&first["eval_run_id"])), &json!({}), 200).await;
    stage.world.clock.advance(Duration::from_millis(1));
    let authoring = stage.acting("authoring");
    let second = authoring.version(&made, &json!({ "template_text": "two {{ message }}" })).await;
    authoring.promote(&made, &first, "staging").await.expect(200);
    stage.work().await;
    let prompt = format!("/api/prompts/{}", text(&made["prompt_id"]));
    Scene { prompt, name, first, second, set, releaser }
}

async fn evaluations(stage: &mut Stage, scene: &Scene) {
    let Scene { prompt, second, releaser, .. } = scene;
    let run = format!("/api/evals/{}", text(&second["eval_run_id"]));
    assert_eq!(stage.get(&run).await["gate_result"], "manual_review");
    let review = json!({ "decision": "approve", "reason": "I read the cases" });
    let review = Call::post(format!("{run}/review"), &review).key(releaser);
    stage.acting("authoring").call(review).await.expect(200);
    for path in ["cases.csv", "summary"] {
        stage.get(format!("{run}/{path}")).await;
    }
    let version = format!("/api/versions/{}", text(&second["version_id"]));
    stage.post(format!("{version}/evals"), &json!({}), 202).await;
    stage.work().await;
    for path in ["evals", "models"] {
        stage.get(format!("{prompt}/{path}")).await;
    }
    let approval = json!({ "environment": "production", "reason": "I read it" });
    let approval = Call::post(format!("{version}/approvals"), &approval).key(releaser);
    stage.acting("authoring").call(approval).await.expect(201);
}

async fn versions(stage: &mut Stage, scene: &Scene) {
    let Scene { prompt, second, .. } = scene;
    let version = format!("/api/versions/{}", text(&second["version_id"]));
    stage.post(format!("{version}/render"), &json!({ "variables": { "message": "hi" } }), 200).await;
    for path in [
        format!("{version}/content"),
        format!("{prompt}/versions"),
        format!("{prompt}/diff?from=1&to=2"),
        version,
    ] {
        stage.get(path).await;
    }
}

async fn environments(stage: &mut Stage, scene: &Scene) {
    let path = format!("{}/environments/staging", scene.prompt);
    stage.get(&path).await;
    let lock = format!("{path}/lock");
    stage.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    stage.admin(Call::delete(lock)).await.expect(200);
    let cooler = json!({ "temperature": 0.1 });
    stage.admin(Call::put(format!("{path}/overrides"), &cooler)).await.expect(200);
}

/// All ways to ask for a prompt but the one that the trials ask by.
async fn resolving(stage: &mut Stage, scene: &Scene) {
    let name = scene.name;
    let variables = json!({ "message": "hi" });
    stage
        .get(format!("/api/resolve?prompt={name}&env=staging&variables=%7B%22message%22%3A%22hi%22%7D"))
        .await;
    let ask = json!({ "prompt": name, "env": "staging", "variables": variables });
    stage.post("/api/resolve", &ask, 200).await;
    stage.post("/api/resolve:batch", &json!({ "requests": [ask] }), 200).await;
    let ask = json!({ "env": "staging", "variables": variables });
    stage.post(format!("/api/resolve/{name}"), &ask, 200).await;
}

async fn experiment(stage: &mut Stage, scene: &Scene) {
    let Scene { prompt, first, second, .. } = scene;
    let variants = [first, second].map(|version| json!({ "version_id": version["version_id"] }));
    let wish = json!({ "environment": "staging", "variants": variants });
    let made = stage.post(format!("{prompt}/experiments"), &wish, 201).await;
    let path = format!("/api/experiments/{}", text(&made["experiment_id"]));
    let ask =
        json!({ "prompt": scene.name, "env": "staging", "user_id": "ada", "variables": { "message": "hi" } });
    let served = stage.post("/api/resolve", &ask, 200).await;
    stage.get(format!("/api/explain?resolution_token={}&unit=ada", text(&served["resolution_token"]))).await;
    stage.get(format!("{path}/weights")).await;
    stage.get(format!("{prompt}/experiments")).await;
    stage.post(format!("{path}/stop"), &json!({ "winner_version_id": first["version_id"] }), 200).await;
}

async fn canary(stage: &mut Stage, scene: &Scene) {
    let Scene { prompt, second, .. } = scene;
    let stages = [5, 50].map(|percent| json!({ "percent": percent, "min_samples": 10, "bake_minutes": 5 }));
    let wish = json!({ "version_id": second["version_id"], "environment": "staging", "stages": stages });
    let made = stage.post(format!("{prompt}/rollouts"), &wish, 201).await;
    let path = format!("/api/rollouts/{}", text(&made["rollout_id"]));
    for step in ["pause", "resume", "advance", "abort"] {
        stage.post(format!("{path}/{step}"), &json!({}), 200).await;
    }
    stage.get(path).await;
    stage.get(format!("{prompt}/rollouts")).await;
}

/// Of either one is made, given another secret, and taken away.
async fn keys_and_webhooks(stage: &mut Stage) {
    let key = stage.acting("authoring").key("support", "author").await;
    let path = format!("/api/keys/{}", key.split('_').nth(1).unwrap());
    let rotated = stage.post(format!("{path}/rotate"), &json!({}), 201).await;
    stage.admin(Call::delete(format!("/api/keys/{}", text(&rotated["key_id"])))).await.expect(200);
    let webhook = json!({
        "team_id": "support", "url": format!("{}/gone", stage.all_else), "events": ["promotion"], "format": "json",
    });
    let made = stage.post("/api/webhooks", &webhook, 201).await;
    let path = format!("/api/webhooks/{}", text(&made["webhook_id"]));
    stage.post(format!("{path}/rotate"), &json!({}), 201).await;
    stage.admin(Call::delete(path)).await.expect(200);
}
