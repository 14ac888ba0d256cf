//! An older revision never takes the place of a newer one, in whatever order they arrive.

use cache::{ReadAt, Source};
use domain::name::production;
use e2e::{Call, text};
use serde_json::json;
use store::keys::Key;
use testkit::fault::Fault;

use super::{cold, id, is_ref, live, memory, pair};
use crate::scene::{Scene, on_read, resolve};

#[tokio::test]
async fn a_read_from_before_a_move_that_arrives_after_it_is_not_believed() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    let process = scene.world.another_process().await;
    let cache = memory(&process);
    let late = scene.world.faults().add(on_read(Fault::Hold, is_ref).times(1));
    let reader = tokio::spawn({
        let (cache, prompt) = (cache.clone(), prompt.clone());
        async move { pair(&cache, &prompt).await }
    });
    late.has_held(1).await;
    let path = format!("/api/prompts/{}/promote", text(&prompt["prompt_id"]));
    let body = json!({ "version_id": next["version_id"], "environment": "production" });
    Call::post(path, &body).key(e2e::ADMIN).send(&process.router).await.expect(200);
    let offered = pair(&cache, &prompt).await;
    assert_eq!((offered.source, live(&offered).reference.revision), (Source::Memory, 2));
    assert!(!reader.is_finished());
    late.end();
    let read = reader.await.unwrap();
    assert_eq!(live(&read).reference.revision, 2, "the reader itself gets the newer one too");
    assert_eq!(live(&read).version.version.number, 2);
    let kept = pair(&cache, &prompt).await;
    assert_eq!((kept.source, live(&kept).reference.revision), (Source::Memory, 2));
}

#[tokio::test]
async fn of_two_reads_that_overtake_each_other_the_newer_counts() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    let cache = cold(&scene).await;
    let late = scene.world.faults().add(on_read(Fault::Hold, is_ref).times(1));
    let reader = tokio::spawn({
        let (cache, prompt) = (cache.clone(), prompt.clone());
        async move { pair(&cache, &prompt).await }
    });
    late.has_held(1).await;
    scene.world.promote(&prompt, &next, "production").await.expect(200);
    let overtaking = pair(&cache, &prompt).await;
    assert_eq!((overtaking.source, live(&overtaking).reference.revision), (Source::Table, 2));
    late.end();
    assert_eq!(live(&reader.await.unwrap()).reference.revision, 2);
    assert_eq!(live(&pair(&cache, &prompt).await).reference.revision, 2);
}

#[tokio::test]
async fn an_older_ref_that_is_offered_late_is_not_taken() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "one"}"#).await;
    let next = scene.version(&prompt, r#"{"template_text": "two"}"#).await;
    let old = scene.world.registry().store.reference(id(&prompt), &production()).await.unwrap().unwrap();
    scene.world.promote(&prompt, &next, "production").await.expect(200);
    let cache = memory(&scene.world.process);
    cache.publish_ref(&old, ReadAt::now(&scene.world.registry().sources)).await;
    assert_eq!(live(&pair(&cache, &prompt).await).reference.revision, 2);
}

#[tokio::test]
async fn a_key_that_was_read_before_it_was_revoked_does_not_come_back() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let process = scene.world.another_process().await;
    let admin = e2e::ADMIN;
    // The admin's own key is known, so that the next key that is read is the application's.
    Call::get("/api/models").key(admin).send(&process.router).await.expect(200);
    let keys = Call::get("/api/keys?team_id=support").key(admin).send(&process.router).await.expect(200);
    let key_id = text(&keys["data"][0]["key_id"]).to_owned();
    let public = key_id.trim_start_matches("key_").to_owned();
    let is_it = move |key: &Key| matches!(key, Key::ApiKey(id) if *id == public);
    let late = scene.world.faults().add(on_read(Fault::Hold, is_it).times(1));
    let ask = || resolve(&[("prompt", "greeter")]).key(&scene.key);
    let router = process.router.clone();
    let call = ask();
    let reader = tokio::spawn(async move { call.send(&router).await });
    late.has_held(1).await;
    Call::delete(format!("/api/keys/{key_id}")).key(admin).send(&process.router).await.expect(200);
    late.end();
    reader.await.unwrap().refused(401, "unauthenticated");
    ask().send(&process.router).await.refused(401, "unauthenticated");
}
