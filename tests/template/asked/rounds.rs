//! What happens as days pass: live versions are measured again, deleted cases erased, the archive compared; and what
//! becomes of runs whose cases are lost.

use std::time::Duration;

use axum::http::StatusCode;
use e2e::{Call, text};
use serde_json::json;
use steer::STUCK_AFTER;

use super::{
    stage::Stage,
    written::{Written, cases, gate, put_file},
};

const DAY: Duration = Duration::from_hours(24);
/// When nobody is at work any more on what was deleted.
const LATER: Duration = Duration::from_mins(16);

pub(super) async fn play(stage: &mut Stage, written: &Written) {
    stage.propagate().await;
    lost(stage).await;
    assert!(steer(stage, DAY + LATER).await.versions_watched > 0);
    stage.work().await;
    assert!(steer(stage, DAY + LATER).await.versions_watched > 0);
    stage.lose(&written.set).await;
    assert!(stage.acting("dispatch").step_stream().await > 0);

    put_file(stage, &written.set).await;
    let gone = stage.admin(Call::delete(format!("/api/test-sets/{}", written.set))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let left = format!("datasets/{}/1-left.jsonl", written.set);
    let put = stage.world.clients.s3.put_object().bucket("cuecard").key(&left);
    put.body(b"{}".to_vec().into()).send().await.unwrap();
    assert!(steer(stage, LATER).await.test_sets_erased > 0);
    stage.propagate().await;
    assert!(steer(stage, 8 * DAY).await.new_signing_key);
}

async fn steer(stage: &mut Stage, after: Duration) -> steer::Report {
    stage.world.clock.advance(after);
    stage.acting("steer").steer(STUCK_AFTER).await
}

/// A run whose cases are there when they are sent out, and not when they are worked on.
async fn lost(stage: &mut Stage) {
    let set = stage.test_set(&cases()).await;
    let more = json!({ "test_set_id": set, "gate": gate() });
    let prompt = stage.acting("authoring").prompt("support", "lost", &more).await;
    let version =
        stage.acting("authoring").version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
    stage.acting("dispatch").step_stream().await;
    stage.lose(&set).await;
    assert!(stage.acting("eval-worker").step_queue().await > 0);
    let run = stage.get(format!("/api/evals/{}", text(&version["eval_run_id"]))).await;
    assert!(run["completed_at"].is_string(), "{run}");
}
