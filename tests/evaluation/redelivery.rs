//! Messages and records that come twice, late and out of order: nothing is called, counted or decided twice.

use domain::{
    EvalRunId, PromptId,
    eval_run::{CaseMessage, CaseOutcome, CaseResult},
};
use e2e::{World, text};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::event_source::StreamSource;

use crate::lab::{Lab, cases, echo, members, tally};

/// A result that no call brought.
fn passed(number: u32) -> CaseResult {
    let result = json!({
        "number": number, "case_id": format!("c{number}"), "outcome": "passed", "critical": false,
        "score": { "passed": true, "score": 1.0, "results": [] }, "output": "stored before", "error": null,
        "provider_error": false, "latency_ms": 1, "input_tokens": 1, "output_tokens": 1, "cost_usd": 0,
    });
    serde_json::from_value(result).unwrap()
}

fn ids(version: &Value) -> (PromptId, EvalRunId) {
    (text(&version["prompt_id"]).parse().unwrap(), text(&version["eval_run_id"]).parse().unwrap())
}

/// Sends the version's run out and takes the cases from the queue, in their order.
async fn sent(lab: &Lab) -> Vec<CaseMessage> {
    lab.world.step_stream().await;
    let mut cases = lab.world.take_cases().await;
    cases.sort_by_key(|case| case.number);
    cases
}

async fn deliver(lab: &Lab, cases: &[CaseMessage]) {
    lab.world.send_cases(cases).await;
    lab.world.step_queue().await;
}

/// How many entries of a prompt's audit say this.
async fn audited(lab: &Lab, version: &Value, action: &str) -> usize {
    let audit = lab.get(&format!("/api/audit?prompt_id={}&limit=100", text(&version["prompt_id"]))).await;
    audit["data"].as_array().unwrap().iter().filter(|entry| entry["action"] == action).count()
}

#[tokio::test]
async fn a_case_with_a_result_is_not_called_again_however_often_it_comes() {
    let lab = Lab::new(echo).await;
    let version = lab.version("again", &cases(3, 1)).await;
    let sent = sent(&lab).await;
    deliver(&lab, &sent[..1]).await;
    deliver(&lab, &[sent[0]; 10]).await;
    assert_eq!((tally(&lab.run(&version).await), lab.provider.calls()), (json!([4, 1, 1, 0, 0]), 1));
    deliver(&lab, &[sent[0], sent[1], sent[2], sent[3]]).await;
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([4, 4, 3, 1, 0]), 4));
    deliver(&lab, &sent).await;
    assert_eq!((lab.run(&version).await, lab.provider.calls()), (run, 4), "an ended run stays as it is");
}

#[tokio::test]
async fn cases_that_come_twice_at_once_count_once_and_one_verdict_is_written() {
    let lab = Lab::new(echo).await;
    let version = lab.version("twice", &cases(8, 2)).await;
    let sent = sent(&lab).await;
    // A batch of ten is worked on at once, and each case is in it twice.
    let twice: Vec<_> = sent.iter().flat_map(|case| [*case; 2]).collect();
    lab.world.send_cases(&twice).await;
    tokio::join!(lab.world.step_queue(), lab.world.step_queue());
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), &run["gate_result"]), (json!([10, 10, 8, 2, 0]), &json!("pass")));
    let cases = lab.cases(&version, "").await;
    let numbers: Vec<_> = cases.iter().map(|case| case["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert!((10..=20).contains(&lab.provider.calls()), "{}", lab.provider.calls());
    assert_eq!(audited(&lab, &version, "evaluation_ended").await, 1);
}

#[tokio::test]
async fn records_that_come_twice_and_backwards_send_a_run_out_once() {
    let lab = Lab::new(echo).await;
    let version = lab.version("records", &cases(5, 0)).await;
    let folder = TempDir::new().unwrap();
    let World { clients, stream, .. } = &lab.world;
    for reader in ["first", "second"] {
        let app = lab.world.dispatch();
        let source = StreamSource { checkpoint: folder.path().join(reader), ..stream.clone() };
        let handle = source.drain(&clients.streams, move |mut event| {
            let app = app.clone();
            event.records.reverse();
            async move { dispatch::handle(event, &app).await }
        });
        assert!(handle.await.unwrap() > 0);
    }
    assert_eq!(sent(&lab).await.len(), 5);
    assert_eq!(members(&lab.run(&version).await, &["status", "redelivered_cases"]), json!(["running", 0]));
}

#[tokio::test]
async fn a_worker_that_died_before_it_counted_leaves_only_the_counting_to_do() {
    let lab = Lab::new(echo).await;
    let version = lab.version("uncounted", &cases(3, 0)).await;
    let sent = sent(&lab).await;
    let (_, run) = ids(&version);
    let store = &lab.world.registry().store;
    store.put_case_result(run, passed(2), lab.world.registry().sources.now()).await.unwrap();
    assert_eq!(lab.run(&version).await["completed_cases"], 0);
    deliver(&lab, &sent).await;
    assert_eq!(members(&lab.run(&version).await, &["status", "passed_cases"]), json!(["completed", 3]));
    assert_eq!((lab.provider.calls(), lab.provider.calls_for("question 2")), (2, 0));
    assert_eq!(lab.cases(&version, "").await[1]["output"], "stored before");
}

#[tokio::test]
async fn the_first_result_of_a_case_counts_whoever_comes_later() {
    let lab = Lab::new(echo).await;
    let version = lab.version("first", &cases(0, 1)).await;
    let (prompt, run) = ids(&version);
    let registry = lab.world.registry();
    let now = registry.sources.now();
    let failed = CaseResult { outcome: CaseOutcome::Failed, output: Some("late".to_owned()), ..passed(1) };
    registry.store.put_case_result(run, passed(1), now).await.unwrap();
    let stored = registry.store.put_case_result(run, failed, now).await.unwrap();
    assert_eq!((stored.outcome, stored.output.as_deref()), (CaseOutcome::Passed, Some("stored before")));
    let run = registry.store.run(prompt, run).await.unwrap().unwrap();
    for _ in 0..2 {
        registry.store.count_case(&run, 1, stored.outcome, now).await.unwrap();
    }
    assert_eq!(tally(&lab.run(&version).await), json!([1, 1, 1, 0, 0]));
}
