//! Who is calling: keys that open, and keys that do not.

use std::time::Duration;

use e2e::{ADMIN, Answer, Call, World, text};
use serde_json::{Value, json};

use crate::{
    api::{self, without_instance},
    document::operations,
};

const TEAMS: &str = "/api/teams";

/// The words in which somebody without a live key is refused.
pub(crate) fn refused(answer: &Answer) -> Value {
    answer.refused(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    without_instance(answer)
}

#[tokio::test]
async fn an_open_operation_wants_no_key() {
    let world = api::start().await;
    for operation in operations().iter().filter(|operation| operation.is_open()) {
        world.call(Call::get(operation.path)).await.expect(200);
    }
}

#[tokio::test]
async fn who_shows_no_key_is_told_that_before_anything_else_that_is_wrong() {
    let world = api::start().await;
    for path in ["/api/versions/none", "/api/prompts?limit=many", "/api/resolve/x?variables=1&colour=red"] {
        refused(&world.call(Call::get(path)).await);
        world.admin(Call::get(path)).await.refused(422, "invalid");
    }
}

#[tokio::test]
async fn a_key_opens_as_bearer_and_as_x_api_key() {
    let world = api::start().await;
    for (name, value) in [
        ("authorization", format!("Bearer {ADMIN}")),
        ("authorization", format!("bearer  {ADMIN}")),
        ("x-api-key", ADMIN.to_owned()),
    ] {
        world.call(Call::get(TEAMS).header(name, &value)).await.expect(200);
    }
}

#[tokio::test]
async fn what_is_no_live_key_is_refused_in_the_same_words() {
    let world = api::start().await;
    let words = refused(&world.call(Call::get(TEAMS)).await);
    let (expired, revoked) = (expired(&world).await, revoked(&world).await);
    let other_secret = format!("{ADMIN}x");
    for key in ["", "nonsense", "cue_nobody_secret", &other_secret, &expired, &revoked] {
        assert_eq!(refused(&world.call(Call::get(TEAMS).key(key)).await), words, "{key}");
        assert_eq!(refused(&world.call(Call::get(TEAMS).header("x-api-key", key)).await), words, "{key}");
    }
    let basic = Call::get(TEAMS).header("authorization", &format!("Basic {ADMIN}"));
    assert_eq!(refused(&world.call(basic).await), words);
}

async fn expired(world: &World) -> String {
    let end = "2026-11-20T08:00:00Z";
    let body = json!({ "team_id": "a", "role": "author", "name": "short", "expires_at": end });
    let made = world.admin(Call::post("/api/keys", &body)).await.expect(201);
    let key = text(&made["secret"]).to_owned();
    world.call(Call::get(TEAMS).key(&key)).await.expect(200);
    world.clock.advance(Duration::from_hours(1));
    key
}

async fn revoked(world: &World) -> String {
    let key = world.key("a", "author").await;
    world.call(Call::get(TEAMS).key(&key)).await.expect(200);
    revoke(world, &key).await;
    key
}

async fn revoke(world: &World, key: &str) {
    let id = key.split('_').nth(1).unwrap();
    let revoked = world.admin(Call::delete(format!("/api/keys/key_{id}"))).await.expect(200);
    assert!(revoked["revoked_at"].is_string(), "{revoked}");
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_every_process_within_the_bound() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let other = api::checked(world.another_process().await.router);
    Call::get(TEAMS).key(&key).send(&other).await.expect(200);
    revoke(&world, &key).await;
    world.clock.advance(Duration::from_millis(751));
    refused(&Call::get(TEAMS).key(&key).send(&other).await);
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_both_open_for_a_day() {
    let world = api::start().await;
    let old = world.key("a", "author").await;
    let id = old.split('_').nth(1).unwrap();
    let rotate = || Call::post(format!("/api/keys/{id}/rotate"), &json!({}));
    let new = world.admin(rotate()).await.expect(201);
    let new = text(&new["secret"]).to_owned();
    world.clock.advance(Duration::from_hours(24) - Duration::from_secs(1));
    for key in [&old, &new] {
        world.call(Call::get(TEAMS).key(key)).await.expect(200);
    }
    world.admin(rotate()).await.refused(409, "conflict");
    world.clock.advance(Duration::from_secs(1));
    refused(&world.call(Call::get(TEAMS).key(&old)).await);
    world.call(Call::get(TEAMS).key(&new)).await.expect(200);
}

#[tokio::test]
async fn the_user_of_a_service_is_kept_in_the_audit_beside_its_key() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let body = json!({ "name": "greeter", "team_id": "a" });
    let call = Call::post("/api/prompts", &body).key(&key).header("x-cuecard-user", "ada@example.com");
    let prompt = world.call(call).await.expect(201);
    let path = format!("/api/audit?prompt_id={}", text(&prompt["prompt_id"]));
    let audit = world.call(Call::get(path).key(&key)).await.expect(200);
    let actor = &audit["data"][0]["actor"];
    assert_eq!((&actor["id"], &actor["user"]), (&prompt["created_by"], &json!("ada@example.com")));
}
