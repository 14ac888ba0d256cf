//! What a mover says of how far its move has come, and when others see it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cache::RemoteSettings;
use domain::Timestamp;
use e2e::{ADMIN, Call, text};
use serde_json::{Value, json};
use testkit::{
    fault::{Fault, Rule},
    tcp_proxy::Behaviour,
};

use crate::scene::{MS, Scene, failure, seen};

/// How long after now something is said to be.
fn in_future(scene: &Scene, moment: &Value) -> Duration {
    let moment: Timestamp = text(moment).parse().unwrap();
    moment.since(scene.world.registry().sources.now()).unwrap()
}

#[tokio::test]
async fn a_move_that_the_cache_has_is_seen_as_soon_as_memory_asks() {
    let scene = Scene::start().await;
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    let moved = scene.move_to("two").await;
    assert!(moved["cache_invalidation_ms"].is_u64(), "{moved}");
    assert_eq!(moved.get("propagated"), None);
    assert_eq!(in_future(&scene, &moved["propagated_at"]), 750 * MS);
    assert_eq!(scene.cache_says().await, seen("cache", 0, "two"));
    scene.advance(750 * MS);
    assert_eq!(scene.see(&process).await, seen("memory", 750, "one"));
    scene.advance(MS);
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 751, "two"));
    failing.end();

    let back = scene.world.roll_back(&scene.prompt, "production").await.expect(200);
    assert!(back["cache_invalidation_ms"].is_u64(), "{back}");
    assert_eq!(back.get("propagated"), None);
    assert_eq!(in_future(&scene, &back["rollback_propagated_at"]), 750 * MS);
    scene.advance(751 * MS);
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 751, "one"));
    assert_eq!(failing.injected(), 0);
}

/// The reader sees the mover's cache, but the mover does not.
async fn a_mover_cannot_reach_the_cache(way: Behaviour) {
    let scene = Scene::start().await;
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.way.set(way);
    let moved = scene.move_to("two").await;
    let news = [&moved["propagated"], &moved["cache_invalidation_ms"]];
    assert_eq!(news, [&json!(false), &Value::Null]);
    assert_eq!(in_future(&scene, &moved["propagated_at"]), 4000 * MS);
    let back = scene.world.roll_back(&scene.prompt, "production").await.expect(200);
    let news = [&back["propagated"], &back["cache_invalidation_ms"]];
    assert_eq!(news, [&json!(false), &Value::Null]);
    assert_eq!(in_future(&scene, &back["rollback_propagated_at"]), 4000 * MS);
    scene.move_to("three").await;
    assert_eq!(scene.see(&scene.world.process).await, seen("memory", 0, "three"));

    scene.advance(3000 * MS);
    assert_eq!(scene.see(&process).await, seen("cache", 3000, "one"));
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "three"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "three"));
}

#[tokio::test]
async fn a_mover_that_the_cache_refuses_says_so_and_the_bound_heals_it() {
    a_mover_cannot_reach_the_cache(Behaviour::Refuse).await;
}

#[tokio::test]
async fn a_mover_that_the_cache_does_not_answer_says_so_and_the_bound_heals_it() {
    a_mover_cannot_reach_the_cache(Behaviour::Blackhole).await;
}

#[tokio::test]
async fn the_time_until_the_cache_has_it_is_measured() {
    let scene = Scene::start().await;
    scene.move_to("two").await;
    scene.move_to("three").await;
    let cache = RemoteSettings::node(format!("redis://{}", scene.way.address()));
    let mover = scene.world.another_process_with(Some(&cache), &runtime::sources::system()).await;
    let roll_back = async || {
        let body = json!({ "environment": "production" });
        let call = Call::post(format!("{}/rollback", scene.path()), &body).key(ADMIN);
        call.send(&mover.router).await.expect(200)["cache_invalidation_ms"].as_u64().unwrap()
    };
    scene.way.set(Behaviour::Delay(300 * MS));
    let slow = roll_back().await;
    assert!((300..1500).contains(&slow), "{slow}");
    scene.way.set(Behaviour::Pass);
    let fast = roll_back().await;
    assert!(fast < slow, "{fast} {slow}");
}

#[tokio::test]
async fn a_move_that_was_tried_again_is_as_young_as_its_last_try() {
    let scene = Scene::start().await;
    let version = scene.version("two").await;
    let contend = || {
        // A first try takes 4 s, and meets another writer.
        let (clock, met) = (scene.world.clock.clone(), AtomicBool::new(false));
        let slow = Rule::on("TransactWriteItems", Fault::Conflict).times(1).when(move |_| {
            if !met.swap(true, Ordering::SeqCst) {
                clock.advance(4000 * MS);
            }
            true
        });
        scene.world.faults().add(slow)
    };
    let slow = contend();
    scene.world.promote(&scene.prompt, &version, "production").await.expect(200);
    assert_eq!((slow.injected(), scene.cache_says().await), (1, seen("cache", 0, "two")));
    let slow = contend();
    scene.world.roll_back(&scene.prompt, "production").await.expect(200);
    assert_eq!((slow.injected(), scene.cache_says().await), (1, seen("cache", 0, "one")));
    let slow = contend();
    let rename = Call::patch(scene.path(), &json!({ "tags": ["x"], "name": "welcomer" }));
    scene.world.admin(rename).await.expect(200);
    assert_eq!((slow.injected(), scene.cache_says().await), (1, seen("cache", 0, "one")));
}

#[tokio::test]
async fn the_news_of_a_move_waits_for_no_read() {
    let scene = Scene::start().await;
    let version = scene.version("two").await;
    let cache = RemoteSettings::node(scene.server.url());
    for act in ["promote", "rollback"] {
        let mover = scene.world.another_process_with(Some(&cache), &scene.world.registry().sources).await;
        scene.server.flush().await.unwrap();
        let committed = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&committed);
        scene.world.faults().add(Rule::on("TransactWriteItems", failure()).when(move |_| {
            note.store(true, Ordering::SeqCst);
            false
        }));
        let failing = Rule::on("GetItem", failure()).when(move |_| committed.load(Ordering::SeqCst));
        let failing = scene.world.faults().add(failing);
        let body = json!({ "environment": "production", "version_id": version["version_id"] });
        let body = if act == "rollback" { json!({ "environment": "production" }) } else { body };
        let call = Call::post(format!("{}/{act}", scene.path()), &body).key(ADMIN);
        let answer = call.send(&mover.router).await.expect(200);
        assert!(answer["cache_invalidation_ms"].is_u64(), "{act}: {answer}");
        failing.end();
    }
}
