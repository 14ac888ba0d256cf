//! Who decides when several do at once: one tick of two, and a person before the schedule.

use std::sync::atomic::{AtomicBool, Ordering};

use e2e::text;
use serde_json::json;

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
