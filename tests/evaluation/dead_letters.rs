//! A case that no worker survives becomes an errored one, and its run ends.

use e2e::text;
use serde_json::json;
use store::keys::TelemetryKey;
use testkit::fault::{Fault, Rule};

use crate::lab::{Lab, cases, echo, members, tally};

#[tokio::test]
async fn a_case_that_fails_three_workers_is_errored_and_the_run_ends() {
    let lab = Lab::new(echo).await;
    let mut cases = cases(50, 0);
    cases[6]["tags"] = json!(["critical"]);
    let version = lab.version("poisoned", &cases).await;
    let poisoned = TelemetryKey::Case(text(&version["eval_run_id"]).parse().unwrap(), 7).sk();
    // An error that no client tries again: each worker fails at once.
    let rule = Rule::on("PutItem", Fault::Exception("ItemCollectionSizeLimitExceededException"));
    let rule = lab.world.faults().add(rule.when(move |body| body["Item"]["sk"]["S"] == poisoned.as_str()));

    let run = lab.finished(&version).await;
    assert_eq!((rule.injected(), tally(&run)), (3, json!([50, 49, 49, 0, 0])));
    assert_eq!(run["status"], "running");
    rule.end();
    assert_eq!(lab.world.step_dead_letters().await, 1);
    let run = lab.run(&version).await;
    assert_eq!(tally(&run), json!([50, 50, 49, 0, 1]));
    let case = lab.cases(&version, "?outcome=errored").await[0].clone();
    assert_eq!(members(&case, &["number", "case_id", "critical", "output"]), json!([7, "c7", true, null]));
    assert_eq!(case["error"], "No worker survived this case: it was tried three times.");
    assert_eq!(
        members(&run, &["status", "gate_result"]),
        json!(["completed", "fail"]),
        "a critical case is missing"
    );
}

#[tokio::test]
async fn a_dead_letter_of_a_case_that_has_its_result_changes_nothing() {
    let lab = Lab::new(echo).await;
    let version = lab.version("late", &cases(2, 0)).await;
    lab.world.step_stream().await;
    let sent = lab.world.take_cases().await;
    // The result is stored, and the counting fails three workers.
    let rule = Rule::on("UpdateItem", Fault::Exception("ItemCollectionSizeLimitExceededException"));
    let rule = lab.world.faults().add(rule);
    lab.world.send_cases(&sent[..1]).await;
    lab.world.work().await;
    rule.end();
    assert_eq!((rule.injected(), lab.provider.calls()), (3, 1));
    assert_eq!(lab.world.step_dead_letters().await, 1);
    assert_eq!(tally(&lab.run(&version).await), json!([2, 1, 1, 0, 0]), "it passed, and is counted so");
    lab.world.send_cases(&sent[1..]).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "pass");
}
