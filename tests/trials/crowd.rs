//! A crowd over HTTP: thousands of users who resolve and report, one arm better than the other. The traffic shifts, a
//! winner is declared and promoted, and nobody changes their arm without need.

use std::collections::HashMap;

use e2e::{Call, Dice, any_seed, text};
use serde_json::{Value, json};

use crate::stage::{HOUR, Stage, event};

/// How many users there are.
const USERS: usize = 5_000;

/// How many of them come in an hour.
const AN_HOUR: usize = 250;

/// The hours after which it must have been decided.
const HOURS: usize = 72;

/// Who was on which arm under which weights.
#[derive(Default)]
struct Places(HashMap<(usize, u64), String>);

impl Places {
    /// A user never changes the arm while the weights stay.
    fn note(&mut self, user: usize, weights: u64, variant: &str, seed: u64) {
        let former = self.0.entry((user, weights)).or_insert_with(|| variant.to_owned());
        assert_eq!(former, variant, "seed {seed}: user {user} under weights {weights}");
    }
}

async fn read(stage: &Stage, id: &str) -> Value {
    stage.get(&format!("/api/experiments/{id}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn thompson_shifts_the_traffic_declares_and_promotes() {
    let seed = any_seed();
    let users = Dice::new(seed);
    let stage = Stage::new(2).await;
    let other = stage.world.another_process().await;
    let made = stage.experiment(&json!({ "allocation_strategy": "thompson_sampling" })).await;
    let id = text(&made["experiment_id"]).to_owned();
    let resolve = stage.path("").replace("/prompts/", "/resolve/");
    let first = stage.resolve("talker").await;
    let (mut places, mut shifted, mut token) = (Places::default(), false, first["resolution_token"].clone());
    let mut hours = 0;
    let decided = loop {
        let found = read(&stage, &id).await;
        let weights = found["allocation_version"].as_u64().unwrap();
        shifted |= found["variants"][1]["traffic_weight"].as_f64().unwrap() > 0.8;
        if found["status"] != "active" {
            break found;
        }
        assert!(hours < HOURS, "seed {seed}: undecided after {hours} hours: {found}");
        let mut events = Vec::new();
        for _ in 0..AN_HOUR {
            let user = users.below(USERS);
            let answer = stage.resolve(&format!("user-{user}")).await;
            let variant = text(&answer["variant"]).to_owned();
            places.note(user, weights, &variant, seed);
            let of_hundred = if variant == "A" { 30 } else { 40 };
            events.push(event(
                &answer,
                &json!({ "success": users.below(100) < of_hundred, "latency_ms": 300 }),
            ));
        }
        stage.report(&events).await;
        // A conversation goes on where it began, whatever the weights are by now.
        let kept = stage.get(&format!("{resolve}?user_id=talker&continue={}", text(&token))).await;
        assert_eq!(kept["variant"], first["variant"], "seed {seed}");
        token = kept["resolution_token"].clone();
        stage.pass(HOUR).await;
        hours += 1;
    };
    println!("decided after {hours} hours: {}", decided["decision"]["reasons"][0]);
    assert!(shifted, "seed {seed}: the traffic did not follow the data");
    assert_eq!(
        (&decided["status"], &decided["outcome"]),
        (&json!("completed"), &json!("winner")),
        "seed {seed}"
    );
    assert_eq!(decided["winner_version_id"], stage.versions[1]["version_id"], "seed {seed}");
    assert!(decided["variants"][1]["lift_at_least"].as_f64().unwrap() > 0.0, "seed {seed}: {decided}");
    // Both processes follow within the bound, and the token of the experiment keeps nobody on its arm.
    stage.world.clock.advance(std::time::Duration::from_secs(1));
    for router in [&stage.world.process.router, &other.router] {
        for user in 0..50 {
            let path = format!("{resolve}?user_id=user-{user}&continue={}", text(&token));
            let answer = Call::get(path).key(e2e::ADMIN).send(router).await.expect(200);
            assert_eq!(answer["version_id"], stage.versions[1]["version_id"]);
            assert_eq!(answer["experiment_id"], json!(null));
        }
    }
    let newest = stage.get(&stage.path("/history?limit=1")).await["data"][0].clone();
    assert_eq!(
        (&newest["action"], &newest["actor"]["name"]),
        (&json!("promoted"), &json!("steer")),
        "{newest}"
    );
    assert!(newest["evidence"]["decision"]["verdict"]["e_value"].as_f64().unwrap() >= 40.0, "{newest}");
    assert_eq!(stage.steer().await, 0);
}
