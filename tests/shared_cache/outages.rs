//! When the cache fails, the table, or both.

use crate::scene::{MS, Scene, seen};

#[tokio::test]
async fn without_table_and_cache_what_is_known_is_stale_and_what_is_not_503_until_they_are_back() {
    let mut scene = Scene::start().await;
    let (known, unknown) = (scene.process().await, scene.process().await);
    assert_eq!(scene.see(&known).await, seen("cache", 0, "one"));
    let failing = scene.tables_fail();
    scene.server.kill().await.unwrap();
    scene.advance(751 * MS);
    assert_eq!(scene.see(&known).await, seen("stale", 751, "one"));
    scene.ask(&unknown).await.refused(503, "unavailable");
    scene.advance(3_599_249 * MS);
    assert_eq!(scene.see(&known).await, seen("stale", 3_600_000, "one"));

    failing.end();
    scene.server.restart().await.unwrap();
    for process in [&known, &unknown] {
        assert_eq!(scene.see(process).await, seen("table", 0, "one"));
    }
    scene.advance(1000 * MS);
    for process in [&known, &unknown] {
        // The first request finds out by its key, while its ref still goes to the table.
        scene.see(process).await;
    }
    scene.advance(1000 * MS);
    for process in [&known, &unknown] {
        assert_eq!(scene.see(process).await, seen("cache", 2000, "one"));
    }
}

#[tokio::test]
async fn without_the_table_the_cache_answers_past_its_bound_and_says_so() {
    let scene = Scene::start().await;
    let failing = scene.reads_fail();
    scene.advance(3000 * MS);
    assert_eq!(scene.see(&scene.process().await).await, seen("cache", 3000, "one"));
    scene.advance(MS);
    let process = scene.process().await;
    for age in [3001, 3002] {
        assert_eq!(scene.see(&process).await, seen("stale", age, "one"));
        scene.advance(MS);
    }
    // A key is believed for an hour without asking.
    scene.advance((3_600_000 - 3003) * MS);
    assert_eq!(scene.see(&scene.process().await).await, seen("stale", 3_600_000, "one"));
    scene.advance(MS);
    scene.ask(&scene.process().await).await.refused(503, "unavailable");
    failing.end();
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
}

#[tokio::test]
async fn without_the_cache_the_table_answers() {
    let mut scene = Scene::start().await;
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.server.kill().await.unwrap();
    for text in ["two", "three"] {
        scene.move_to(text).await;
        assert_eq!(scene.see(&scene.process().await).await, seen("table", 0, text));
        scene.advance(751 * MS);
        assert_eq!(scene.see(&process).await, seen("table", 0, text));
    }
}
