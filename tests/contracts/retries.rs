//! Idempotency: a request that creates or moves, sent again under its key, answers what was made the first time.

use std::time::Duration;

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::api::{self, at, pointers, under};

async fn send(world: &World, path: &str, body: &Value, once: &str) -> Answer {
    world.admin(Call::post(path, body).header("idempotency-key", once)).await
}

fn with(body: &Value, name: &str, value: &str) -> Value {
    let mut body = body.clone();
    body[name] = json!(value);
    body
}

#[tokio::test]
async fn the_same_key_and_body_answer_what_was_made_and_another_body_is_refused() {
    let world = api::start().await;
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    world.promote(&prompt, &one, "staging").await.expect(200);
    let promotion = json!({ "version_id": two["version_id"], "environment": "staging" });
    for (path, body, differs, status) in [
        ("/api/prompts".to_owned(), json!({ "name": "made", "team_id": "a" }), "description", 201),
        ("/api/test-sets".to_owned(), json!({ "name": "made", "team_id": "a" }), "name", 201),
        (at(&prompt, "/versions"), json!({ "template_text": "three" }), "note", 201),
        (under(&two, "/evals"), json!({ "test_set_id": set }), "model_id", 202),
        (at(&prompt, "/promote"), promotion, "reason", 200),
        (at(&prompt, "/rollback"), json!({ "environment": "staging" }), "reason", 200),
    ] {
        let first = send(&world, &path, &body, "once").await;
        assert_eq!(
            (first.expect(status), first.header("idempotency-replayed")),
            (first.json(), ""),
            "{path}"
        );
        let again = send(&world, &path, &body, "once").await;
        assert_eq!(again.expect(status), first.json(), "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        let other = send(&world, &path, &with(&body, differs, "other"), "once").await;
        let problem = other.refused(422, "idempotency-mismatch");
        assert_eq!(pointers(&problem), ["/Idempotency-Key"]);
        // The keys of one route do not stand in the way of the next.
        world.clock.advance(Duration::from_hours(25));
    }
    let environment = world.admin(Call::get(at(&prompt, "/environments/staging"))).await.expect(200);
    assert_eq!((&environment["version_id"], &environment["revision"]), (&one["version_id"], &json!(3)));
}

#[tokio::test]
async fn a_replay_moves_nothing() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let body = json!({ "version_id": one["version_id"], "environment": "staging" });
    let first = send(&world, &at(&prompt, "/promote"), &body, "once").await.expect(200);
    let draft = json!({ "template_text": "two" });
    let two = send(&world, &at(&prompt, "/versions"), &draft, "two").await.expect(201);
    world.promote(&prompt, &two, "staging").await.expect(200);
    world.version(&prompt, &json!({ "template_text": "three" })).await;
    assert_eq!(send(&world, &at(&prompt, "/promote"), &body, "once").await.expect(200), first);
    let again = send(&world, &at(&prompt, "/versions"), &draft, "two").await.expect(201);
    assert_eq!(again["version_id"], two["version_id"]);
    let staging = world.admin(Call::get(at(&prompt, "/environments/staging"))).await.expect(200);
    assert_eq!((&staging["version_id"], &staging["revision"]), (&two["version_id"], &json!(2)));
    let versions = world.admin(Call::get(at(&prompt, "/versions"))).await.expect(200);
    assert_eq!(versions["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_secret_is_never_repeated() {
    let world = api::start().await;
    let body = json!({ "team_id": "a", "role": "author", "name": "service" });
    let made = send(&world, "/api/keys", &body, "once").await.expect(201);
    let again = send(&world, "/api/keys", &body, "once").await;
    let problem = again.refused(409, "secret-not-repeated");
    assert_eq!(problem["key_id"], made["key_id"]);
    let secret = text(&made["secret"]).rsplit('_').next().unwrap();
    assert!(!again.text().contains(secret));
    let rotate = format!("/api/keys/{}/rotate", text(&made["key_id"]));
    let rotated = send(&world, &rotate, &json!({}), "twice").await.expect(201);
    let problem = send(&world, &rotate, &json!({}), "twice").await.refused(409, "secret-not-repeated");
    assert_eq!(problem["key_id"], rotated["key_id"]);
    let keys = world.admin(Call::get("/api/keys?team_id=a")).await.expect(200);
    assert_eq!(keys["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn after_24_hours_a_key_is_new_again() {
    let world = api::start().await;
    let (path, body) = ("/api/test-sets", json!({ "name": "cases", "team_id": "a" }));
    let first = send(&world, path, &body, "once").await.expect(201);
    world.clock.advance(Duration::from_hours(24) - Duration::from_secs(1));
    let replayed = send(&world, path, &body, "once").await;
    assert_eq!((replayed.expect(201), replayed.header("idempotency-replayed")), (first.clone(), "true"));
    world.clock.advance(Duration::from_secs(1));
    let anew = send(&world, path, &body, "once").await;
    assert_ne!(anew.expect(201)["test_set_id"], first["test_set_id"]);
    assert_eq!(anew.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn the_keys_of_two_callers_are_two() {
    let world = api::start().await;
    let keys = [world.key("a", "author").await, world.key("a", "author").await];
    let body = json!({ "name": "cases", "team_id": "a" });
    let mut made = Vec::new();
    for key in &keys {
        let call = Call::post("/api/test-sets", &body).key(key).header("idempotency-key", "once");
        made.push(world.call(call).await.expect(201)["test_set_id"].clone());
    }
    assert_ne!(made[0], made[1]);
}

#[tokio::test]
async fn a_key_is_1_to_255_ascii_characters() {
    let world = api::start().await;
    let body = json!({ "name": "cases", "team_id": "a" });
    for key in [String::new(), "k".repeat(256), "ключ".to_owned()] {
        let problem = send(&world, "/api/test-sets", &body, &key).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/Idempotency-Key"], "{key}");
    }
    send(&world, "/api/test-sets", &body, &"k".repeat(255)).await.expect(201);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let lock = at(&prompt, "/environments/staging/lock");
    world.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    let body = json!({ "version_id": version["version_id"], "environment": "staging" });
    send(&world, &at(&prompt, "/promote"), &body, "once").await.refused(409, "locked");
    world.admin(Call::delete(&lock)).await.expect(200);
    let made = send(&world, &at(&prompt, "/promote"), &body, "once").await;
    assert_eq!((made.expect(200)["revision"].clone(), made.header("idempotency-replayed")), (json!(3), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_posts_at_once_under_one_key_make_one_thing() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    world.promote(&prompt, &one, "staging").await.expect(200);
    let promotion =
        json!({ "version_id": two["version_id"], "environment": "staging", "expected_revision": 1 });
    for (path, body, status) in [
        ("/api/prompts".to_owned(), json!({ "name": "made", "team_id": "a" }), 201),
        ("/api/test-sets".to_owned(), json!({ "name": "made", "team_id": "a" }), 201),
        (at(&prompt, "/versions"), json!({ "template_text": "three" }), 201),
        (at(&prompt, "/promote"), promotion, 200),
        // One version to go back to: the second rollback finds none left.
        (at(&prompt, "/rollback"), json!({ "environment": "staging" }), 200),
    ] {
        let call =
            Call::post(&path, &body).key(e2e::ADMIN).header("idempotency-key", &format!("once {path}"));
        let router = &world.process.router;
        let (a, b) = tokio::join!(call.clone().send(router), call.send(router));
        assert_eq!(a.expect(status), b.expect(status), "{path}");
        let mut replayed = [a, b].map(|answer| answer.header("idempotency-replayed").to_owned());
        replayed.sort();
        assert_eq!(replayed, ["", "true"], "{path}");
    }
    let body = json!({ "team_id": "b", "role": "author", "name": "service" });
    let call = Call::post("/api/keys", &body).key(e2e::ADMIN).header("idempotency-key", "keys");
    let router = &world.process.router;
    let (a, b) = tokio::join!(call.clone().send(router), call.send(router));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", a.text(), b.text());
    let keys = world.admin(Call::get("/api/keys?team_id=b")).await.expect(200);
    assert_eq!(keys["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_made_while_its_answer_was_lost_is_found_by_the_retry() {
    let world = api::start().await;
    let body = json!({ "name": "made", "team_id": "a" });
    // Every try of the client: what it does not hear of has happened all the same.
    let lost = world.faults().add(Rule::on("TransactWriteItems", Fault::DropAfter));
    send(&world, "/api/prompts", &body, "once").await.refused(503, "unavailable");
    lost.end();
    let found = send(&world, "/api/prompts", &body, "once").await;
    assert_eq!(found.header("idempotency-replayed"), "true");
    let prompt = found.expect(201);
    let listed = world.admin(Call::get("/api/prompts")).await.expect(200);
    assert_eq!(listed["data"], json!([prompt]));
}
