//! The same road where nobody steps it: in `local`, and in the built programs as Lambda runs them.

use std::time::Duration;

use e2e::{ADMIN, Answer, Call, Fleet, FleetSettings, metrics::event, text};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

/// How long it may take until something is counted.
const PATIENCE: Duration = Duration::from_mins(1);

async fn admin(url: &str, call: Call) -> Answer {
    call.key(ADMIN).send_to(url).await
}

/// Resolves, reports of it twice under one token, and reads what was counted.
async fn learns(url: &str) {
    let body = json!({ "name": "greeter", "team_id": "support", "gate": { "mode": "off" } });
    let prompt = admin(url, Call::post("/api/prompts", &body)).await.expect(201);
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    let body = json!({ "model_id": "m", "template_text": "Hello" });
    let version = admin(url, Call::post(format!("{path}/versions"), &body)).await.expect(201);
    let body = json!({ "version_id": version["version_id"], "environment": "production" });
    admin(url, Call::post(format!("{path}/promote"), &body)).await.expect(200);
    let resolve = Call::get("/api/resolve?prompt=support/greeter&user_id=ada");
    let resolved = admin(url, resolve).await.expect(200);
    let told = |values| event(json!({ "resolution_token": resolved["resolution_token"] }), values);
    let events = [told(json!({ "latency_ms": 120, "cost_usd": 0.25 })), told(json!({ "user_rating": 4 }))];
    let report = Call::post("/api/metrics", &json!({ "batch_id": "first", "events": events }));
    for _ in 0..2 {
        let answer = admin(url, report.clone()).await.expect(202);
        assert_eq!(answer, json!({ "accepted": 2, "rejected": [] }));
    }
    let counted = async {
        loop {
            let metrics = admin(url, Call::get(format!("{path}/metrics"))).await.expect(200);
            if let Some(bucket) = metrics["data"].as_array().unwrap().first() {
                return bucket.clone();
            }
        }
    };
    let bucket = timeout(PATIENCE, counted).await.expect("what was accepted is counted");
    assert_eq!((&bucket["calls"], &bucket["cost_usd"]), (&json!(1), &json!(0.25)), "{bucket}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reported_to_local_is_counted() {
    let folder = TempDir::with_prefix("cuecard-").unwrap();
    let settings =
        local::Settings { admin_key: Some(ADMIN.to_owned()), ..local::Settings::new(folder.path()) };
    let platform = Box::pin(local::Platform::start(settings)).await.unwrap();
    learns(platform.url()).await;
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reported_to_the_programs_is_counted() {
    let fleet = Fleet::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    learns(&fleet.url()).await;
    assert_eq!(fleet.calls_outside(), 0);
}
