//! What splits the traffic of an environment: each unit is served its arm, by every process the same.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Ref,
    allocation::{Allocation, Arm, Rule},
    audit::{Action, Fact},
    name::production,
    token::Assignment,
};
use e2e::{Answer, text};
use serde_json::{Value, json};
use store::Change;

use crate::scene::Scene;

const DAY: Duration = Duration::from_hours(24);

/// A prompt with three versions of which the first is live.
pub async fn greeter() -> (Scene, Vec<Value>) {
    let scene = Scene::start().await;
    let prompt = scene.world.prompt("support", "greeter", &json!({})).await;
    let mut versions = Vec::new();
    for text in ["one", "two", "three"] {
        let mut version = scene.version(&prompt, &json!({ "template_text": text }).to_string()).await;
        version["prompt_id"] = prompt["prompt_id"].clone();
        versions.push(version);
    }
    scene.world.promote(&prompt, &versions[0], "production").await.expect(200);
    (scene, versions)
}

impl Scene {
    /// Writes the ref of production as the start, a step, or the end of a trial would.
    pub async fn split(&self, versions: &[Value], weights: &[f64], version: u64, rule: Rule) -> Ref {
        let arms = versions.iter().zip(weights).zip(["A", "B", "C"]).map(|((version, weight), key)| {
            let pointer = domain::VersionPointer {
                number: u32::try_from(version["version_number"].as_u64().unwrap()).unwrap(),
                id: text(&version["version_id"]).parse().unwrap(),
            };
            Arm { key: key.to_owned(), version: pointer, weight: *weight }
        });
        let allocation = Allocation {
            trial: domain::ExperimentId::from_bytes([7; 16]).into(),
            iteration: 1,
            allocation_version: version,
            rule,
            arms: arms.collect(),
        };
        self.write(&versions[0], Some(allocation)).await
    }

    async fn write(&self, version: &Value, allocation: Option<Allocation>) -> Ref {
        let registry = self.world.registry();
        let prompt_id = text(&version["prompt_id"]).parse().unwrap();
        let prompt = registry.store.prompt(prompt_id).await.unwrap().unwrap();
        let before = registry.store.reference(prompt_id, &production()).await.unwrap().unwrap();
        let after = before.with_allocation(allocation);
        let actor = domain::Caller::system("steer").actor;
        let fact = Fact::new(&actor, Action::OverridesSet, prompt_id);
        let mut change = Change::of_prompt(&prompt, prompt.clone(), fact, &registry.sources).unwrap();
        change.put_ref(&after).unwrap();
        registry.store.commit(change).await.unwrap();
        self.world.clock.advance(cache::FRESH + Duration::from_millis(1));
        after
    }

    async fn of(&self, more: &[(&str, &str)]) -> Answer {
        let query: Vec<_> = [("prompt", "greeter")].iter().chain(more).copied().collect();
        self.get(&query).await
    }

    async fn variant(&self, more: &[(&str, &str)]) -> Value {
        self.of(more).await.expect(200)["variant"].clone()
    }
}

pub const ALL: Rule = Rule::Split { enrolled: 1.0 };

#[tokio::test]
async fn each_user_is_served_an_arm_and_stays_on_it() {
    let (scene, versions) = greeter().await;
    let allocation = scene.split(&versions, &[0.5, 0.3, 0.2], 1, ALL).await.allocation.unwrap();
    let mut served = BTreeMap::new();
    for number in 0..60 {
        let user = format!("user-{number}");
        let answer = scene.of(&[("user_id", &user)]).await.expect(200);
        let arm = allocation.assign(&user).unwrap();
        assert_eq!(answer["variant"], arm.key);
        assert_eq!(answer["version_id"], arm.version.id.to_string());
        assert_eq!(answer["experiment_id"], allocation.trial.to_string());
        let texts = ["one", "two", "three"];
        assert_eq!(answer["resolved_text"], texts[arm.version.number as usize - 1]);
        assert_eq!(scene.variant(&[("user_id", &user)]).await, answer["variant"]);
        *served.entry(arm.key.clone()).or_insert(0) += 1;
    }
    assert_eq!(served.len(), 3, "{served:?}");
}

#[tokio::test]
async fn the_token_says_which_arm_under_which_weights() {
    let (scene, versions) = greeter().await;
    let allocation = scene.split(&versions, &[0.5, 0.5], 7, ALL).await.allocation.unwrap();
    let answer = scene.of(&[("user_id", "u")]).await.expect(200);
    let said = scene.verified(text(&answer["resolution_token"])).await;
    assert_eq!(said.version_id.to_string(), text(&answer["version_id"]));
    assert_eq!(said.unit64, domain::token::unit64(&allocation.trial.to_string(), "u"));
    let assignment = Assignment {
        trial: allocation.trial,
        iteration: 1,
        allocation_version: 7,
        arm: text(&answer["variant"]).to_owned(),
    };
    assert_eq!(said.assignment, Some(assignment));
}

#[tokio::test]
async fn who_takes_no_part_is_served_what_is_live_and_no_arm_is_named() {
    let (scene, versions) = greeter().await;
    scene.split(&versions, &[0.0, 1.0], 1, Rule::Split { enrolled: 0.5 }).await;
    let mut outside = 0;
    for number in 0..40 {
        let answer = scene.of(&[("user_id", &number.to_string())]).await.expect(200);
        let (text, variant) = (&answer["resolved_text"], &answer["variant"]);
        assert_eq!(text == "one", variant.is_null(), "{answer}");
        assert_eq!(answer["experiment_id"].is_null(), variant.is_null());
        outside += usize::from(variant.is_null());
    }
    assert!((5..=35).contains(&outside), "{outside} of 40");
}

#[tokio::test]
async fn whoever_is_nobody_is_drawn_by_lot_and_has_no_tag() {
    let (scene, versions) = greeter().await;
    scene.split(&versions, &[0.5, 0.5], 1, ALL).await;
    let mut arms = BTreeMap::new();
    for _ in 0..40 {
        let answer = scene.of(&[]).await;
        assert_eq!(answer.header("etag"), "");
        let answer = answer.expect(200);
        assert_eq!(answer["sticky"], false);
        *arms.entry(answer["variant"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(arms.len(), 2, "{arms:?}");
}

#[tokio::test]
async fn a_conversation_that_continues_stays_on_its_arm_while_that_has_weight_for_a_day() {
    let (scene, versions) = greeter().await;
    scene.split(&versions, &[1.0, 0.0], 1, ALL).await;
    let answer = scene.of(&[("conversation_id", "c")]).await.expect(200);
    assert_eq!(answer["variant"], "A");
    let token = text(&answer["resolution_token"]);
    scene.split(&versions, &[0.001, 0.999], 2, ALL).await;
    assert_eq!(scene.variant(&[("conversation_id", "c")]).await, "B", "it would move");
    let kept = scene.of(&[("conversation_id", "c"), ("continue", token)]).await.expect(200);
    assert_eq!((&kept["variant"], &kept["resolved_text"]), (&"A".into(), &"one".into()));
    let said = scene.verified(text(&kept["resolution_token"])).await;
    assert_eq!(
        said.assignment.unwrap().allocation_version,
        1,
        "its feedback belongs to the weights that chose it"
    );
    scene.split(&versions, &[0.0, 1.0], 3, ALL).await;
    assert_eq!(
        scene.variant(&[("conversation_id", "c"), ("continue", token)]).await,
        "B",
        "no weight is left"
    );
    scene.split(&versions, &[0.001, 0.999], 4, ALL).await;
    scene.world.clock.advance(DAY);
    assert_eq!(scene.variant(&[("conversation_id", "c"), ("continue", token)]).await, "B", "it is a day old");
}

#[tokio::test]
async fn another_process_serves_the_same_arm_and_the_end_is_seen_within_the_bound() {
    let (scene, versions) = greeter().await;
    scene.split(&versions, &[0.0, 0.0, 1.0], 1, ALL).await;
    let other = scene.world.another_process().await;
    let answer = scene.of(&[("user_id", "u")]).await.expect(200);
    let call = e2e::Call::get("/api/resolve?prompt=greeter&user_id=u").key(e2e::ADMIN);
    assert_eq!(call.send(&other.router).await.expect(200)["version_id"], answer["version_id"]);
    scene.write(&versions[0], None).await;
    let after = scene.of(&[("user_id", "u")]).await.expect(200);
    assert_eq!((&after["resolved_text"], &after["variant"]), (&"one".into(), &Value::Null));
}
