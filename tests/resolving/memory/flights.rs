//! At most one load per key in a process, and nobody held up by one that hangs or went away.

use std::{sync::Arc, time::Duration};

use cache::{Cache, Source};
use domain::name::production;
use futures_util::future::join_all;
use store::keys::Key;
use testkit::fault::Fault;
use tokio::time::{Instant, timeout};

use super::{cold, id, is_ref, live, pair};
use crate::scene::{Scene, on_read, resolve};

/// How long a load keeps others waiting.
const PATIENCE: Duration = Duration::from_millis(200);

/// Far longer than anybody should wait.
const TOO_LONG: Duration = Duration::from_secs(20);

/// One load, and one more for each time that a busy machine did not end it in time.
fn loads_within(elapsed: Duration) -> u64 {
    1 + u64::try_from(elapsed.as_millis() / PATIENCE.as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_cold_readers_cause_one_load() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let (refs, versions) = (scene.reads(is_ref), scene.reads(|key| matches!(key, Key::Version(..))));
    let started = Instant::now();
    let readers = (0..50).map(|_| {
        let (cache, prompt) = (cache.clone(), prompt.clone());
        tokio::spawn(async move { live(&pair(&cache, &prompt).await).reference.revision })
    });
    let revisions = join_all(readers.collect::<Vec<_>>()).await;
    assert!(revisions.into_iter().all(|revision| revision.unwrap() == 1));
    let allowed = loads_within(started.elapsed());
    let reads = [refs, versions];
    assert!(reads.iter().all(|read| (1..=allowed).contains(&read.injected())), "{reads:?} {allowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_cold_requests_read_each_item_once() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let process = scene.world.another_process().await;
    let reads = [
        scene.reads(|key| matches!(key, Key::ApiKey(_))),
        scene.reads(|key| matches!(key, Key::Name(..))),
        scene.reads(is_ref),
        scene.reads(|key| matches!(key, Key::Version(..))),
    ];
    let queries = scene.world.faults().calls("Query");
    let started = Instant::now();
    let requests = (0..50).map(|_| {
        let (call, router) = (resolve(&[("prompt", "greeter")]).key(&scene.key), process.router.clone());
        tokio::spawn(async move { call.send(&router).await.status.as_u16() })
    });
    let statuses = join_all(requests.collect::<Vec<_>>()).await;
    assert!(statuses.into_iter().all(|status| status.unwrap() == 200));
    let allowed = loads_within(started.elapsed());
    assert!(reads.iter().all(|read| (1..=allowed).contains(&read.injected())), "{reads:?} {allowed}");
    assert!(scene.world.faults().calls("Query") - queries <= allowed, "the signing key");
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_that_name_one_version_read_it_once() {
    let scene = Scene::start().await;
    let prompt = scene.world.prompt("support", "greeter", &serde_json::json!({})).await;
    let version = scene.version(&prompt, r#"{"template_text": "x"}"#).await;
    for environment in ["production", "staging"] {
        scene.world.promote(&prompt, &version, environment).await.expect(200);
    }
    let cache = cold(&scene).await;
    let slow = Fault::Delay(Duration::from_millis(50));
    let reads = scene.world.faults().add(on_read(slow, |key| matches!(key, Key::Version(..))));
    let started = Instant::now();
    let environments = [production(), "staging".parse().unwrap()];
    let pairs = join_all(environments.iter().map(|environment| cache.pair(id(&prompt), environment))).await;
    assert!(pairs.into_iter().all(|pair| pair.unwrap().value.revision() == 1));
    assert!((1..=loads_within(started.elapsed())).contains(&reads.injected()), "{reads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_hangs_does_not_hold_the_others() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let hanging = scene.world.faults().add(on_read(Fault::Hold, is_ref).times(1));
    let first = spawn(&cache, &prompt);
    hanging.has_held(1).await;
    let others = (0..20).map(|_| spawn(&cache, &prompt)).collect::<Vec<_>>();
    let others = timeout(TOO_LONG, join_all(others)).await.unwrap();
    assert!(others.into_iter().all(|source| matches!(source.unwrap(), Source::Table | Source::Memory)));
    assert!(!first.is_finished());
    hanging.end();
    first.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_went_away_holds_nobody() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let mut waits = Vec::new();
    // One quick pass is proof enough; a busy machine may spoil some.
    while waits.iter().all(|wait| *wait >= PATIENCE) && waits.len() < 10 {
        let cache = cold(&scene).await;
        let hanging = scene.world.faults().add(on_read(Fault::Hold, is_ref).times(1));
        let gone = spawn(&cache, &prompt);
        hanging.has_held(1).await;
        let waiting = spawn(&cache, &prompt);
        gone.abort();
        gone.await.unwrap_err();
        let started = Instant::now();
        timeout(TOO_LONG, waiting).await.unwrap().unwrap();
        timeout(TOO_LONG, pair(&cache, &prompt)).await.unwrap();
        waits.push(started.elapsed());
        hanging.end();
    }
    assert!(waits.iter().any(|wait| *wait < PATIENCE), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_lets_the_next_reader_try() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let cache = cold(&scene).await;
    let failing = Fault::Exception("AccessDeniedException");
    let failing = scene.world.faults().add(on_read(failing, is_ref).times(1));
    let readers = (0..20).map(|_| {
        let (cache, prompt) = (cache.clone(), id(&prompt));
        tokio::spawn(async move { cache.pair(prompt, &production()).await.is_ok() })
    });
    let answered = join_all(readers.collect::<Vec<_>>()).await;
    let failed = answered.into_iter().filter(|answered| !answered.as_ref().unwrap()).count();
    assert_eq!((failed, failing.injected()), (1, 1), "who loads hears of it, who waits tries again");
    assert_eq!(pair(&cache, &prompt).await.value.revision(), 1);
}

fn spawn(cache: &Arc<Cache>, prompt: &serde_json::Value) -> tokio::task::JoinHandle<Source> {
    let (cache, prompt) = (cache.clone(), prompt.clone());
    tokio::spawn(async move { pair(&cache, &prompt).await.source })
}
