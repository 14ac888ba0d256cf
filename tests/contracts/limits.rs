//! How much a key may write, and how every answer is traced.

use std::time::Duration;

use e2e::{Call, WorldSettings};
use serde_json::json;

use crate::api::{self, at};

#[tokio::test]
async fn writes_are_counted_by_key_and_minute() {
    let world = api::with(WorldSettings { writes_per_minute: 3, ..WorldSettings::default() }).await;
    let [key, other] = [world.key("a", "author").await, world.key("a", "author").await];
    let write =
        |key: &str, name: &str| Call::post("/api/prompts", &json!({ "name": name, "team_id": "a" })).key(key);
    let prompt = world.call(write(&key, "one")).await.expect(201);
    world.call(write(&key, "one")).await.refused(409, "name-taken");
    world.call(Call::patch(at(&prompt, ""), &json!({ "tags": ["x"] })).key(&key)).await.expect(200);
    let too_many = world.call(write(&key, "two")).await;
    too_many.refused(429, "too-many-requests");
    let wait: u64 = too_many.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    world
        .call(Call::delete(at(&prompt, "/environments/staging/lock")).key(&key))
        .await
        .refused(429, "too-many-requests");
    // A trial writes nothing, and costs money.
    let draft = json!({ "draft": { "template_text": "a", "model_id": "test/model" } });
    world.call(Call::post("/api/try", &draft).key(&key)).await.refused(429, "too-many-requests");
    world.call(Call::get("/api/prompts").key(&key)).await.expect(200);
    world.call(write(&other, "two")).await.expect(201);
    world.clock.advance(Duration::from_mins(1));
    world.call(write(&key, "three")).await.expect(201);
}

#[tokio::test]
async fn a_request_that_does_not_read_is_no_write() {
    let world = api::with(WorldSettings { writes_per_minute: 1, ..WorldSettings::default() }).await;
    let key = world.key("a", "author").await;
    for _ in 0..3 {
        world
            .call(Call::post("/api/prompts", &json!({ "nane": "a" })).key(&key))
            .await
            .refused(422, "invalid");
    }
    world
        .call(Call::post("/api/prompts", &json!({ "name": "a", "team_id": "a" })).key(&key))
        .await
        .expect(201);
}

#[tokio::test]
async fn every_answer_names_its_request_and_how_long_it_took() {
    let world = api::start().await;
    let mut ids = Vec::new();
    for call in [
        Call::get("/healthz"),
        Call::get("/api/teams"),
        Call::get("/nowhere"),
        Call::get("/api/prompts").key(e2e::ADMIN),
        Call::post("/api/prompts", &json!({})).key(e2e::ADMIN),
        Call::get(format!("/api/resolve/a?user_id={}", "u".repeat(7000))),
    ] {
        let call = call.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let answer = world.call(call).await;
        assert!(answer.header("server-timing").starts_with("total;dur="), "{}", answer.text());
        ids.push(answer.header("x-request-id").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "{ids:?}");
}
