//! Clocks that jump, and processes that freeze.

use testkit::tcp_proxy::TcpProxy;

use crate::scene::{MS, Scene, seen};

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

#[tokio::test]
async fn to_a_wall_clock_that_was_set_back_the_cache_says_nothing() {
    let scene = Scene::start().await;
    let (process, clock) = scene.process_apart().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    let now = scene.world.registry().sources.now();
    clock.set_wall(now.minus(MS));
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
    assert_eq!(scene.see(&process).await, seen("memory", 0, "one"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"), "the earlier moment is not taken");
    clock.set_wall(now.plus(751 * MS));
    assert_eq!(scene.see(&process).await, seen("cache", 751, "one"), "it says something again");
}

#[tokio::test]
async fn a_process_that_was_frozen_for_an_hour_asks_the_table() {
    let scene = Scene::start().await;
    let (process, clock) = scene.process_apart().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.advance(HOUR / 2);
    scene.move_to("two").await;
    scene.advance(HOUR / 2);
    // Its monotonic clock stood still meanwhile.
    clock.set_wall(scene.world.registry().sources.now());
    assert_eq!(scene.see(&process).await, seen("table", 0, "two"));
}

#[tokio::test]
async fn a_connection_that_died_in_a_frozen_process_is_made_anew_in_the_same_request() {
    let scene = Scene::start().await;
    let way = TcpProxy::start(scene.server.address()).unwrap();
    let process = scene.process_at(format!("redis://{}", way.address())).await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.advance(HOUR);
    scene.move_to("two").await;
    scene.ask(&scene.world.process).await.expect(200);
    way.cut();
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 0, "two"));
    assert_eq!(failing.injected(), 0);
}
