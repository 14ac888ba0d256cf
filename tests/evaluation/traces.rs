//! A trace goes on through streams and queues, from the request to what it set going.

use e2e::{Call, Heard, metrics::Road, text};
use serde_json::json;

use crate::lab::{Lab, cases, echo};

/// As a caller says it, and as the log does.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn traced(call: Call) -> Call {
    call.header("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"))
}

#[tokio::test]
async fn an_evaluation_is_followed_from_its_request_to_its_end() {
    let lab = Lab::new(echo).await;
    let version = lab.version("followed", &cases(2, 1)).await;
    lab.world.work().await;
    let heard = Heard::listen();
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    lab.world.admin(traced(Call::post(path, &json!({})))).await.expect(202);
    lab.world.work().await;
    let case = "a case has its result";
    assert_eq!(heard.of_trace(TRACE), ["request", "cases are sent out", case, case, case, "a run ends"]);
}

#[tokio::test]
async fn what_is_reported_is_followed_until_it_is_counted() {
    let road = Road::start(1, 1).await;
    let events = json!({ "events": [road.of_version(0, json!({ "latency_ms": 7 }))] });
    let heard = Heard::listen();
    road.world.admin(traced(Call::post("/api/metrics", &events))).await.expect(202);
    road.world.step_metrics().await;
    assert_eq!(heard.of_trace(TRACE), ["request", "metrics are counted"]);
}
