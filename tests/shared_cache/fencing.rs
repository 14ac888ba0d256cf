//! An older read never takes the place of a newer one in the cache, in whatever order they arrive.

use cache::{Published, ReadAt};
use domain::name::production;
use registry::Registry;
use testkit::tcp_proxy::Behaviour;

use crate::scene::{MS, Scene, seen};

#[tokio::test]
async fn who_read_before_a_move_and_fills_after_it_does_not_overwrite_it() {
    let scene = Scene::start().await;
    let (reading, late) = scene.late_reader().await;
    scene.move_to("two").await;
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 0, "one"), "it read in time");
    assert_eq!(scene.cache_says().await, seen("cache", 0, "two"));
}

#[tokio::test]
async fn a_fill_that_read_over_a_second_ago_is_refused_where_the_key_was_lost() {
    let scene = Scene::start().await;
    let (reading, late) = scene.late_reader().await;
    scene.move_to("two").await;
    scene.server.flush().await.unwrap();
    scene.advance(1001 * MS);
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 1001, "one"));
    assert!(scene.has(&scene.version_key(1)).await, "it filled what it read just now");
    assert!(!scene.has(&scene.ref_key()).await);
    assert_eq!(scene.see(&scene.process().await).await, seen("table", 0, "two"));
}

#[tokio::test]
async fn a_younger_one_that_is_taken_in_its_place_lapses_within_the_bound() {
    let scene = Scene::start().await;
    let (reading, late) = scene.late_reader().await;
    scene.move_to("two").await;
    scene.server.flush().await.unwrap();
    scene.advance(1000 * MS);
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 1000, "one"));
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 1000, "one"));
    scene.advance(2000 * MS);
    assert_eq!(scene.see(&process).await, seen("cache", 3000, "one"));
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "two"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "two"));
}

#[tokio::test]
async fn of_the_same_revision_the_later_read_counts() {
    let scene = Scene::start().await;
    let (reading, late) = scene.late_reader().await;
    scene.advance(500 * MS);
    assert_eq!(scene.see(&scene.process().await).await, seen("table", 0, "one"));
    late.end();
    assert_eq!(reading.await.unwrap(), seen("table", 500, "one"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
}

#[tokio::test]
async fn a_move_that_is_published_late_does_not_overwrite_the_next_one() {
    let scene = Scene::start().await;
    let Registry { store, cache, sources, .. } = scene.world.registry();
    let late = store.reference(scene.prompt_id(), &production()).await.unwrap().unwrap();
    scene.move_to("two").await;
    scene.advance(MS);
    let published = cache.publish_ref(&late, ReadAt::now(sources)).await;
    assert_eq!(published, Published::Acknowledged, "the cache has the news, and newer ones");
    assert_eq!(scene.cache_says().await, seen("cache", 1, "two"));
}

#[tokio::test]
async fn who_knows_of_a_move_that_the_cache_missed_does_not_go_back_and_tells_it() {
    let scene = Scene::start().await;
    scene.way.set(Behaviour::Refuse);
    scene.move_to("two").await;
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
    scene.way.set(Behaviour::Pass);
    scene.advance(1000 * MS);
    assert_eq!(scene.see(&scene.world.process).await, seen("table", 0, "two"));
    assert_eq!(scene.see(&scene.process().await).await, seen("cache", 0, "two"));
}
