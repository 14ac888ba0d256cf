//! How things stand in the cache.

use redis::AsyncCommands as _;

use crate::scene::{Scene, seen};

/// In seconds: 25 hours.
const LIFE: i64 = 25 * 3600;

#[tokio::test]
async fn every_key_lapses_after_25_hours() {
    let scene = Scene::start().await;
    let mut redis = scene.redis().await;
    let keys: Vec<String> = redis.keys("*").await.unwrap();
    for known in scene.keys() {
        assert!(keys.contains(&known), "{known} is not among {keys:?}");
    }
    for key in keys {
        let left: i64 = redis.ttl(&key).await.unwrap();
        assert!((LIFE - 600..=LIFE).contains(&left), "{key}: {left} s");
    }
}

#[tokio::test]
async fn what_has_another_format_is_not_there_and_is_replaced() {
    let scene = Scene::start().await;
    let mut redis = scene.redis().await;
    for key in scene.keys() {
        let _: usize = redis.setrange(&key, 0, "2").await.unwrap();
        let process = scene.process().await;
        let source = if key == scene.ref_key() { "table" } else { "cache" };
        let reads = scene.world.faults().calls("GetItem");
        assert_eq!(scene.see(&process).await, seen(source, 0, "one"), "{key}");
        assert_eq!(scene.world.faults().calls("GetItem"), reads + 1, "{key} is read from the table");
        assert_eq!(scene.cache_says().await, seen("cache", 0, "one"), "{key} is there again");
    }
}

#[tokio::test]
async fn garbage_is_not_there_and_is_replaced() {
    let scene = Scene::start().await;
    let mut redis = scene.redis().await;
    for key in scene.keys() {
        let long = ["\u{0}", "~", "{\"revision\":9}"].map(|garbage| garbage.repeat(60));
        for garbage in long.iter().map(String::as_str).chain(["", "199"]) {
            let () = redis.set(&key, garbage).await.unwrap();
            scene.ask(&scene.process().await).await.expect(200);
            assert_eq!(scene.cache_says().await, seen("cache", 0, "one"), "{key}, which was {garbage}");
        }
    }
}
