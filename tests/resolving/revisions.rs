//! Asking for a revision at least.

use std::time::Duration;

use e2e::{Answer, Process};
use serde_json::{Value, json};
use store::keys::Key;

use crate::scene::{Scene, resolve};

async fn at_least(scene: &Scene, process: &Process, revision: &str) -> Answer {
    let query = [("prompt", "greeter"), ("min_revision", revision)];
    resolve(&query).key(&scene.key).send(&process.router).await
}

/// A prompt that another process knows at revision 1, and that stands at 2.
async fn moved_elsewhere() -> (Scene, Process, Value) {
    let scene = Box::pin(Scene::start()).await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let other = scene.world.another_process().await;
    at_least(&scene, &other, "0").await.expect(200);
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    scene.world.promote(&prompt, &next, "production").await.expect(200);
    (scene, other, prompt)
}

#[tokio::test]
async fn memory_is_not_believed_when_a_newer_revision_is_asked_for() {
    let (scene, other, _) = moved_elsewhere().await;
    let known = at_least(&scene, &other, "1").await;
    assert_eq!(
        (known.header("cuecard-source"), known.json()["resolved_text"].clone()),
        ("memory", json!("one"))
    );
    let newer = at_least(&scene, &other, "2").await;
    assert_eq!((newer.header("cuecard-source"), newer.header("cuecard-revision")), ("table", "2"));
    assert_eq!(newer.expect(200)["resolved_text"], "two");
    assert_eq!(at_least(&scene, &other, "0").await.expect(200)["revision"], 2, "memory has learnt it");
}

#[tokio::test]
async fn a_revision_that_is_not_reached_is_refused_and_the_newest_is_told() {
    let (scene, other, _) = moved_elsewhere().await;
    let refused = at_least(&scene, &other, "3").await.refused(412, "revision-not-reached");
    assert_eq!(refused["revision"], 2);
    let body = json!({ "prompt": "greeter", "min_revision": 3 });
    assert_eq!(scene.post(&body).await.refused(412, "revision-not-reached")["revision"], 2);
}

#[tokio::test]
async fn the_table_is_asked_once_a_second_for_a_revision_that_is_not_reached() {
    let (scene, other, prompt) = moved_elsewhere().await;
    let reads = scene.reads(|key| matches!(key, Key::Ref(..)));
    for _ in 0..5 {
        at_least(&scene, &other, "3").await.refused(412, "revision-not-reached");
    }
    assert_eq!(reads.injected(), 1);
    // Another revision is another question.
    at_least(&scene, &other, "4").await.refused(412, "revision-not-reached");
    assert_eq!(reads.injected(), 2);
    scene.world.roll_back(&prompt, "production").await.expect(200);
    scene.world.clock.advance(Duration::from_millis(750));
    let before = reads.injected();
    at_least(&scene, &other, "3").await.refused(412, "revision-not-reached");
    assert_eq!(reads.injected(), before, "it is remembered for a second");
    scene.world.clock.advance(Duration::from_millis(251));
    at_least(&scene, &other, "3").await.expect(200);
}

#[tokio::test]
async fn a_cold_process_asks_the_table_once_for_a_revision_that_is_not_reached() {
    let (scene, _, _) = moved_elsewhere().await;
    let cold = scene.world.another_process().await;
    let reads = scene.reads(|key| matches!(key, Key::Ref(..)));
    at_least(&scene, &cold, "3").await.refused(412, "revision-not-reached");
    assert_eq!(reads.injected(), 1);
}

#[tokio::test]
async fn the_process_that_moves_knows_its_revision_at_once() {
    let (scene, _, prompt) = moved_elsewhere().await;
    let process = scene.world.process.clone();
    at_least(&scene, &process, "3").await.refused(412, "revision-not-reached");
    let moved = scene.world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(moved["revision"], 3);
    assert_eq!(at_least(&scene, &process, "3").await.expect(200)["resolved_text"], "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_for_a_newer_revision_at_once_cause_one_read() {
    let (scene, other, _) = moved_elsewhere().await;
    let reads = scene.reads(|key| matches!(key, Key::Ref(..)));
    let calls = (0..30).map(|_| at_least(&scene, &other, "2"));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.json()["revision"] == 2));
    assert!(reads.injected() <= 2, "{} reads", reads.injected());
}
