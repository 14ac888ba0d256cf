//! Asking for runs, stopping them, and waiting for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{sync::Arc, time::Duration};

use e2e::{Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members, model, run_path, tally};

fn ask(version: &Value) -> String {
    format!("/api/versions/{}/evals", text(&version["version_id"]))
}

#[tokio::test]
async fn another_model_or_test_set_is_tried_without_deciding_about_the_version() {
    let provider = ScriptedProvider::start(echo).unwrap();
    let mumbling = ScriptedProvider::start(|_| Reply::Answer("mumble".to_owned())).unwrap();
    let builtin = vec![model("test/model", &provider), model("test/mumble", &mumbling)];
    let world = World::with(WorldSettings { builtin, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let version = lab.version("tried", &cases(20, 0)).await;
    lab.finished(&version).await;
    assert_eq!(lab.status(&version).await, "passed");

    let hard = lab.test_set(&cases(0, 20)).await;
    for (body, purpose) in
        [(json!({ "model_id": "test/mumble" }), "other_model"), (json!({ "test_set_id": hard }), "trial")]
    {
        let run = lab.post(&ask(&version), &body, 202).await;
        assert_eq!(members(&run, &["status", "purpose"]), json!(["queued", purpose]), "{run}");
        assert_eq!(lab.status(&version).await, "passed", "{body}");
        let run = lab.finished(&run).await;
        assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "fail"]));
        assert_eq!(lab.status(&version).await, "passed", "{body}");
    }
    assert_eq!((lab.provider.calls(), mumbling.calls()), (40, 20));
    let path = format!("/api/prompts/{}/evals", text(&version["prompt_id"]));
    assert_eq!(lab.get(&path).await["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_run_of_the_prompts_own_test_set_decides_anew() {
    let moody = Arc::new(AtomicBool::new(false));
    let mood = moody.clone();
    let lab = Lab::new(
        move |call| {
            if mood.load(Ordering::SeqCst) { Reply::Answer("no".to_owned()) } else { echo(call) }
        },
    )
    .await;
    let version = lab.version("anew", &cases(20, 0)).await;
    lab.finished(&version).await;
    assert_eq!(lab.status(&version).await, "passed");
    moody.store(true, Ordering::SeqCst);
    let run = lab.post(&ask(&version), &json!({}), 202).await;
    assert_eq!((text(&run["purpose"]), lab.status(&version).await.as_str()), ("verdict", "pending"));
    lab.finished(&run).await;
    assert_eq!(lab.status(&version).await, "failed");
}

#[tokio::test]
async fn an_older_run_does_not_decide_over_a_newer_one() {
    let lab = Lab::new(echo).await;
    let version = lab.version("older", &cases(20, 0)).await;
    let newer = lab.post(&ask(&version), &json!({}), 202).await;
    lab.world.step_stream().await;
    let sent = lab.world.take_cases().await;
    let (of_older, of_newer): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(|case| case.eval_run_id.to_string() == text(&version["eval_run_id"]));
    lab.world.send_cases(&of_older).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "pass");
    assert_eq!(lab.status(&version).await, "pending", "the newer run is still out");
    lab.world.send_cases(&of_newer).await;
    assert_eq!(lab.finished(&newer).await["gate_result"], "pass");
    assert_eq!(lab.status(&version).await, "passed");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let lab = Lab::new(echo).await;
    let prompt = lab.world.prompt("support", "bare", &json!({})).await;
    let version = lab.world.version(&prompt, &json!({ "template_text": "Hello" })).await;
    assert_eq!(members(&version, &["eval_status", "eval_run_id"]), json!(["none", null]));
    let empty = json!({ "name": "empty", "team_id": "support" });
    let empty = lab.post("/api/test-sets", &empty, 201).await["test_set_id"].clone();
    for (body, pointer) in [
        (json!({}), "/test_set_id"),
        (json!({ "test_set_id": empty }), "/test_set_id"),
        (json!({ "repeats": 0 }), "/repeats"),
        (json!({ "repeats": 11 }), "/repeats"),
        (json!({ "repeats": 2, "reuse": true }), "/reuse"),
        (json!({ "deadline_minutes": 0 }), "/deadline_minutes"),
        (json!({ "deadline_minutes": 1441 }), "/deadline_minutes"),
    ] {
        let refused = lab.world.admin(Call::post(ask(&version), &body)).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    lab.world.work().await;
    assert_eq!(lab.provider.calls(), 0);
}

#[tokio::test]
async fn after_a_cancel_nothing_is_called_any_more_and_nothing_is_decided() {
    let lab = Lab::new(echo).await;
    let version = lab.version("stopped", &cases(10, 0)).await;
    lab.world.step_stream().await;
    let (first, rest) = split(lab.world.take_cases().await, 4);
    lab.world.send_cases(&first).await;
    lab.world.step_queue().await;
    let run = lab.post(&run_path(&version, "/cancel"), &json!({}), 200).await;
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["cancelled", null]));
    assert_eq!(run["gate_reasons"], json!(["Somebody stopped the run."]));

    lab.world.send_cases(&rest).await;
    lab.world.send_cases(&first).await;
    lab.world.clock.advance(Duration::from_hours(1));
    lab.world.steer(Duration::from_mins(1)).await;
    let run = lab.finished(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([10, 4, 4, 0, 0]), 4));
    assert_eq!((text(&run["status"]), lab.status(&version).await.as_str()), ("cancelled", "pending"));
    lab.world.admin(Call::post(run_path(&version, "/cancel"), &json!({}))).await.refused(409, "conflict");
}

fn split<T>(mut all: Vec<T>, at: usize) -> (Vec<T>, Vec<T>) {
    let rest = all.split_off(at);
    (all, rest)
}

#[tokio::test]
async fn who_waits_in_vain_is_told_where_the_run_stands() {
    let lab = Lab::new(echo).await;
    let prompt = lab.prompt("waited", &cases(3, 0)).await;
    let path = format!("/api/prompts/{}/versions?wait=1", text(&prompt["prompt_id"]));
    let content = json!({ "template_text": "{{ message }}", "model_id": "test/model" });
    let version = lab.post(&path, &content, 202).await;
    assert_eq!(version["eval_status"], "pending");
    assert_eq!(members(&version["eval_run"], &["status", "total_cases"]), json!(["queued", 3]));
    lab.finished(&version).await;
    assert_eq!(lab.status(&version).await, "passed");
    let again = lab.post(&path, &content, 200).await;
    assert_eq!(members(&again, &["unchanged", "eval_status"]), json!([true, "passed"]));
}
