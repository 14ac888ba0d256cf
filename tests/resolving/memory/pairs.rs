//! A ref and the version that it names change places together.

use std::time::Duration;

use cache::{Cache, Source};
use domain::{ErrorKind, name::production};
use serde_json::Value;
use store::keys::Key;
use testkit::fault::Fault;

use super::{cold, id, live, pair};
use crate::scene::{Scene, on_read, resolve};

const PAST_THE_BOUND: Duration = Duration::from_millis(751);

/// What a process serves: source, revision, number of the version, number in the ref.
async fn served(cache: &Cache, prompt: &Value) -> (Source, u64, u32, u32) {
    let answer = pair(cache, prompt).await;
    let live = live(&answer);
    let pointer = live.reference.version.unwrap();
    (answer.source, live.reference.revision, live.version.version.number, pointer.number)
}

#[tokio::test]
async fn the_last_complete_pair_is_served_while_the_next_version_cannot_be_loaded() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    let other = scene.world.another_process().await;
    let cache = super::memory(&other);
    assert_eq!(served(&cache, &prompt).await, (Source::Table, 1, 1, 1));
    scene.world.promote(&prompt, &next, "production").await.expect(200);
    let second = |key: &Key| matches!(key, Key::Version(_, 2));
    let broken = scene.world.faults().add(on_read(Fault::Exception("AccessDeniedException"), second));
    scene.world.clock.advance(PAST_THE_BOUND);
    assert_eq!(served(&cache, &prompt).await, (Source::Stale, 1, 1, 1));
    let answer = resolve(&[("prompt", "greeter")]).key(&scene.key).send(&other.router).await;
    let headers = ["cuecard-source", "cuecard-revision", "cuecard-age-ms"].map(|name| answer.header(name));
    assert_eq!(headers, ["stale", "1", "751"]);
    assert_eq!(answer.expect(200)["resolved_text"], "one");
    assert!(broken.injected() >= 2);
    broken.end();
    assert_eq!(served(&cache, &prompt).await, (Source::Table, 2, 2, 2));
}

#[tokio::test]
async fn a_process_that_never_had_a_whole_pair_answers_503() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let cache = cold(&scene).await;
    let versions = |key: &Key| matches!(key, Key::Version(..));
    let broken = scene.world.faults().add(on_read(Fault::Exception("AccessDeniedException"), versions));
    let refused = cache.pair(id(&prompt), &production()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    broken.end();
    assert_eq!(served(&cache, &prompt).await, (Source::Table, 1, 1, 1));
}

#[tokio::test]
async fn a_version_is_read_once_whatever_refs_name_it() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let reads = scene.reads(|key| matches!(key, Key::Version(..)));
    let cache = cold(&scene).await;
    pair(&cache, &prompt).await;
    scene.world.clock.advance(PAST_THE_BOUND);
    assert_eq!(pair(&cache, &prompt).await.source, Source::Table);
    assert_eq!(reads.injected(), 1);
}
