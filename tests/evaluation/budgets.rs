//! A model's budget, which workers and trials share: how many calls a minute, and how many at once.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use domain::{Clock as _, Timestamp};
use e2e::{Answer, Call, World, WorldSettings, text};
use eval_worker::App;
use futures_util::future::join_all;
use serde_json::{Value, json};
use steer::STUCK_AFTER;
use testkit::{
    TestClock,
    provider::{CallInfo, Reply, ScriptedProvider},
};

use crate::lab::{Lab, cases, echo, members, model, tally, work};

/// A platform whose model has this budget.
async fn limited(
    requests_per_minute: Option<u32>,
    max_concurrency: Option<u32>,
    script: impl Fn(&CallInfo) -> Reply + Send + Sync + 'static,
) -> Lab {
    let provider = ScriptedProvider::start(script).unwrap();
    let mut model = model("test/model", &provider);
    (model.requests_per_minute, model.max_concurrency) = (requests_per_minute, max_concurrency);
    let world = World::with(WorldSettings { builtin: vec![model], ..WorldSettings::default() }).await;
    Lab { world, provider }
}

/// Two workers in two processes get one half of a run's cases each; what they lay aside is worked on after a while,
/// by a clock that moves only while nobody calls. Returns how many calls were made before it moved.
async fn two_workers(lab: &Lab, version: &Value) -> u64 {
    let first = lab.world.worker();
    let registry = lab.world.another_process().await.release.registry;
    let other = App { registry, ..first.clone() };
    lab.world.step_stream().await;
    let sent = lab.world.take_cases().await;
    let (mine, others) = sent.split_at(sent.len() / 2);
    tokio::join!(work(&first, mine), work(&other, others));
    let calls = lab.provider.calls();
    lab.ended(version).await;
    calls
}

#[tokio::test]
async fn two_workers_call_no_more_at_once_than_the_model_may_be() {
    let lab = limited(None, Some(3), echo).await;
    lab.provider.set_latency(Duration::from_secs(1));
    let version = lab.version("at-once", &cases(16, 0)).await;
    two_workers(&lab, &version).await;
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), &run["gate_result"]), (json!([16, 16, 16, 0, 0]), &json!("pass")));
    assert_eq!(lab.provider.calls(), 16);
    assert!((2..=3).contains(&lab.provider.peak()), "{} at once", lab.provider.peak());
}

#[tokio::test]
async fn two_workers_call_no_more_in_a_minute_than_the_model_may_be() {
    // The bucket holds 10; 90 more flow in during a minute, which is 3 in two seconds.
    let arrivals: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
    let clock: Arc<OnceLock<Arc<TestClock>>> = Arc::default();
    let (noted, reading) = (arrivals.clone(), clock.clone());
    let lab = limited(Some(100), None, move |call| {
        noted.lock().unwrap().push(reading.get().unwrap().now());
        echo(call)
    })
    .await;
    clock.set(lab.world.clock.clone()).unwrap();
    let version = lab.version("a-minute", &cases(20, 0)).await;
    let at_once = two_workers(&lab, &version).await;
    assert!((1..=10).contains(&at_once), "{at_once} calls while the clock stood still");
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), &run["gate_result"]), (json!([20, 20, 20, 0, 0]), &json!("pass")));
    let arrivals = arrivals.lock().unwrap();
    assert_eq!(arrivals.len(), 20);
    for (before, at) in arrivals.iter().enumerate() {
        let passed = at.since(arrivals[0]).unwrap().as_millis();
        assert!(before as u128 * 2000 < 20_000 + 3 * passed, "{} calls in {passed} ms", before + 1);
    }
}

#[tokio::test]
async fn a_call_that_fails_gives_its_leave_back() {
    let lab = limited(None, Some(1), |call| match call.attempt {
        1 => Reply::Status(429, Some(0)),
        _ => echo(call),
    })
    .await;
    let version = lab.version("given-back", &cases(3, 0)).await;
    two_workers(&lab, &version).await;
    assert_eq!(tally(&lab.run(&version).await), json!([3, 3, 3, 0, 0]));
    assert_eq!((lab.provider.calls(), lab.provider.peak()), (6, 1));
}

#[tokio::test]
async fn a_case_that_is_asked_more_often_than_the_budget_holds_is_asked_bit_by_bit() {
    // The bucket holds 2; 18 more flow in during a minute.
    let lab = limited(Some(20), None, echo).await;
    let version = lab.version("bit-by-bit", &cases(1, 0)).await;
    lab.ended(&version).await;
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    lab.world.clock.advance(Duration::from_mins(1));
    let run = lab.post(&path, &json!({ "repeats": 4 }), 202).await;
    let run = lab.ended(&run).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([1, 1, 1, 0, 0]), 1 + 4));
    let case = lab.cases(&run, "").await[0].clone();
    assert_eq!(members(&case, &["input_tokens", "output_tokens"]), json!([4 * 2, 4 * 2]));
}

#[tokio::test]
async fn a_case_that_waits_for_the_budget_is_not_taken_for_lost() {
    // The bucket holds 1.
    let lab = limited(Some(10), None, echo).await;
    let first = lab.version("first", &cases(1, 0)).await;
    lab.world.step_stream().await;
    let of_first = lab.world.take_cases().await;
    let waiting = lab.version("waiting", &cases(1, 0)).await;
    lab.world.step_stream().await;
    let of_waiting = lab.world.take_cases().await;
    lab.world.clock.advance(STUCK_AFTER);
    work(&lab.world.worker(), &of_first).await;
    work(&lab.world.worker(), &of_waiting).await;
    assert_eq!((lab.run(&first).await["status"].as_str(), lab.provider.calls()), (Some("completed"), 1));
    assert_eq!(lab.world.steer(STUCK_AFTER).await.runs_sent_again, 0);
    assert_eq!(tally(&lab.ended(&waiting).await), json!([1, 1, 1, 0, 0]));
}

async fn try_out(lab: &Lab) -> Answer {
    let draft = json!({ "template_text": "hello", "model_id": "test/model" });
    lab.world.admin(Call::post("/api/try", &json!({ "draft": draft }))).await
}

#[tokio::test]
async fn trials_wait_for_their_turn() {
    let lab = limited(None, Some(1), echo).await;
    lab.provider.set_latency(Duration::from_millis(200));
    for tried in join_all((0..3).map(|_| try_out(&lab))).await {
        assert_eq!(tried.expect(200)["output"], "hello");
    }
    assert_eq!((lab.provider.calls(), lab.provider.peak()), (3, 1));
}

#[tokio::test]
async fn a_trial_whose_turn_would_come_too_late_is_told_to_come_again() {
    // The bucket holds 1; the next flows in within two minutes.
    let lab = limited(Some(1), None, echo).await;
    let version = lab.version("first", &cases(1, 0)).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "pass");
    let refused = try_out(&lab).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.refused(429, "too-many-requests");
    lab.world.clock.advance(Duration::from_mins(2));
    try_out(&lab).await.expect(200);
    assert_eq!(lab.provider.calls(), 2);
    try_out(&lab).await.refused(429, "too-many-requests");
}

#[tokio::test]
async fn a_trial_that_fails_gives_its_leave_back() {
    let lab = limited(None, Some(1), |call| match call.attempt {
        1 => Reply::Status(503, None),
        _ => echo(call),
    })
    .await;
    try_out(&lab).await.refused(502, "provider");
    try_out(&lab).await.expect(200);
}
