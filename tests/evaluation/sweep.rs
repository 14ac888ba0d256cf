//! What `steer` does about runs that stand still, so that each run ends whatever was lost.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Figure,
    eval_run::{CaseMessage, CaseOutcome},
    money::Usd,
};
use e2e::{Raised, text};
use registry::evaluation::Watch;
use serde_json::{Value, json};
use testkit::{
    fault::{Fault, Rule},
    provider::Reply,
};

use crate::lab::{Lab, cases, echo, members, tally, work};

/// How long a run may stand still here.
const STUCK: Duration = Duration::from_mins(1);

/// Lets the time pass after which a run counts as stuck; returns how many were asked for again.
async fn sweep(lab: &Lab) -> usize {
    lab.world.clock.advance(STUCK);
    lab.world.steer(STUCK).await.runs_sent_again
}

/// Sends runs out that ask for it, and takes the cases from the queue.
async fn sent(lab: &Lab) -> Vec<CaseMessage> {
    lab.world.step_stream().await;
    lab.world.take_cases().await
}

async fn deliver(lab: &Lab, cases: &[CaseMessage]) {
    lab.world.send_cases(cases).await;
    lab.world.step_queue().await;
}

fn numbers(cases: &[CaseMessage]) -> BTreeSet<u32> {
    cases.iter().map(|case| case.number).collect()
}

#[tokio::test]
async fn after_a_lost_queue_the_missing_cases_alone_are_sent_again() {
    let lab = Lab::new(echo).await;
    let version = lab.version("lost", &cases(9, 1)).await;
    let mut lost = sent(&lab).await;
    let done = lost.split_off(6);
    deliver(&lab, &done).await;
    assert_eq!(lab.world.steer(STUCK).await.runs_sent_again, 0, "it has just made progress");
    lab.world.clock.advance(STUCK);
    let raised = Raised::listen();
    let both = tokio::join!(lab.world.steer(STUCK), lab.world.steer(STUCK));
    let runs = both.0.runs_sent_again + both.1.runs_sent_again;
    assert!(runs >= 1);
    let told: u64 = raised.values(Figure::RunsSentAgain).iter().sum();
    assert_eq!(told, runs as u64, "and people are told");
    let again = sent(&lab).await;
    assert_eq!((again.len(), numbers(&again)), (6, numbers(&lost)), "once, though two asked");
    assert_eq!(lab.run(&version).await["redelivered_cases"], 6);
    deliver(&lab, &again).await;
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([10, 10, 9, 1, 0]), 10));
    assert_eq!(
        members(&run, &["status", "gate_result", "redelivered_cases"]),
        json!(["completed", "pass", 6])
    );
    assert_eq!((sweep(&lab).await, lab.run(&version).await), (0, run), "what has ended is left alone");
}

#[tokio::test]
async fn a_run_whose_last_counter_died_before_it_closed_it_is_closed() {
    let lab = Lab::new(echo).await;
    let version = lab.version("unclosed", &cases(3, 0)).await;
    let sent = sent(&lab).await;
    deliver(&lab, &sent[..2]).await;
    let registry = lab.world.registry();
    let run =
        registry.store.run_by_id(text(&version["eval_run_id"]).parse().unwrap()).await.unwrap().unwrap();
    let first = registry.store.case_result(run.eval_run_id, sent[0].number).await.unwrap().unwrap();
    let last = domain::eval_run::CaseResult { number: sent[2].number, ..first };
    registry.store.put_case_result(run.eval_run_id, last, registry.sources.now()).await.unwrap();
    let counted =
        registry.store.count_case(&run, sent[2].number, CaseOutcome::Passed, registry.sources.now());
    assert_eq!(counted.await.unwrap(), store::Progress::Complete);
    assert_eq!(members(&lab.run(&version).await, &["status", "completed_cases"]), json!(["running", 3]));
    assert_eq!(sweep(&lab).await, 0, "it is closed, and no case is sent again");
    let run = lab.run(&version).await;
    assert_eq!(
        members(&run, &["status", "gate_result", "redelivered_cases"]),
        json!(["completed", "pass", 0])
    );
    assert_eq!((lab.provider.calls(), lab.status(&version).await.as_str()), (2, "passed"));
}

#[tokio::test]
async fn a_run_that_makes_no_progress_at_all_is_given_up_after_five_sendings() {
    let lab = Lab::new(echo).await;
    let version = lab.version("given-up", &cases(3, 0)).await;
    for sending in 1..=5 {
        assert_eq!(sent(&lab).await.len(), 3, "sending {sending}");
        assert_eq!(sweep(&lab).await, usize::from(sending < 5), "after sending {sending}");
    }
    let run = lab.run(&version).await;
    assert_eq!(members(&run, &["status", "gate_result", "redelivered_cases"]), json!(["errored", null, 12]));
    assert_eq!(
        run["gate_reasons"],
        json!(["The cases were sent out 5 times in a row without progress, and 3 of 3 never came back."])
    );
    assert_eq!((sent(&lab).await.len(), lab.status(&version).await.as_str()), (0, "pending"));
}

#[tokio::test]
async fn a_run_that_makes_some_progress_each_time_is_never_given_up() {
    let lab = Lab::new(echo).await;
    let version = lab.version("slow", &cases(8, 0)).await;
    for done in 0..8 {
        let sent = sent(&lab).await;
        assert_eq!(sent.len(), 8 - done);
        deliver(&lab, &sent[..1]).await;
        assert_eq!(sweep(&lab).await, usize::from(done < 7));
    }
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([8, 8, 8, 0, 0]), 8));
    assert_eq!(run["redelivered_cases"], (1..8).sum::<u32>());
}

#[tokio::test]
async fn asking_again_and_again_while_nothing_is_sent_is_no_failed_sending() {
    let lab = Lab::new(echo).await;
    let version = lab.version("waiting", &cases(3, 0)).await;
    for _ in 0..6 {
        assert_eq!(sweep(&lab).await, 1, "nobody reads the stream");
    }
    let run: Value = lab.finished(&version).await;
    assert_eq!(
        members(&run, &["status", "gate_result", "redelivered_cases"]),
        json!(["completed", "pass", 0])
    );
    assert_eq!(lab.provider.calls(), 3, "many records, one sending");
}

#[tokio::test]
async fn a_case_that_was_sent_again_is_not_taken_for_lost() {
    let lab = Lab::new(|call| match call.attempt {
        1 => Reply::Status(429, Some(0)),
        _ => echo(call),
    })
    .await;
    let version = lab.version("throttled", &cases(1, 0)).await;
    let cases = sent(&lab).await;
    lab.world.clock.advance(STUCK);
    work(&lab.world.worker(), &cases).await;
    assert_eq!((lab.provider.calls(), lab.world.take_cases().await.len()), (1, 1), "and then it is lost");
    assert_eq!(lab.world.steer(STUCK).await.runs_sent_again, 0, "a worker has just had it");
    assert_eq!(sweep(&lab).await, 1, "nobody has");
    let run = lab.finished(&version).await;
    assert_eq!((tally(&run), &run["redelivered_cases"]), (json!([1, 1, 1, 0, 0]), &json!(1)));
}

#[tokio::test]
async fn a_run_that_cannot_be_ended_keeps_nothing_else_from_happening() {
    let lab = Lab::new(echo).await;
    let live = lab.version("live", &cases(5, 0)).await;
    lab.finished(&live).await;
    lab.world.promote(&live, &live, "production").await.expect(200);
    // The newest comes first.
    let (late, endless) =
        (lab.version("late", &cases(2, 0)).await, lab.version("endless", &cases(2, 0)).await);
    let run = text(&endless["eval_run_id"]).to_owned();
    let rule = Rule::on("TransactWriteItems", Fault::Exception("ValidationException"));
    let rule = lab.world.faults().add(rule.when(move |body| body.to_string().contains(&run)));
    lab.world.clock.advance(Duration::from_hours(25));
    let watch = Watch { every: Duration::from_hours(24), most_usd: Usd::MOST };
    let app = steer::App { watch, ..lab.world.steering(STUCK) };
    assert!(steer::handle(&app).await.is_err() && rule.injected() > 0, "it is told of");
    assert_eq!(
        (&lab.run(&late).await["status"], &lab.run(&endless).await["status"]),
        (&json!("errored"), &json!("queued"))
    );
    let runs = lab.get(&format!("/api/prompts/{}/evals", text(&live["prompt_id"]))).await;
    assert_eq!(runs["data"][0]["purpose"], "watch", "{runs}");
    rule.end();
    lab.world.steer(STUCK).await;
    assert_eq!(lab.run(&endless).await["status"], "errored");
}
