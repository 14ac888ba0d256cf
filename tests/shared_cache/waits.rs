//! Nobody waits long for a cache that does not answer, and few wait at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::key::PresentedKey;
use testkit::tcp_proxy::{Behaviour, TcpProxy};
use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use crate::scene::{MS, Scene, resolve, seen};

/// Longer than any reader waits for the cache.
const TOO_LONG: Duration = Duration::from_millis(400);

/// A server that takes every connection and never says a word; how many it took; the task that ends with the test.
async fn mute_server() -> (String, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let mut task = JoinSet::new();
    let count = taken.clone();
    task.spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, taken, task)
}

#[tokio::test]
async fn of_many_requests_few_wait_for_a_cache_that_does_not_answer() {
    let scene = Scene::start().await;
    let (url, taken, _server) = mute_server().await;
    let process = scene.process_at(url).await;
    // Each name is new to the process, so that it would ask the cache.
    let ask = async |number: usize| {
        let call = resolve(&format!("missing-{number}")).key(&scene.key);
        call.send(&process.router).await.refused(404, "no-such-prompt");
    };
    for number in 0..20 {
        ask(number).await;
    }
    assert_eq!(taken.load(Ordering::SeqCst), 3, "after three failures it is left alone");
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
    assert_eq!(taken.load(Ordering::SeqCst), 3);
    // One quick pass is proof enough; a busy machine may spoil some.
    let mut waits = Vec::new();
    while waits.iter().all(|wait| *wait >= TOO_LONG) && waits.len() < 10 {
        scene.advance(1000 * MS);
        let started = Instant::now();
        for number in 20..25 {
            ask(number).await;
        }
        waits.push(started.elapsed());
        assert_eq!(taken.load(Ordering::SeqCst), 3 + waits.len(), "after a second one of them tries");
    }
    assert!(waits.iter().any(|wait| *wait < TOO_LONG), "{waits:?}");
}

#[tokio::test]
async fn who_had_no_answer_does_not_wait_again_to_say_what_the_table_said() {
    let scene = Scene::start().await;
    let (url, taken, _server) = mute_server().await;
    let cache = scene.process_at(url).await.release.registry.cache;
    let id = PresentedKey::parse(&scene.key).unwrap().id;
    assert!(cache.api_key(id).await.unwrap().is_some());
    assert_eq!(taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cache_that_is_back_is_used_again_after_a_second() {
    let scene = Scene::start().await;
    let way = TcpProxy::start(scene.server.address()).unwrap();
    let process = scene.process_at(format!("redis://{}", way.address())).await;
    way.set(Behaviour::Blackhole);
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
    way.set(Behaviour::Pass);
    scene.advance(999 * MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"), "it is left alone");
    scene.advance(MS);
    assert_eq!(scene.see(&process).await, seen("memory", 1, "one"));
    scene.advance(750 * MS);
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"), "the key's way is the one that tries");
    scene.advance(751 * MS);
    assert_eq!(scene.see(&process).await, seen("cache", 2501, "one"));
}
