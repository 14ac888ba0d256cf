//! A ref and the version that it names reach others together.

use redis::AsyncCommands as _;
use serde_json::json;
use store::keys::Key;

use crate::scene::{MS, Scene, failure, seen};

/// Lets the users of the cache have only those keys that match.
async fn restrict(scene: &Scene, keys: &str) {
    let mut redis = scene.redis().await;
    let mut command = redis::cmd("ACL");
    command.arg(&["SETUSER", "default", "resetkeys", keys]);
    let () = command.query_async(&mut redis).await.unwrap();
}

#[tokio::test]
async fn a_ref_is_not_published_where_its_version_could_not_be() {
    let scene = Scene::start().await;
    restrict(&scene, "~cue:*:ref:*").await;
    assert_eq!(scene.move_to("two").await["propagated"], json!(false));
    restrict(&scene, "~*").await;
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
}

#[tokio::test]
async fn a_version_is_published_before_its_ref() {
    let scene = Scene::start().await;
    scene.move_to("two").await;
    // The mover has the version in memory: that the cache has it too is for the mover to see to.
    scene.server.flush().await.unwrap();
    restrict(&scene, "~cue:*:ver:*").await;
    let back = scene.world.roll_back(&scene.prompt, "production").await.expect(200);
    assert_eq!(back["propagated"], json!(false));
    restrict(&scene, "~*").await;
    assert!(scene.has(&scene.version_key(1)).await);
    assert!(!scene.has(&scene.ref_key()).await);
}

#[tokio::test]
async fn the_last_whole_pair_is_served_while_a_version_is_nowhere_to_be_had() {
    let scene = Scene::start().await;
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    scene.move_to("two").await;
    let () = scene.redis().await.del(scene.version_key(2)).await.unwrap();
    let failing = scene.on_read(failure(), |key| matches!(key, Key::Version(..)), u64::MAX);
    scene.advance(751 * MS);
    assert_eq!(scene.see(&process).await, seen("stale", 751, "one"));
    scene.ask(&scene.process().await).await.refused(503, "unavailable");
    failing.end();
    assert_eq!(scene.see(&process).await, seen("cache", 751, "two"));
}
