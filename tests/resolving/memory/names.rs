//! Names: what is known is known for ever, what is not there may come any moment.

use std::time::Duration;

use e2e::{Answer, Call, Process, text};
use serde_json::json;
use store::keys::Key;

use crate::scene::{Scene, resolve};

const SECOND: Duration = Duration::from_secs(1);

fn is_name(key: &Key) -> bool {
    matches!(key, Key::Name(..))
}

async fn ask(scene: &Scene, process: &Process, name: &str) -> Answer {
    resolve(&[("prompt", name)]).key(&scene.key).send(&process.router).await
}

#[tokio::test]
async fn a_name_once_known_is_never_asked_for_again() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let other = scene.world.another_process().await;
    let reads = scene.reads(is_name);
    for _ in 0..5 {
        ask(&scene, &other, "greeter").await.expect(200);
        scene.world.clock.advance(Duration::from_hours(24 * 9));
    }
    assert_eq!(reads.injected(), 1);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_asked_for_again_within_a_second() {
    let scene = Scene::start().await;
    let other = scene.world.another_process().await;
    let reads = scene.reads(is_name);
    for _ in 0..5 {
        ask(&scene, &other, "greeter").await.refused(404, "no-such-prompt");
    }
    assert_eq!(reads.injected(), 1, "it is remembered for a moment");
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    ask(&scene, &scene.world.process, "greeter").await.expect(200);
    scene.world.clock.advance(SECOND);
    ask(&scene, &other, "greeter").await.expect(200);
}

#[tokio::test]
async fn who_makes_or_renames_a_prompt_knows_its_name_at_once() {
    let scene = Scene::start().await;
    ask(&scene, &scene.world.process, "greeter").await.refused(404, "no-such-prompt");
    let prompt = scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let reads = scene.reads(is_name);
    ask(&scene, &scene.world.process, "greeter").await.expect(200);
    assert_eq!(reads.injected(), 0);
    ask(&scene, &scene.world.process, "welcomer").await.refused(404, "no-such-prompt");
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    scene.world.admin(Call::patch(path, &json!({ "name": "welcomer" }))).await.expect(200);
    let before = reads.injected();
    ask(&scene, &scene.world.process, "welcomer").await.expect(200);
    assert_eq!(reads.injected(), before);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_again_within_a_second() {
    let scene = Scene::start().await;
    let other = scene.world.another_process().await;
    let reads = scene.reads(|key| matches!(key, Key::ApiKey(_)));
    let nobody = || resolve(&[("prompt", "greeter")]).key("cue_nobody_secret");
    for _ in 0..5 {
        nobody().send(&other.router).await.refused(401, "unauthenticated");
    }
    assert_eq!(reads.injected(), 1);
    scene.world.clock.advance(SECOND);
    nobody().send(&other.router).await.refused(401, "unauthenticated");
    assert_eq!(reads.injected(), 2);
}

#[tokio::test]
async fn a_first_promotion_is_seen_elsewhere_within_a_second() {
    let scene = Scene::start().await;
    let prompt = scene.world.prompt("support", "greeter", &json!({})).await;
    let version = scene.version(&prompt, r#"{"template_text": "x"}"#).await;
    let other = scene.world.another_process().await;
    ask(&scene, &other, "greeter").await.refused(404, "not-live");
    scene.world.promote(&prompt, &version, "production").await.expect(200);
    ask(&scene, &scene.world.process, "greeter").await.expect(200);
    scene.world.clock.advance(SECOND);
    ask(&scene, &other, "greeter").await.expect(200);
}
