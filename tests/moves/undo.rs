//! The undo stack.

use e2e::World;
use serde_json::{Value, json};

use crate::support::{each, environment, history, lived, rollback, versions};

/// The numbers of the versions that a refusal offers.
fn candidates(problem: &Value) -> Vec<&Value> {
    each(problem["candidates"].as_array().expect("candidates are named"), "/version_number")
}

#[tokio::test]
async fn with_two_versions_the_second_rollback_is_refused_and_names_the_candidates() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[0]["version_id"]);
    assert_eq!(back["previous_version_id"], versions[1]["version_id"]);
    assert_eq!((&back["revision"], &back["stopped_experiment_id"]), (&json!(3), &Value::Null));
    let refusal = world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    assert_eq!(candidates(&refusal), [&json!(2)], "what is live is no candidate");
    assert_eq!(refusal["candidates"][0]["version_id"], versions[1]["version_id"]);
    let live = environment(&world, &prompt, "production").await;
    assert_eq!((&live["version_number"], &live["revision"]), (&json!(1), &json!(3)), "nothing moved");
}

#[tokio::test]
async fn a_history_with_gaps_is_walked_down_in_the_order_in_which_versions_were_live() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let versions = versions(&world, &prompt, 7).await;
    for number in [1, 3, 7] {
        world.promote(&prompt, &versions[number - 1], "production").await.expect(200);
    }
    for number in [3, 1] {
        let promised = environment(&world, &prompt, "production").await["rollback_version_id"].clone();
        let back = world.roll_back(&prompt, "production").await.expect(200);
        assert_eq!(back["production_version_id"], versions[number - 1]["version_id"]);
        assert_eq!(back["production_version_id"], promised);
    }
    let refusal = world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    assert_eq!(candidates(&refusal), [&json!(7), &json!(3)], "the others never were live, nor passed");
}

#[tokio::test]
async fn after_a_new_promotion_a_rollback_never_returns_to_what_was_rolled_back_from() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let third = world.version(&prompt, &json!({ "template_text": "the third" })).await;
    world.roll_back(&prompt, "production").await.expect(200);
    world.promote(&prompt, &third, "production").await.expect(200);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[0]["version_id"], "the second was rolled back from");
    world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    world.promote(&prompt, &third, "production").await.expect(200);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[1]["version_id"], "promoted anew it counts again");
}

#[tokio::test]
async fn a_version_that_was_live_twice_does_not_return_once_it_was_rolled_back_from() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    world.promote(&prompt, &versions[0], "production").await.expect(200);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[1]["version_id"]);
    world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
}

#[tokio::test]
async fn each_environment_has_a_stack_of_its_own_and_answers_under_its_own_name() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "staging", 2).await;
    for version in &versions {
        world.promote(&prompt, version, "eu-1.canary").await.expect(200);
    }
    let names = ["production_version_id", "staging_version_id", "version_id"];
    for (environment, name) in [("staging", "staging_version_id"), ("eu-1.canary", "version_id")] {
        let back = world.roll_back(&prompt, environment).await.expect(200);
        assert_eq!((&back["environment"], &back[name]), (&json!(environment), &versions[0]["version_id"]));
        let told = names.iter().filter(|name| back.get(**name).is_some());
        assert_eq!(told.collect::<Vec<_>>(), [&name]);
    }
    world.roll_back(&prompt, "production").await.refused(404, "not-live");
    let other = world.prompt("support", "other", &json!({})).await;
    world.roll_back(&other, "staging").await.refused(404, "not-live");
}

#[tokio::test]
async fn a_rollback_holds_automation_until_somebody_promotes() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let held = async || environment(&world, &prompt, "production").await["automation_held"] == true;
    assert!(!held().await);
    world.roll_back(&prompt, "production").await.expect(200);
    assert!(held().await);
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    assert!(!held().await);
}

#[tokio::test]
async fn a_rollback_may_insist_on_what_it_has_seen_and_is_told_apart_in_the_history() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
    let stale = rollback(&prompt, "production", &json!({ "expected_revision": 2 }));
    assert_eq!(world.admin(stale).await.refused(412, "moved")["moved_revision"], 3);
    let body = json!({ "expected_revision": 3, "reason": "the third is rude" });
    let call = rollback(&prompt, "production", &body).header("x-cuecard-user", "ada");
    world.admin(call).await.expect(200);
    let newest = &history(&world, &prompt).await[0];
    assert_eq!((&newest["action"], &newest["reason"]), (&json!("rolled_back"), &body["reason"]));
    assert_eq!((&newest["actor"]["name"], &newest["actor"]["user"]), (&json!("admin"), &json!("ada")));
    assert_eq!(newest["subject"], versions[1]["version_id"]);
    assert_eq!(newest["before"]["content_sha256"], versions[2]["content_sha256"]);
    assert_eq!(newest["after"]["content_sha256"], versions[1]["content_sha256"]);
}

#[tokio::test]
async fn a_rollback_with_an_idempotency_key_happens_once() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
    let call = || rollback(&prompt, "production", &json!({})).header("idempotency-key", "once");
    let first = world.admin(call()).await.expect(200);
    let again = world.admin(call()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(200), first);
    assert_eq!(first["production_version_id"], versions[1]["version_id"]);
    let other = rollback(&prompt, "staging", &json!({})).header("idempotency-key", "once");
    world.admin(other).await.refused(422, "idempotency-mismatch");
}
