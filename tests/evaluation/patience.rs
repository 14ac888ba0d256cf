//! Patience with providers: what they refuse for a while is sent again, what they refuse for ever ends.

use std::time::Duration;

use domain::eval_run::CaseMessage;
use e2e::{World, WorldSettings};
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members, model, tally};

/// Asks for patience, though none that a test would have to wait for.
const THROTTLED: Reply = Reply::Status(429, Some(0));

fn number(call: &CallInfo) -> u32 {
    call.user().rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn throttled_cases_are_sent_again_and_nothing_counts_twice() {
    let lab = Lab::new(|call| match (number(call) % 2, call.attempt) {
        (0, 1) => THROTTLED,
        _ => echo(call),
    })
    .await;
    let version = lab.version("throttled", &cases(30, 0)).await;
    let run = lab.finished(&version).await;
    assert_eq!(tally(&run), json!([30, 30, 30, 0, 0]));
    assert_eq!(
        members(&run, &["status", "gate_result", "redelivered_cases"]),
        json!(["completed", "pass", 0])
    );
    assert_eq!(lab.provider.calls(), 30 + 15);
    assert_eq!((lab.provider.calls_for("question 7"), lab.provider.calls_for("question 8")), (1, 2));
    assert_eq!(lab.cases(&version, "?outcome=passed").await.len(), 30);
}

#[tokio::test]
async fn the_attempts_travel_with_the_case() {
    let lab = Lab::new(|_| THROTTLED).await;
    let version = lab.version("attempts", &cases(1, 0)).await;
    lab.world.step_stream().await;
    let sent = lab.world.take_cases().await;
    assert_eq!(sent[0].attempt, 1);
    lab.world.send_cases(&[CaseMessage { attempt: 4, ..sent[0] }]).await;
    let run = lab.finished(&version).await;
    assert_eq!(
        (tally(&run), lab.provider.calls()),
        (json!([1, 1, 0, 0, 1]), 17),
        "the fourth try to the twentieth"
    );
}

#[tokio::test]
async fn each_way_of_giving_no_answer_is_the_providers_fault_and_a_refusal_is_not() {
    let ways = [
        (Reply::Status(500, None), "The model's provider does not answer: status 500."),
        (Reply::Hang, "The model's provider does not answer: the call took too long."),
        (Reply::Drop, "The model's provider does not answer: its answer was cut."),
        (Reply::CutJson, "The model's provider does not answer: its answer was cut."),
        (Reply::Status(400, None), "The model's provider refused the call with status 400: scripted"),
    ];
    let replies = ways.clone();
    let provider = ScriptedProvider::start(move |call| replies[number(call) as usize - 1].0.clone()).unwrap();
    let builtin = vec![model("test/model", &provider)];
    // It bounds the answers that come, too.
    let model_timeout = Duration::from_secs(10);
    let world = World::with(WorldSettings { builtin, model_timeout, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let version = lab.version("ways", &cases(5, 0)).await;
    lab.world.step_stream().await;
    let last =
        lab.world.take_cases().await.into_iter().map(|case| CaseMessage { attempt: 5, failures: 4, ..case });
    lab.world.send_cases(&last.collect::<Vec<_>>()).await;
    let run = lab.finished(&version).await;
    assert_eq!((tally(&run), &run["status"]), (json!([5, 5, 0, 0, 5]), &json!("errored")));
    let reason = run["gate_reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("4 of 5 cases got no answer"), "{reason}");
    let errors: Vec<_> = lab.cases(&version, "").await.iter().map(|case| case["error"].clone()).collect();
    assert_eq!(errors, ways.map(|(_, error)| error));
}

/// A run of 50 cases of which the provider refuses the first so many for ever.
async fn refused(many: u32) -> (Lab, Value, Value) {
    let lab = Lab::new(move |call| if number(call) <= many { THROTTLED } else { echo(call) }).await;
    let version = lab.version("refused", &cases(50, 0)).await;
    let run = lab.finished(&version).await;
    (lab, version, run)
}

#[tokio::test]
async fn at_two_percent_provider_errors_a_run_is_judged_and_attempts_are_bounded() {
    let (lab, version, run) = refused(1).await;
    assert_eq!(tally(&run), json!([50, 50, 49, 0, 1]));
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]));
    assert_eq!(
        run["gate_reasons"],
        json!([
            "49 of 49 cases pass (100.0 %); the gate asks for 80.0 %. Not counted: 1 case without an answer from \
             the provider."
        ])
    );
    assert_eq!((lab.provider.calls_for("question 1"), lab.provider.calls()), (20, 49 + 20));
    let case = lab.cases(&version, "?outcome=errored").await[0].clone();
    assert_eq!(
        members(&case, &["case_id", "output", "error"]),
        json!(["c1", null, "The model's provider is over its rate limit."])
    );
}

#[tokio::test]
async fn above_two_percent_the_run_is_errored_and_the_version_waits() {
    let (lab, version, run) = refused(2).await;
    assert_eq!(tally(&run), json!([50, 50, 48, 0, 2]));
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["errored", null]));
    assert_eq!(
        run["gate_reasons"],
        json!([
            "2 of 50 cases got no answer from the model's provider. That says nothing about the prompt: evaluate \
                again when the provider is well."
        ])
    );
    assert_eq!(lab.status(&version).await, "pending");
    assert_eq!(lab.provider.calls(), 48 + 2 * 20);
}
