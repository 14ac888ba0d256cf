//! Experiments of equal arms: hardly any of them has a winner.

use std::time::Duration;

use e2e::{Call, Dice, any_seed, text};
use serde_json::{Value, json};

use crate::stage::{Stage, event};

/// How many experiments run side by side, each with dice of its own.
const EXPERIMENTS: usize = 40;

/// How many of them may have a winner: of 40 with 5 % each, more than 7 have one in 1,400 such tests.
const WINNERS: usize = 7;

/// How many users each has, all of them once.
const USERS: u32 = 240;

/// In how many groups they come.
const VISITS: u32 = 4;

/// How often `steer` looks after each of them.
const LOOKS: u32 = 3;

/// For how long each runs.
const TIME: Duration = Duration::from_hours(48);

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_experiments_of_equal_arms_at_most_seven_have_a_winner() {
    let seed = any_seed();
    let dice = Dice::new(seed);
    let stage = Stage::new(1).await;
    let mut running = Vec::new();
    for number in 0..EXPERIMENTS {
        let (prompt, versions) = Stage::another(&stage.world, &format!("equal-{number}"), 2).await;
        let variants: Vec<Value> =
            versions.iter().map(|version| json!({ "version_id": version["version_id"] })).collect();
        let body = json!({
            "variants": variants, "primary_metric": "success", "allocation_strategy": "thompson_sampling",
            "max_duration_days": 2, "guardrails": [],
        });
        let prompt = text(&prompt["prompt_id"]).to_owned();
        let made = stage.post(&format!("/api/prompts/{prompt}/experiments"), &body).await.expect(201);
        running.push((prompt, text(&made["experiment_id"]).to_owned()));
    }
    for visit in 0..VISITS {
        let mut events = Vec::new();
        for (prompt, _) in &running {
            for user in 0..USERS / VISITS {
                let path = format!("/api/resolve/{prompt}?user_id=user-{visit}-{user}");
                let answer = stage.world.admin(Call::get(path)).await.expect(200);
                if answer["variant"].is_string() {
                    events.push(event(&answer, &json!({ "success": dice.below(100) < 30 })));
                }
            }
        }
        stage.report(&events).await;
        for _ in 0..LOOKS {
            stage.pass(TIME / (VISITS * LOOKS)).await;
        }
    }
    let (mut winners, mut outcomes) = (0, Vec::new());
    for (_, experiment) in &running {
        let found = stage.get(&format!("/api/experiments/{experiment}")).await;
        assert_eq!(found["status"], "completed", "seed {seed}: {found}");
        winners += usize::from(found["outcome"] == "winner");
        outcomes.push(text(&found["outcome"]).to_owned());
    }
    println!("{winners} of {EXPERIMENTS} have a winner: {outcomes:?}");
    assert!(winners <= WINNERS, "seed {seed}: {winners} of {EXPERIMENTS} equal ones have a winner");
}
