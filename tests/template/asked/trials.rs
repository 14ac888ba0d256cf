//! An experiment: what is served in it, what is heard of that, and what people find better.

use std::time::Duration;

use e2e::{
    Call,
    browser::{Browser, hidden, location},
    text,
};
use serde_json::json;

use super::{stage::Stage, written::Written};

/// How often `resolve` may be asked until it has written what it counted: it waits for that 50 ms at most.
const TRIES: usize = 100;

/// What `resolve` asks for only when it writes what it counted.
const COUNTED: &str = "dynamodb:PutItem on Telemetry.Arn";

pub(super) async fn play(stage: &mut Stage, written: &Written) {
    let prompt = text(&written.prompt["prompt_id"]);
    let variants: Vec<_> =
        written.versions.iter().map(|version| json!({ "version_id": version["version_id"] })).collect();
    let wish = json!({ "variants": variants, "primary_metric": "success" });
    let made = stage.post(format!("/api/prompts/{prompt}/experiments"), &wish, 201).await;
    let key = stage.acting("authoring").key("support", "resolver").await;
    let ask = || {
        Call::get(format!("/api/resolve/{prompt}?user_id=ada&variables=%7B%22message%22%3A%22hi%22%7D"))
            .key(&key)
    };
    stage.acting("resolve").call(Call::get("/api/resolve:snapshot").key(&key)).await.expect(200);
    let served = stage.acting("resolve").call(ask()).await.expect(200);
    let whom = json!({ "context": { "targetingKey": "ada", "message": "hi" } });
    let flags = Call::post("/ofrep/v1/evaluate/flags", &whom).key(&key);
    let flags = stage.acting("resolve").call(flags).await.expect(200);
    assert_ne!(flags["flags"], json!([]));
    let flag = Call::post(format!("/ofrep/v1/evaluate/flags/{prompt}"), &whom).key(&key);
    stage.acting("resolve").call(flag).await.expect(200);
    let event = json!({ "events": [{ "resolution_token": served["resolution_token"], "success": true }] });
    stage.acting("ingest").call(Call::post("/api/metrics", &event).key(&key)).await.expect(202);
    assert!(stage.acting("rollup").step_metrics().await > 0);
    for _ in 0..TRIES {
        if stage.asked_by("resolve").contains(COUNTED) {
            break;
        }
        stage.world.clock.advance(Duration::from_secs(61));
        stage.acting("resolve").call(ask()).await.expect(200);
    }
    let experiment = text(&made["experiment_id"]);
    stage.get(format!("/api/experiments/{experiment}")).await;
    stage.get(format!("/api/prompts/{prompt}/metrics")).await;
    rate(stage, experiment).await;
}

/// Somebody finds one of two answers better.
async fn rate(stage: &mut Stage, experiment: &str) {
    let browser = Browser::of_admin(stage.acting("console")).await;
    let path = format!("/console/experiments/{experiment}/rate");
    let case = hidden(&browser.page(&path).await, "case_id");
    let fields = [("case_id", case.as_str()), ("choice", "left")];
    assert_eq!(location(&browser.submit(&path, &fields).await), path);
}
