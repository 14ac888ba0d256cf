//! What an exposure without an answer means.

use e2e::text;
use serde_json::{Value, json};

use crate::stage::{HOUR, MINUTE, Stage, event};

async fn p_best(stage: &Stage, experiment: &Value) -> f64 {
    let path = format!("/api/experiments/{}", text(&experiment["experiment_id"]));
    stage.get(&path).await["variants"][1]["p_best"].as_f64().unwrap()
}

/// Three hundred users call; of those of the second arm more say that they succeeded, and nobody says anything else.
async fn visit(stage: &Stage) {
    let mut events = Vec::new();
    for user in 0..300 {
        let answer = stage.resolve(&format!("user-{user}")).await;
        events.push(event(&answer, &json!({ "latency_ms": 200 })));
        if user % 10 < if answer["variant"] == "B" { 5 } else { 2 } {
            events.push(event(&answer, &json!({ "success": true })));
        }
    }
    stage.report(&events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_answer_is_nothing_or_a_failure_once_its_window_has_closed() {
    let stage = Stage::new(2).await;
    let explicit = stage.experiment(&json!({})).await;
    visit(&stage).await;
    stage.pass(3 * HOUR).await;
    let unsure = p_best(&stage, &explicit).await;
    assert!((0.4..0.6).contains(&unsure), "all answers are successes: {unsure}");

    let stage = Stage::new(2).await;
    let wish = json!({ "feedback": "implicit_negative", "attribution_window_minutes": 30 });
    let implicit = stage.experiment(&wish).await;
    visit(&stage).await;
    stage.pass(HOUR).await;
    let open = p_best(&stage, &implicit).await;
    assert!((open - 0.5).abs() < 1e-9, "the window of the last exposures is open: {open}");
    stage.pass(29 * MINUTE).await;
    let open = p_best(&stage, &implicit).await;
    assert!((open - 0.5).abs() < 1e-9, "a minute of it is left: {open}");
    stage.pass(MINUTE).await;
    let closed = p_best(&stage, &implicit).await;
    assert!(closed > 0.99, "{closed}");
    let path = format!("/api/experiments/{}", text(&implicit["experiment_id"]));
    let flags = &stage.get(&path).await["flags"];
    assert_eq!(*flags, json!([]), "that fewer succeed is what is measured, and no bias of who answers");
}
