//! What only the built programs can show: they take several requests at once, and count.

use std::time::Duration;

use e2e::{Call, FleetSettings, text};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{lambda::Lambda, said::Said};

/// How long what was said may take to be heard.
const REST: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn one_process_of_resolve_takes_several_requests_at_once_and_counts_them() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const REQUESTS: usize = 66;
    let settings = FleetSettings { sandboxes: 1, concurrency: 8, ..FleetSettings::default() };
    let lambda = Lambda::start(settings).await;
    let (prompt, [version, _]) = lambda.prompt("counted").await;
    lambda.promote(&prompt, &version).await;
    let ask = || Call::get(format!("/api/resolve/{prompt}?min_revision=1"));
    let answers = join_all((0..64).map(|_| lambda.admin(ask()))).await;
    for answer in answers {
        assert_eq!(answer.expect(200)["resolved_text"], "one");
    }
    let resolve = lambda.fleet.function("resolve");
    assert!(resolve.peaks()[0] > 1, "it took one after the other");
    lambda.admin(Call::get("/api/resolve/nothing")).await.refused(404, "no-such-prompt");
    // What is kept back goes out with a request that comes a second later.
    sleep(Duration::from_millis(1100)).await;
    let with_trace = ask().header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    lambda.admin(with_trace).await.expect(200);

    let mut said = Said::default();
    let all = async {
        while said.requests.len() < REQUESTS || said.latencies() < REQUESTS {
            said.note(&resolve.wait_for_lines(1).await);
        }
    };
    let _ = timeout(REST, all).await;
    let Said { requests, metrics } = &said;
    assert_eq!(said.latencies(), REQUESTS, "{metrics:?}");
    assert_eq!(metrics.iter().filter(|line| line["cold_start"].is_number()).count(), 1);
    assert_eq!(requests.len(), REQUESTS, "each request has its line in the log");
    let traces: Vec<_> = requests.iter().filter_map(|line| line["trace_id"].as_str()).collect();
    assert_eq!(traces, [TRACE]);
    for line in metrics {
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in described["Metrics"].as_array().unwrap() {
            assert!(!line[text(&metric["Name"])].is_null(), "{line}");
        }
        for dimension in described["Dimensions"][0].as_array().unwrap() {
            assert!(line[text(dimension)].is_string(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_only_what_failed_comes_again() {
    let lambda = Lambda::start(FleetSettings { sandboxes: 1, ..FleetSettings::default() }).await;
    let message = |id: &str, body: &str| json!({ "messageId": id, "body": body, "attributes": {}, "messageAttributes": {} });
    let ended = json!({
        "prompt_id": "prm_01M7WKKAVHM0D9325AYWBBGFRZ", "eval_run_id": "evl_01M7WKKAVHM0D9325AYWBBGFRZ",
        "number": 1, "offset": 0, "length": 1, "attempt": 1,
    });
    // The run of the first is not there any more: there is nothing to do. The second is no message of ours.
    let event = json!({ "Records": [message("gone", &ended.to_string()), message("garbage", "{")] });
    let answer = lambda.fleet.invoke("eval-worker", event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": "garbage" }]));
}
