//! Who decides when several do at once: one tick of two, and a person before the schedule.

use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Call, text};
use serde_json::json;
use testkit::fault::{Fault, Rule};

use crate::stage::{HOUR, Stage, event};

/// A trial in which the second arm is far better, and a day old.
async fn decided(stage: &Stage) -> String {
    let made = stage.experiment(&json!({ "allocation_strategy": "thompson_sampling" })).await;
    let mut events = Vec::new();
    for user in 0..400 {
        let answer = stage.resolve(&format!("user-{user}")).await;
        let succeeds = answer["variant"] == "B" || user % 5 == 0;
        events.push(event(&answer, &json!({ "success": succeeds })));
    }
    stage.report(&events).await;
    stage.world.clock.advance(25 * HOUR);
    text(&made["experiment_id"]).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_ticks_at_once_one_writes() {
    let stage = Stage::new(2).await;
    let other = stage.world.another_process().await;
    let experiment = decided(&stage).await;
    let (one, two) = tokio::join!(stage.world.release().steer_trials(), other.release.steer_trials());
    assert_eq!(one.unwrap() + two.unwrap(), 1, "one of them ended it");
    let ended = stage.get(&format!("/api/experiments/{experiment}")).await;
    assert_eq!(ended["outcome"], "winner");
    let ends = stage.actions().await.iter().filter(|action| *action == "promoted").count();
    assert_eq!(ends, 2, "the first version's promotion, and the winner's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_rolls_back_wins_against_the_schedule() {
    for _ in 0..5 {
        let stage = Stage::new(2).await;
        decided(&stage).await;
        let over = AtomicBool::new(false);
        let steering = async {
            while !over.load(Ordering::SeqCst) {
                let _ = stage.world.release().steer_trials().await;
                tokio::task::yield_now().await;
            }
        };
        let person = async {
            let back = stage.world.roll_back(&stage.prompt, "production").await.expect(200);
            over.store(true, Ordering::SeqCst);
            back
        };
        let (back, ()) = tokio::join!(person, steering);
        stage.steer().await;
        let live = stage.production().await;
        assert_eq!(live["version_id"], back["production_version_id"]);
        assert_eq!(live["version_id"], stage.versions[0]["version_id"], "what the person went back to stays");
        assert_eq!((&live["experiment_id"], &live["automation_held"]), (&json!(null), &json!(true)));
    }
}

/// A canary at the first of three stages, and the path of what is done to it.
async fn growing(stage: &Stage) -> String {
    let stages =
        [5, 20, 50].map(|percent| json!({ "percent": percent, "min_samples": 50, "bake_minutes": 5 }));
    let canary = stage.try_canary(&json!({ "stages": stages })).await.expect(201);
    format!("/api/rollouts/{}", text(&canary["rollout_id"]))
}

/// Advances, and lets somebody else do `meanwhile` before that is written.
async fn advance_late(stage: &Stage, canary: &str, meanwhile: &str) -> e2e::Answer {
    let rule = stage.world.faults().add(Rule::on("TransactWriteItems", Fault::HoldBefore).times(1));
    let other = stage.world.another_process_past_faults(&stage.world.registry().sources).await;
    let late = stage.world.admin(Call::post(format!("{canary}/advance"), &json!({})));
    let quick = async {
        rule.has_held(1).await;
        let call = Call::post(format!("{canary}/{meanwhile}"), &json!({})).key(e2e::ADMIN);
        call.send(&other.router).await.expect(200);
        rule.end();
    };
    tokio::join!(late, quick).0
}

#[tokio::test]
async fn two_who_advance_a_canary_at_once_take_it_one_stage_further() {
    let stage = Stage::new(2).await;
    let canary = growing(&stage).await;
    let late = advance_late(&stage, &canary, "advance").await.expect(200);
    assert_eq!((&late["stage"], &late["percent"]), (&json!(1), &json!(20.0)), "{late}");
    let next = stage.post(&format!("{canary}/advance"), &json!({})).await.expect(200);
    assert_eq!(next["stage"], 2, "one after the other goes on");
}

#[tokio::test]
async fn who_advances_a_canary_that_is_aborted_meanwhile_is_told() {
    let stage = Stage::new(2).await;
    let canary = growing(&stage).await;
    advance_late(&stage, &canary, "abort").await.refused(409, "conflict");
    assert_eq!(stage.get(&canary).await["status"], "stopped");
}
