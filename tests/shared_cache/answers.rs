//! Who has just started answers from the cache what others have read or written.

use std::time::Duration;

use cache::RemoteSettings;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::scene::{Scene, resolve, seen};

/// How long a load keeps others waiting.
const PATIENCE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_new_process_answers_wholly_from_the_cache() {
    let scene = Scene::start().await;
    let process = scene.process().await;
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    assert_eq!(scene.see(&process).await, seen("memory", 0, "one"));
    assert_eq!(failing.injected(), 0, "key, name, ref and version came from the cache");
}

#[tokio::test]
async fn the_same_over_a_cluster() {
    let scene = Scene::start_cluster().await;
    let cluster = RemoteSettings { cluster: true, ..RemoteSettings::node(scene.server.url()) };
    let sources = scene.world.registry().sources.clone();
    let process = scene.world.another_process_with(Some(&cluster), &sources).await;
    scene.count_commands().await;
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    assert_eq!(failing.injected(), 0);
    assert!(scene.commands().await.contains("cmdstat_cluster"), "it was asked which node has what");
}

#[tokio::test]
async fn what_one_process_reads_from_the_table_the_next_one_has_from_the_cache() {
    let scene = Scene::start().await;
    scene.server.flush().await.unwrap();
    let first = scene.process().await;
    assert_eq!(scene.see(&first).await, seen("table", 0, "one"));
    assert_eq!(scene.cache_says().await, seen("cache", 0, "one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_cold_requests_ask_the_cache_for_each_thing_once() {
    let scene = Scene::start().await;
    let process = scene.process().await;
    scene.count_commands().await;
    let started = Instant::now();
    let requests = (0..50).map(|_| {
        let (call, router) = (resolve("greeter").key(&scene.key), process.router.clone());
        tokio::spawn(async move { call.send(&router).await.status.as_u16() })
    });
    let statuses = join_all(requests.collect::<Vec<_>>()).await;
    assert!(statuses.into_iter().all(|status| status.unwrap() == 200));
    let gets = scene.gets().await;
    // Key, name, ref and version, and once more for each time that a busy machine did not end a load in time.
    let allowed = 4 * (1 + started.elapsed().as_millis() / PATIENCE.as_millis());
    assert!((4..=allowed).contains(&u128::from(gets)), "{gets} of {allowed}");
}
