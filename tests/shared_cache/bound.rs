//! How old an answer may be that comes from the cache.

use redis::AsyncCommands as _;
use store::keys::Key;
use testkit::{
    fault::{Fault, Rule},
    tcp_proxy::Behaviour,
};

use crate::scene::{MS, Scene, seen};

#[tokio::test]
async fn memory_serves_for_750_ms_the_cache_for_3_s_and_then_the_table_is_read() {
    let scene = Scene::start().await;
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.advance(750 * MS);
    assert_eq!(scene.see(&process).await, seen("memory", 750, "one"));
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("cache", 751, "one"));
    scene.advance(2249 * MS);
    assert_eq!(scene.see(&process).await, seen("cache", 3000, "one"));
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"), "and the cache is told");
}

#[tokio::test]
async fn age_counts_from_before_the_read_of_the_table_whatever_way_it_took() {
    let scene = Scene::start().await;
    let (reading, slow) = scene.late_reader().await;
    scene.advance(700 * MS);
    slow.end();
    assert_eq!(reading.await.unwrap(), seen("table", 700, "one"));
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 700, "one"));
    scene.advance(50 * MS);
    assert_eq!(scene.see(&process).await, seen("memory", 750, "one"));
    scene.advance(2250 * MS);
    assert_eq!(scene.see(&process).await, seen("cache", 3000, "one"));
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
}

#[tokio::test]
async fn a_version_that_comes_late_makes_no_answer_older() {
    let scene = Scene::start().await;
    let next = scene.version("two").await;
    let () = scene.redis().await.del(scene.version_key(1)).await.unwrap();
    scene.way.set(Behaviour::Refuse);
    scene.advance(2990 * MS);
    // It finds the ref at the end of its time, and waits for the version, while somebody moves the ref.
    let late = scene.on_read(Fault::Hold, |key| matches!(key, Key::Version(_, 1)), 1);
    let reading = scene.held_reader(&late).await;
    scene.world.promote(&scene.prompt, &next, "production").await.expect(200);
    scene.advance(1000 * MS);
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 0, "two"));
}

#[tokio::test]
async fn a_signing_key_that_comes_late_makes_no_answer_older() {
    let scene = Scene::start().await;
    scene.advance(2990 * MS);
    scene.count_commands().await;
    let late = scene.world.faults().add(Rule::on("Query", Fault::Hold).times(1));
    let reading = scene.held_reader(&late).await;
    // After key, name and ref comes the version: by then the ref is there.
    while scene.gets().await < 4 {}
    scene.advance(1000 * MS);
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 0, "one"));
}
