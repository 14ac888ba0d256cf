//! Canaries over HTTP: they grow, are watched, and are taken back by themselves.

use std::time::Duration;

use e2e::{Answer, text};
use serde_json::{Value, json};

use crate::stage::{HOUR, MINUTE, Stage, event};

/// Two short stages.
fn stages() -> Value {
    json!([
        { "percent": 20, "min_samples": 10, "bake_minutes": 5 },
        { "percent": 50, "min_samples": 30, "bake_minutes": 5 },
    ])
}

async fn read(stage: &Stage, canary: &Value) -> Value {
    stage.get(&format!("/api/rollouts/{}", text(&canary["rollout_id"]))).await
}

async fn step(stage: &Stage, canary: &Value, step: &str) -> Answer {
    let path = format!("/api/rollouts/{}/{step}", text(&canary["rollout_id"]));
    stage.post(&path, &json!({ "reason": "said the person" })).await
}

/// So many users come, `offset` on, of whom the canary fails a share; returns how many the canary served.
async fn serve(stage: &Stage, users: std::ops::Range<usize>, fails: impl Fn(usize) -> bool) -> usize {
    let (mut events, mut served) = (Vec::new(), 0);
    for user in users {
        let answer = stage.resolve(&format!("user-{user}")).await;
        let canary = answer["version_id"] == stage.versions[1]["version_id"];
        served += usize::from(canary);
        events.push(event(&answer, &json!({ "error": canary && fails(user), "latency_ms": 200 })));
    }
    stage.report(&events).await;
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_one_reaches_everybody_and_stands_its_watch() {
    let stage = Stage::new(2).await;
    let canary = stage.try_canary(&json!({ "stages": stages() })).await.expect(201);
    assert_eq!(
        (&canary["stage"], &canary["percent"], &canary["status"]),
        (&json!(0), &json!(20.0), &json!("active"))
    );
    assert_eq!(stage.production().await["experiment_id"], canary["rollout_id"]);
    let mut minutes = 0;
    while stage.production().await["version_id"] != stage.versions[1]["version_id"] {
        assert!(minutes < 30, "{}", read(&stage, &canary).await);
        serve(&stage, minutes * 20..minutes * 20 + 20, |_| false).await;
        stage.pass(MINUTE).await;
        minutes += 1;
    }
    assert!(minutes >= 10, "two stages bake for five minutes each");
    let watched = read(&stage, &canary).await;
    assert_eq!(
        (&watched["status"], &watched["stage"], &watched["percent"]),
        (&json!("active"), &json!(null), &json!(100.0))
    );
    stage.world.clock.advance(Duration::from_secs(1));
    assert_eq!(serve(&stage, 0..30, |_| false).await, 30, "everybody is served the new version");
    stage.pass(23 * HOUR).await;
    assert_eq!(read(&stage, &canary).await["status"], "active");
    stage.pass(HOUR).await;
    let done = read(&stage, &canary).await;
    assert_eq!((&done["status"], &done["percent"]), (&json!("completed"), &json!(100.0)));
    let actions = stage.actions().await;
    assert_eq!(&actions[..4], ["rollout_ended", "promoted", "rollout_advanced", "rollout_started"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_errs_at_thirty_percent_is_taken_back_within_two_ticks_of_its_twentieth_request() {
    let stage = Stage::new(2).await;
    let wish = json!({ "stages": [{ "percent": 20, "min_samples": 500, "bake_minutes": 60 }] });
    let canary = stage.try_canary(&wish).await.expect(201);
    let other = stage.world.another_process().await;
    let (mut served, mut ticks_after_20) = (0, 0);
    while read(&stage, &canary).await["status"] == "active" {
        served += serve(&stage, served * 5..served * 5 + 25, |user| user * 7 % 10 < 3).await;
        stage.pass(MINUTE).await;
        ticks_after_20 += usize::from(served >= 20);
        assert!(served <= 60, "it served {served} and is not stopped: {}", read(&stage, &canary).await);
    }
    println!("stopped after {served} requests");
    assert!(ticks_after_20 <= 2, "{ticks_after_20} ticks after its 20th request");
    let stopped = read(&stage, &canary).await;
    assert_eq!((&stopped["status"], &stopped["percent"]), (&json!("stopped"), &json!(0.0)));
    assert!(text(&stopped["reasons"][0]).contains("errors"), "{stopped}");
    stage.world.clock.advance(Duration::from_secs(1));
    let path = stage.path("").replace("/prompts/", "/resolve/");
    for user in 0..50 {
        let call = e2e::Call::get(format!("{path}?user_id=user-{user}")).key(e2e::ADMIN);
        let answer = call.send(&other.router).await.expect(200);
        assert_eq!(answer["version_id"], stage.versions[0]["version_id"]);
    }
    let audit = format!("/api/audit?prompt_id={}&limit=1", text(&stage.prompt["prompt_id"]));
    let ended = stage.get(&audit).await["data"][0].clone();
    assert_eq!(ended["action"], "rollout_ended");
    let errors = &ended["evidence"]["observed"]["failures"]["error"];
    let failed = |arm: &str| errors[arm]["failed"].as_u64().unwrap();
    assert!(failed("canary") > failed("control"), "{ended}");
    assert_eq!(stage.steer().await, 0, "to stop it twice does nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_goes_bad_after_its_promotion_is_rolled_back() {
    let stage = Stage::new(2).await;
    serve(&stage, 0..200, |_| false).await;
    stage.world.clock.advance(24 * HOUR);
    let wish = json!({ "stages": [{ "percent": 50, "min_samples": 0, "bake_minutes": 0 }] });
    let canary = stage.try_canary(&wish).await.expect(201);
    step(&stage, &canary, "advance").await.expect(200);
    assert_eq!(stage.production().await["version_id"], stage.versions[1]["version_id"]);
    stage.world.clock.advance(Duration::from_secs(1));
    serve(&stage, 0..40, |user| user.is_multiple_of(3)).await;
    stage.pass(MINUTE).await;
    let stopped = read(&stage, &canary).await;
    assert_eq!(stopped["status"], "stopped", "{stopped}");
    assert_eq!(stage.production().await["version_id"], stage.versions[0]["version_id"]);
    let newest = stage.get(&stage.path("/history?limit=1")).await["data"][0].clone();
    assert_eq!((&newest["action"], &newest["actor"]["name"]), (&json!("rolled_back"), &json!("steer")));
}

/// Users come until the canary, which takes ten times as long, has served so many; returns the next user.
async fn serve_slowly(stage: &Stage, first: usize, many: usize) -> usize {
    let (mut events, mut user, mut served) = (Vec::new(), first, 0);
    while served < many {
        let answer = stage.resolve(&format!("user-{user}")).await;
        let canary = answer["version_id"] == stage.versions[1]["version_id"];
        served += usize::from(canary);
        let latency = (150 + user % 10 * 10) * if canary { 10 } else { 1 };
        events.push(event(&answer, &json!({ "latency_ms": latency })));
        user += 1;
    }
    stage.report(&events).await;
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stages_counted_is_in_the_watch_once() {
    let stage = Stage::new(2).await;
    serve(&stage, 0..200, |_| false).await;
    stage.world.clock.advance(24 * HOUR);
    let wish = json!({ "stages": [{ "percent": 50, "min_samples": 0, "bake_minutes": 0 }] });
    let canary = stage.try_canary(&wish).await.expect(201);
    // Means of fewer than 30 calls say nothing.
    let next = serve_slowly(&stage, 0, 20).await;
    step(&stage, &canary, "advance").await.expect(200);
    stage.pass(MINUTE).await;
    assert_eq!(read(&stage, &canary).await["status"], "active");
    serve_slowly(&stage, next, 15).await;
    stage.pass(MINUTE).await;
    assert_eq!(read(&stage, &canary).await["status"], "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_binary_guardrail_stops_what_breaks_it() {
    for (guardrail, bad) in [
        (json!({ "metric": "error" }), json!({ "error": true })),
        (json!({ "metric": "refusal" }), json!({ "refusal": true })),
        (json!({ "metric": "latency_slo", "slo_ms": 500 }), json!({ "latency_ms": 501 })),
    ] {
        let stage = Stage::new(2).await;
        let wish = json!({
            "stages": [{ "percent": 50, "min_samples": 500, "bake_minutes": 60 }], "guardrails": [guardrail],
        });
        let canary = stage.try_canary(&wish).await.expect(201);
        let fine = json!({ "error": false, "refusal": false, "latency_ms": 500 });
        let mut events = Vec::new();
        for user in 0..60 {
            let answer = stage.resolve(&format!("user-{user}")).await;
            events.push(event(&answer, if answer["variant"] == "canary" { &bad } else { &fine }));
        }
        stage.report(&events).await;
        stage.pass(MINUTE).await;
        let stopped = read(&stage, &canary).await;
        assert_eq!(stopped["status"], "stopped", "{guardrail}: {stopped}");
    }
}

#[tokio::test]
async fn people_pause_resume_advance_and_abort() {
    let stage = Stage::new(2).await;
    let canary = stage.try_canary(&json!({ "stages": stages() })).await.expect(201);
    assert!(step(&stage, &canary, "pause").await.expect(200)["paused_at"].is_string());
    serve(&stage, 0..200, |_| false).await;
    stage.pass(10 * MINUTE).await;
    assert_eq!(read(&stage, &canary).await["stage"], 0, "it is held");
    assert_eq!(step(&stage, &canary, "resume").await.expect(200)["paused_at"], json!(null));
    assert_eq!(step(&stage, &canary, "advance").await.expect(200)["stage"], 1);
    let aborted = step(&stage, &canary, "abort").await.expect(200);
    assert_eq!((&aborted["status"], &aborted["reasons"][0]), (&json!("stopped"), &json!("said the person")));
    assert_eq!(stage.production().await["experiment_id"], json!(null));
    step(&stage, &canary, "abort").await.expect(200);
    step(&stage, &canary, "advance").await.refused(409, "conflict");
    let actions = stage.actions().await;
    assert_eq!(&actions[..4], ["rollout_ended", "rollout_advanced", "rollout_resumed", "rollout_paused"]);
    let moves = ["rollout_ended", "rollout_advanced", "rollout_started", "promoted"];
    assert_eq!(stage.moves().await, moves, "a pause moves nothing");
}

#[tokio::test]
async fn a_rollback_ends_it() {
    let stage = Stage::new(2).await;
    let canary = stage.try_canary(&json!({ "stages": stages() })).await.expect(201);
    let back = stage.world.roll_back(&stage.prompt, "production").await.expect(200);
    assert_eq!(back["stopped_experiment_id"], canary["rollout_id"]);
    assert_eq!(read(&stage, &canary).await["status"], "stopped");
}

#[tokio::test]
async fn another_promotion_ends_its_watch() {
    let stage = Stage::new(3).await;
    let canary = stage.try_canary(&json!({ "stages": stages() })).await.expect(201);
    step(&stage, &canary, "advance").await.expect(200);
    step(&stage, &canary, "advance").await.expect(200);
    stage.world.promote(&stage.prompt, &stage.versions[2], "production").await.expect(200);
    stage.pass(MINUTE).await;
    let ended = read(&stage, &canary).await;
    assert_eq!(
        (&ended["status"], &ended["reasons"][0]),
        (&json!("stopped"), &json!("another version or trial took its place"))
    );
    assert_eq!(stage.production().await["version_id"], stage.versions[2]["version_id"]);
}

#[tokio::test]
async fn the_first_stage_fits_the_traffic_unless_stages_are_given() {
    let stage = Stage::new(2).await;
    let without_traffic = stage.try_canary(&json!({})).await.expect(201);
    assert_eq!((&without_traffic["stage"], &without_traffic["percent"]), (&json!(3), &json!(50.0)));
    assert_eq!(without_traffic["stages"].as_array().unwrap().len(), 4);
    step(&stage, &without_traffic, "abort").await.expect(200);
    let live = stage.try_canary(&json!({ "version_id": stage.id(0) })).await;
    assert_eq!(live.refused(422, "invalid")["errors"][0]["pointer"], "/version_id");
    let wrong = stage
        .try_canary(&json!({ "stages": [{ "percent": 100, "min_samples": 1, "bake_minutes": 1 }] }))
        .await;
    assert_eq!(wrong.refused(422, "invalid")["errors"][0]["pointer"], "/stages/0/percent");
}
