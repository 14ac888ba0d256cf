//! Age and bound.

use std::time::Duration;

use cache::Source;
use domain::Timestamp;
use e2e::{Call, Process, text};
use serde_json::json;
use testkit::fault::Fault;

use super::{cold, is_ref, memory, pair};
use crate::scene::{Scene, on_read, resolve};

const MS: Duration = Duration::from_millis(1);

#[tokio::test]
async fn memory_serves_for_750_ms_and_then_asks_the_table() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let reads = scene.reads(is_ref);
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
    scene.world.clock.advance(750 * MS);
    let kept = pair(&cache, &prompt).await;
    assert_eq!((kept.source, kept.age, reads.injected()), (Source::Memory, 750 * MS, 1));
    scene.world.clock.advance(MS);
    let asked = pair(&cache, &prompt).await;
    assert_eq!((asked.source, asked.age, reads.injected()), (Source::Table, Duration::ZERO, 2));
}

#[tokio::test]
async fn age_counts_from_before_the_read() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let slow = scene.world.faults().add(on_read(Fault::Hold, is_ref).times(1));
    let reader = tokio::spawn({
        let (cache, prompt) = (cache.clone(), prompt.clone());
        async move { pair(&cache, &prompt).await }
    });
    slow.has_held(1).await;
    scene.world.clock.advance(700 * MS);
    slow.end();
    let read = reader.await.unwrap();
    assert_eq!((read.source, read.age), (Source::Table, 700 * MS));
    scene.world.clock.advance(50 * MS);
    let kept = pair(&cache, &prompt).await;
    assert_eq!((kept.source, kept.age), (Source::Memory, 750 * MS));
    scene.world.clock.advance(MS);
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
}

#[tokio::test]
async fn age_is_the_larger_of_what_the_two_clocks_say() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let clock = &scene.world.clock;
    let now = || scene.world.registry().sources.now();
    pair(&cache, &prompt).await;
    // The monotonic clock stands still in a process that is frozen.
    clock.set_wall(now().plus(400 * MS));
    assert_eq!(pair(&cache, &prompt).await.age, 400 * MS);
    clock.set_wall(now().plus(351 * MS));
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
    // The wall clock is corrected, by less than the time that has passed.
    let read = now();
    clock.advance(700 * MS);
    clock.set_wall(read.plus(10 * MS));
    assert_eq!(pair(&cache, &prompt).await.age, 700 * MS);
    clock.advance(51 * MS);
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
}

#[tokio::test]
async fn a_wall_clock_set_back_counts_as_expired() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    pair(&cache, &prompt).await;
    let now = scene.world.registry().sources.now();
    scene.world.clock.set_wall(Timestamp::from_millis(now.as_millis() - 1));
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
    assert_eq!(pair(&cache, &prompt).await.source, Source::Memory, "what is read now has an age again");
}

#[tokio::test]
async fn a_move_is_seen_at_once_where_it_was_made_and_within_the_bound_elsewhere() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let other = scene.world.another_process().await;
    let text_in = async |process: &Process| {
        let answer = resolve(&[("prompt", "greeter")]).key(&scene.key).send(&process.router).await;
        text(&answer.expect(200)["resolved_text"]).to_owned()
    };
    assert_eq!(text_in(&other).await, "one");
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    let moved = scene.world.promote(&prompt, &next, "production").await.expect(200);
    let until: Timestamp = text(&moved["propagated_at"]).parse().unwrap();
    assert_eq!(text_in(&scene.world.process).await, "two");
    scene.world.clock.set_wall(until);
    assert_eq!(text_in(&other).await, "one", "memory may serve what it has up to this moment");
    scene.world.clock.advance(MS);
    assert_eq!(text_in(&other).await, "two");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_where_it_was_revoked_and_within_the_bound_elsewhere() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let other = scene.world.another_process().await;
    let ask = async |process: &Process| {
        resolve(&[("prompt", "greeter")]).key(&scene.key).send(&process.router).await
    };
    ask(&other).await.expect(200);
    ask(&scene.world.process).await.expect(200);
    let keys = scene.world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let key = text(&keys["data"][0]["key_id"]).to_owned();
    let revoked = scene.world.admin(Call::delete(format!("/api/keys/{key}"))).await.expect(200);
    assert_ne!(revoked["revoked_at"], json!(null));
    ask(&scene.world.process).await.refused(401, "unauthenticated");
    scene.world.clock.advance(750 * MS);
    ask(&other).await.expect(200);
    scene.world.clock.advance(MS);
    ask(&other).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_lock_and_a_name_reach_memory_like_a_move() {
    let scene = Scene::start().await;
    let prompt = scene.live("before", r#"{"template_text": "x"}"#).await;
    let other = scene.world.another_process().await;
    pair(&memory(&other), &prompt).await;
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    scene.world.admin(Call::patch(path, &json!({ "name": "after" }))).await.expect(200);
    let ask = async |process: &Process| {
        let answer =
            resolve(&[("prompt", text(&prompt["prompt_id"]))]).key(&scene.key).send(&process.router).await;
        text(&answer.expect(200)["name"]).to_owned()
    };
    assert_eq!(ask(&scene.world.process).await, "after");
    scene.world.clock.advance(751 * MS);
    assert_eq!(ask(&other).await, "after");
}
