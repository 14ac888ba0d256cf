//! A trace goes on through streams and queues, from the request to what it set going.

use e2e::{Call, logged, metrics::Road, text};
use serde_json::{Value, json};

use crate::lab::{Lab, cases, echo};

fn traced(call: Call, trace: &str) -> Call {
    call.header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01"))
}

/// What the lines of the log say that belong to a trace.
fn told_of(trace: &str) -> Vec<String> {
    let log = logged();
    let lines = log.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let lines = lines.filter(|line: &Value| line["trace_id"] == trace);
    lines.map(|line| text(&line["message"]).to_owned()).collect()
}

#[tokio::test]
async fn an_evaluation_is_followed_from_its_request_to_its_end() {
    let lab = Lab::new(echo).await;
    let version = lab.version("followed", &cases(2, 1)).await;
    lab.world.work().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    lab.world.admin(traced(Call::post(path, &json!({})), trace)).await.expect(202);
    lab.world.work().await;
    let case = "a case has its result";
    assert_eq!(told_of(trace), ["request", "cases are sent out", case, case, case, "a run ends"]);
}

#[tokio::test]
async fn what_is_reported_is_followed_until_it_is_counted() {
    let road = Road::start(1, 1).await;
    let events = json!({ "events": [road.of_version(0, json!({ "latency_ms": 7 }))] });
    let trace = "0af7651916cd43dd8448eb211c80319d";
    road.world.admin(traced(Call::post("/api/metrics", &events), trace)).await.expect(202);
    road.world.step_metrics().await;
    assert_eq!(told_of(trace), ["request", "metrics are counted"]);
}
