//! Sending a run's cases out while the table's answers are lost or the queue is away: nobody waits for the sweep.

use e2e::text;
use runtime::{
    Queue,
    aws::{Aws, Endpoints},
};
use serde_json::{Value, json};
use testkit::{
    engines::{ACCESS_KEY, REGION, SECRET_KEY},
    fault::{Fault, Rule},
};

use crate::lab::{Lab, cases, echo, members, tally};

/// How often a client of the table tries a call.
const TRIES: u64 = 3;

/// Loses the answers to so many writes of a run's first claim; the table has it from the first on.
fn losing_answers(calls: u64) -> Rule {
    let claims = |body: &Value| body["Item"]["dispatched_attempt"]["N"] == "1";
    Rule::on("PutItem", Fault::DropAfter).when(claims).times(calls)
}

/// A queue that nobody reaches.
async fn nowhere() -> Queue {
    let url = "http://127.0.0.1:1";
    let endpoints = Endpoints { dynamodb: url.to_owned(), s3: url.to_owned(), sqs: url.to_owned() };
    let aws = Aws::connect_to(endpoints, REGION, ACCESS_KEY, SECRET_KEY).await;
    Queue::new(&aws, &format!("{url}/000000000000/cuecard-eval"))
}

/// A version whose cases are sent out while answers to its claim are lost; returns its run afterwards.
async fn run_after_losing(answers: u64) -> Value {
    let lab = Lab::new(echo).await;
    let version = lab.version("unheard", &cases(12, 1)).await;
    let rule = lab.world.faults().add(losing_answers(answers));
    let run = lab.finished(&version).await;
    assert_eq!((rule.injected(), lab.provider.calls()), (answers, 13), "{run}");
    assert_eq!(tally(&run), json!([13, 13, 12, 1, 0]));
    run
}

#[tokio::test]
async fn a_claim_that_meets_itself_when_the_client_tries_again_has_taken() {
    let run = run_after_losing(1).await;
    assert_eq!(members(&run, &["status", "redelivered_cases"]), json!(["completed", 0]));
}

#[tokio::test]
async fn a_claim_that_nobody_was_told_of_is_given_back() {
    let run = run_after_losing(TRIES).await;
    assert_eq!(members(&run, &["status", "redelivered_cases"]), json!(["completed", 13]));
}

#[tokio::test]
async fn a_claim_whose_cases_no_queue_takes_is_given_back() {
    let lab = Lab::new(echo).await;
    let version = lab.version("unsent", &cases(12, 1)).await;
    let app = dispatch::App { queue: nowhere().await, ..lab.world.dispatch() };
    for event in lab.world.written().await {
        let answer = dispatch::handle(event, &app).await.unwrap();
        assert_eq!(answer.batch_item_failures.len(), 1, "the record comes again");
    }
    assert_eq!(lab.run(&version).await["status"], "running");
    let run = lab.finished(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([13, 13, 12, 1, 0]), 13));
    assert_eq!(members(&run, &["status", "redelivered_cases"]), json!(["completed", 13]));
}

#[tokio::test]
async fn what_was_sent_or_is_asked_for_already_is_not_given_back() {
    let lab = Lab::new(echo).await;
    let version = lab.version("sent", &cases(3, 0)).await;
    let registry = lab.world.registry();
    let (prompt, run) =
        (text(&version["prompt_id"]).parse().unwrap(), text(&version["eval_run_id"]).parse().unwrap());
    let revision = async || registry.store.run(prompt, run).await.unwrap().unwrap().revision;
    let claimed = registry.claim_run(prompt, run, 7).await.unwrap().unwrap();
    registry.give_back(prompt, run, 8).await.unwrap();
    assert_eq!(revision().await, claimed.run.revision, "another claim's");
    registry.give_back(prompt, run, 7).await.unwrap();
    registry.give_back(prompt, run, 7).await.unwrap();
    assert_eq!(revision().await, claimed.run.revision + 1, "once");
    assert_eq!(lab.finished(&version).await["status"], "completed");
    let ended = revision().await;
    let claim = registry.store.run(prompt, run).await.unwrap().unwrap().claim.unwrap();
    registry.give_back(prompt, run, claim).await.unwrap();
    assert_eq!(revision().await, ended, "it has ended");
}
