//! Locks: a person's freeze on promotions.

use std::time::Duration;

use e2e::{Answer, Call, World};
use serde_json::{Value, json};

use crate::{
    invariants,
    support::{each, environment, history, lived, promotion, under},
};

async fn lock(world: &World, prompt: &Value, environment: &str, body: &Value) -> Answer {
    world.admin(Call::put(under(prompt, &format!("environments/{environment}/lock")), body)).await
}

async fn unlock(world: &World, prompt: &Value, environment: &str) -> Answer {
    world.admin(Call::delete(under(prompt, &format!("environments/{environment}/lock")))).await
}

#[tokio::test]
async fn a_lock_blocks_promotions_and_no_rollback() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let locked = lock(&world, &prompt, "production", &json!({ "reason": "launch day" })).await.expect(200);
    assert_eq!(locked["lock"], json!({ "by": "admin", "reason": "launch day", "until": null }));
    assert_eq!((&locked["revision"], &locked["moved_revision"]), (&json!(3), &json!(2)), "nothing moved");
    let refusal = world.promote(&prompt, &versions[0], "production").await.refused(409, "locked");
    let detail = refusal["detail"].as_str().unwrap();
    assert!(detail.contains("admin") && detail.contains("launch day"), "{detail}");
    world.promote(&prompt, &versions[0], "staging").await.expect(200);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[0]["version_id"]);
    assert_eq!(environment(&world, &prompt, "production").await["lock"]["reason"], "launch day", "it stays");
    world.promote(&prompt, &versions[1], "production").await.refused(409, "locked");
    assert_eq!(unlock(&world, &prompt, "production").await.expect(200)["lock"], Value::Null);
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    let moves = history(&world, &prompt).await;
    let actions = ["promoted", "unlocked", "rolled_back", "promoted", "locked", "promoted", "promoted"];
    assert_eq!(each(&moves, "/action"), actions);
    assert_eq!(each(&moves, "/reason")[4], "launch day");
    invariants::check(&world).await;
}

#[tokio::test]
async fn a_lock_lapses_with_the_clock() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 1).await;
    let body = json!({ "reason": "the night", "until": "2026-11-20T08:00:00Z" });
    let locked = lock(&world, &prompt, "production", &body).await.expect(200);
    assert_eq!(locked["lock"]["until"], "2026-11-20T08:00:00.000Z");
    world.clock.advance(Duration::from_millis(3_599_999));
    world.promote(&prompt, &versions[0], "production").await.refused(409, "locked");
    world.clock.advance(Duration::from_millis(1));
    world.promote(&prompt, &versions[0], "production").await.expect(200);
    let past = lock(&world, &prompt, "production", &body).await.refused(422, "invalid");
    assert_eq!(past["errors"][0]["pointer"], "/until");
}

#[tokio::test]
async fn an_admins_override_passes_a_lock_and_the_audit_says_so() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let releaser = world.key("support", "releaser").await;
    lock(&world, &prompt, "production", &json!({ "reason": "freeze" })).await.expect(200);
    let overriding = json!({ "override": { "reason": "the house burns" } });
    let call = || promotion(&prompt, &versions[0], "production", &overriding);
    world.call(call().key(&releaser)).await.refused(403, "forbidden");
    world.admin(call()).await.expect(200);
    let newest = &history(&world, &prompt).await[0];
    assert_eq!(newest["reason"], "the house burns");
    assert_eq!(newest["evidence"]["override"], true);
    let refused = newest["evidence"]["would_have_been_refused"].as_str().unwrap();
    assert!(refused.contains("freeze"), "{refused}");
    let empty = promotion(&prompt, &versions[0], "production", &json!({ "override": { "reason": " " } }));
    assert_eq!(world.admin(empty).await.refused(422, "invalid")["errors"][0]["pointer"], "/override/reason");
}

#[tokio::test]
async fn an_environment_can_be_locked_before_its_first_promotion() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 1).await;
    unlock(&world, &prompt, "staging").await.refused(404, "not-live");
    lock(&world, &prompt, "staging", &json!({ "reason": "not yet" })).await.expect(200);
    world.promote(&prompt, &versions[0], "staging").await.refused(409, "locked");
    world.roll_back(&prompt, "staging").await.refused(404, "not-live");
    unlock(&world, &prompt, "staging").await.expect(200);
    let again = unlock(&world, &prompt, "staging").await.expect(200);
    assert_eq!(again["revision"], 2, "taking off what is off writes nothing");
    let moved = world.promote(&prompt, &versions[0], "staging").await.expect(200);
    assert_eq!((&moved["revision"], &moved["previous_version_id"]), (&json!(3), &Value::Null));
    invariants::check(&world).await;
}

#[tokio::test]
async fn whoever_may_move_an_environment_may_lock_it_and_says_why() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 1).await;
    let author = world.key("support", "author").await;
    let foreign = world.key("sales", "releaser").await;
    let path = |environment: &str| under(&prompt, &format!("environments/{environment}/lock"));
    let reason = json!({ "reason": "freeze" });
    world.call(Call::put(path("staging"), &reason).key(&author)).await.expect(200);
    world.call(Call::put(path("production"), &reason).key(&author)).await.refused(403, "forbidden");
    world.call(Call::delete(path("production")).key(&author)).await.refused(403, "forbidden");
    world.call(Call::put(path("production"), &reason).key(&foreign)).await.refused(404, "no-such-prompt");
    for silent in [json!({ "reason": " " }), json!({ "reason": "x".repeat(1001) })] {
        let refusal = lock(&world, &prompt, "production", &silent).await.refused(422, "invalid");
        assert_eq!(refusal["errors"][0]["pointer"], "/reason");
    }
}
