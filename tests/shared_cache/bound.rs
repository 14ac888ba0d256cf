//! How old an answer may be that comes from the cache.

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
