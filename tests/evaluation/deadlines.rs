//! A run past its deadline ends, and says why.

use std::time::Duration;

use e2e::text;
use serde_json::json;

use crate::lab::{Lab, cases, echo, members, without};

const STUCK: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_run_past_its_deadline_is_given_up_with_what_it_has() {
    let lab = Lab::new(echo).await;
    let version = lab.version("late", &cases(5, 0)).await;
    lab.finished(&version).await;
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let run = lab.post(&path, &json!({ "deadline_minutes": 5 }), 202).await;
    lab.world.step_stream().await;
    let sent = lab.world.take_cases().await;
    lab.world.send_cases(&sent[..2]).await;
    lab.world.step_queue().await;

    lab.world.clock.advance(Duration::from_mins(5));
    lab.world.steer(STUCK).await;
    assert_eq!(lab.run(&run).await["status"], "running", "it has these five minutes");
    lab.world.clock.advance(Duration::from_millis(1));
    lab.world.steer(STUCK).await;
    let ended = lab.run(&run).await;
    assert_eq!(members(&ended, &["status", "gate_result", "completed_cases"]), json!(["errored", null, 2]));
    let reason =
        "The run was not done by its deadline: 2 of 5 cases were. Evaluate again, or give it longer.";
    assert_eq!(ended["gate_reasons"], json!([reason]));
    assert_eq!(lab.status(&version).await, "pending");
    lab.world.send_cases(&sent[2..]).await;
    lab.world.work().await;
    assert_eq!((lab.run(&run).await, lab.provider.calls()), (ended, 5 + 2), "nobody is asked any more");
}

#[tokio::test]
async fn without_another_word_a_run_has_an_hour() {
    let lab = Lab::new(echo).await;
    let version = lab.version("hour", &cases(5, 0)).await;
    lab.world.clock.advance(Duration::from_hours(1));
    lab.world.steer(STUCK).await;
    assert_eq!(lab.run(&version).await["status"], "queued");
    lab.world.clock.advance(Duration::from_millis(1));
    lab.world.steer(STUCK).await;
    assert_eq!(lab.finished(&version).await["status"], "errored");
    assert_eq!(lab.provider.calls(), 0);
}

#[tokio::test]
async fn a_run_with_more_time_gives_its_baseline_as_much() {
    let lab = Lab::new(without(|_, _| false)).await;
    let prompt = lab.prompt("beside", &cases(5, 0)).await;
    let live = lab.saying(&prompt, "v1").await;
    lab.finished(&live).await;
    lab.world.promote(&prompt, &live, "production").await.expect(200);
    let next = lab.saying(&prompt, "v2").await;
    lab.finished(&next).await;
    lab.new_cases(&prompt, &cases(6, 0)).await;
    let path = format!("/api/versions/{}/evals", text(&next["version_id"]));
    let run = lab.post(&path, &json!({ "deadline_minutes": 120 }), 202).await;
    let baseline = json!({ "eval_run_id": lab.run(&run).await["baseline_eval_run_id"] });
    lab.world.clock.advance(Duration::from_hours(2));
    lab.world.steer(STUCK).await;
    for run in [&run, &baseline] {
        assert_eq!(lab.run(run).await["status"], "queued");
    }
    assert_eq!(lab.finished(&run).await["status"], "completed");
}

#[tokio::test]
async fn a_run_that_waits_for_its_baseline_waits_no_longer_than_it_may() {
    let lab = Lab::new(without(|_, _| false)).await;
    let prompt = lab.prompt("beside", &cases(5, 0)).await;
    let live = lab.saying(&prompt, "v1").await;
    assert_eq!(lab.finished(&live).await["gate_result"], "pass");
    lab.world.promote(&prompt, &live, "production").await.expect(200);
    lab.new_cases(&prompt, &cases(6, 0)).await;
    let next = lab.saying(&prompt, "v2").await;
    let path = format!("/api/versions/{}/evals", text(&next["version_id"]));
    let run = lab.post(&path, &json!({ "deadline_minutes": 5 }), 202).await;
    lab.world.step_stream().await;
    let mut sent = lab.world.take_cases().await;
    sent.retain(|case| case.eval_run_id.to_string() == text(&run["eval_run_id"]));
    lab.world.send_cases(&sent).await;
    lab.world.step_queue().await;
    assert_eq!(members(&lab.run(&run).await, &["status", "completed_cases"]), json!(["running", 6]));
    lab.world.clock.advance(Duration::from_mins(5) + Duration::from_millis(1));
    lab.world.steer(STUCK).await;
    assert_eq!(members(&lab.run(&run).await, &["status", "gate_result"]), json!(["errored", null]));
    assert_eq!(lab.status(&next).await, "pending");
}
