//! Each way of dividing the traffic, and of deciding.

use std::ops::Range;

use e2e::text;
use serde_json::{Value, json};

use crate::stage::{HOUR, Stage, event};

/// These users come; of ten who meet an arm, so many succeed.
async fn visit(stage: &Stage, users: Range<usize>, of_ten: &[usize]) {
    let mut events = Vec::new();
    for user in users {
        let answer = stage.resolve(&format!("user-{user}")).await;
        let arm = usize::from(text(&answer["variant"]).as_bytes()[0] - b'A');
        events.push(event(&answer, &json!({ "success": user % 10 < of_ten[arm] })));
    }
    stage.report(&events).await;
}

async fn read(stage: &Stage, experiment: &Value) -> Value {
    stage.get(&format!("/api/experiments/{}", text(&experiment["experiment_id"]))).await
}

async fn weights(stage: &Stage, experiment: &Value) -> Vec<f64> {
    let found = read(stage, experiment).await;
    let weights = found["variants"].as_array().unwrap().iter();
    let weights: Vec<f64> = weights.map(|variant| variant["traffic_weight"].as_f64().unwrap()).collect();
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{weights:?}");
    weights
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_decides_on_evidence_and_balanced_after_a_day_of_certainty() {
    for (mode, hours, threshold) in [("strict", 1, 40.0), ("balanced", 24, 0.95)] {
        let stage = Stage::new(2).await;
        let running = stage.experiment(&json!({ "decision": mode, "min_duration_days": 0 })).await;
        visit(&stage, 0..280, &[3, 8]).await;
        for hour in 1..hours {
            stage.pass(HOUR).await;
            let sure = read(&stage, &running).await;
            assert_eq!(sure["status"], "active", "{mode}, hour {hour}: {sure}");
            assert!(sure["variants"][1]["p_best"].as_f64().unwrap() > 0.99, "{sure}");
        }
        stage.pass(HOUR).await;
        let decided = read(&stage, &running).await;
        assert_eq!((&decided["status"], &decided["outcome"]), (&json!("completed"), &json!("winner")));
        assert_eq!(decided["decision"]["threshold"], threshold);
        assert_eq!(stage.production().await["version_id"], stage.versions[1]["version_id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_leaves_it_to_a_person_even_after_the_planned_end() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({ "decision": "manual", "max_duration_days": 2 })).await;
    assert_eq!(running["auto_promote"], false);
    visit(&stage, 0..280, &[3, 8]).await;
    for _ in 0..3 {
        stage.pass(24 * HOUR).await;
    }
    let open = read(&stage, &running).await;
    assert_eq!((&open["status"], &open["outcome"]), (&json!("active"), &json!(null)));
    assert!(open["decision"]["e_value"].as_f64().unwrap() > 40.0, "{open}");
    assert_eq!(stage.production().await["version_id"], stage.versions[0]["version_id"]);
    let stop = format!("/api/experiments/{}/stop", text(&running["experiment_id"]));
    let winner = json!({ "winner_version_id": stage.id(1), "reason": "as the figures say" });
    stage.post(&stop, &winner).await.expect(200);
    assert_eq!(stage.production().await["version_id"], stage.versions[1]["version_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reward_serves_the_best_and_identify_learns_about_its_rivals() {
    for (objective, of_best) in [("reward", 0.8..0.9), ("identify", 0.45..0.55)] {
        let stage = Stage::new(3).await;
        let wish = json!({ "allocation_strategy": "thompson_sampling", "objective": objective });
        let running = stage.experiment(&wish).await;
        visit(&stage, 0..450, &[2, 4, 8]).await;
        stage.pass(HOUR).await;
        let weights = weights(&stage, &running).await;
        assert!(of_best.contains(&weights[2]), "{objective}: {weights:?}");
        let floor = 0.2 / 3.0 - 1e-9;
        assert!(weights.iter().all(|weight| *weight >= floor), "{objective}: {weights:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_of_ten_arms_is_found_and_none_is_given_up() {
    let stage = Stage::new(10).await;
    let running = stage.experiment(&json!({ "allocation_strategy": "thompson_sampling" })).await;
    let rates = [3, 3, 3, 3, 3, 3, 3, 9, 3, 3];
    visit(&stage, 0..1_600, &rates).await;
    stage.pass(HOUR).await;
    let weights = weights(&stage, &running).await;
    assert!(weights[7] > 0.8, "{weights:?}");
    assert!(weights.iter().all(|weight| *weight >= 0.02 - 1e-9), "{weights:?}");
    stage.pass(24 * HOUR).await;
    let decided = read(&stage, &running).await;
    assert_eq!(decided["winner_version_id"], stage.versions[7]["version_id"], "{decided}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuous_one_follows_what_is_best_at_the_time_and_never_ends() {
    let stage = Stage::new(2).await;
    let running = stage.experiment(&json!({ "continuous": true, "reward_half_life_days": 1 })).await;
    assert_eq!((&running["decision"]["mode"], &running["auto_promote"]), (&json!("manual"), &json!(false)));
    visit(&stage, 0..280, &[3, 8]).await;
    stage.pass(HOUR).await;
    assert!(weights(&stage, &running).await[1] > 0.8);
    // From here on the other one is better.
    let mut days = 0;
    while weights(&stage, &running).await[0] < 0.8 {
        assert!(days < 20, "{}", read(&stage, &running).await);
        days += 1;
        stage.world.clock.advance(23 * HOUR);
        visit(&stage, days * 1_000..days * 1_000 + 300, &[8, 3]).await;
        stage.pass(HOUR).await;
    }
    println!("it followed within {days} days");
    let open = read(&stage, &running).await;
    assert_eq!((&open["status"], &open["end_date"]), (&json!("active"), &json!(null)));
}
