//! Keys, names and archiving travel the same road as refs.

use e2e::{Call, Process, text};
use serde_json::json;
use testkit::tcp_proxy::Behaviour;

use crate::scene::{MS, Scene, resolve, seen};

pub async fn revoke(scene: &Scene) {
    let keys = scene.world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let key = text(&keys["data"][0]["key_id"]);
    scene.world.admin(Call::delete(format!("/api/keys/{key}"))).await.expect(200);
}

/// A process that has answered once.
async fn warm(scene: &Scene) -> Process {
    let process = scene.process().await;
    assert_eq!(scene.see(&process).await, seen("cache", 0, "one"));
    process
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_by_who_asks_the_cache() {
    let scene = Scene::start().await;
    let process = warm(&scene).await;
    revoke(&scene).await;
    let failing = scene.reads_fail();
    scene.ask(&scene.process().await).await.refused(401, "unauthenticated");
    scene.advance(750 * MS);
    scene.ask(&process).await.expect(200);
    scene.advance(MS);
    scene.ask(&process).await.refused(401, "unauthenticated");
    assert_eq!(failing.injected(), 0);
}

#[tokio::test]
async fn a_key_that_the_cache_does_not_know_to_be_revoked_is_refused_within_the_bound() {
    let scene = Scene::start().await;
    let process = warm(&scene).await;
    scene.way.set(Behaviour::Refuse);
    revoke(&scene).await;
    scene.ask(&scene.world.process).await.refused(401, "unauthenticated");
    scene.advance(3000 * MS);
    scene.ask(&process).await.expect(200);
    scene.advance(MS);
    scene.ask(&process).await.refused(401, "unauthenticated");
    let failing = scene.reads_fail();
    scene.ask(&scene.process().await).await.refused(401, "unauthenticated");
    assert_eq!(failing.injected(), 0, "who read it has told the cache");
}

#[tokio::test]
async fn an_archived_prompt_is_gone_and_a_restored_one_is_back() {
    let scene = Scene::start().await;
    let process = warm(&scene).await;
    scene.world.admin(Call::delete(scene.path())).await.expect(200);
    let failing = scene.reads_fail();
    scene.ask(&scene.process().await).await.refused(410, "archived");
    scene.advance(751 * MS);
    scene.ask(&process).await.refused(410, "archived");
    failing.end();
    let restore = Call::post(format!("{}/restore", scene.path()), &json!({}));
    scene.world.admin(restore).await.expect(200);
    scene.advance(751 * MS);
    let failing = scene.reads_fail();
    assert_eq!(scene.see(&process).await, seen("cache", 751, "one"));
    assert_eq!(failing.injected(), 0);
}

#[tokio::test]
async fn a_renamed_prompt_answers_by_both_names_with_the_new_one() {
    let scene = Scene::start().await;
    let process = warm(&scene).await;
    let rename = Call::patch(scene.path(), &json!({ "name": "welcomer" }));
    scene.world.admin(rename).await.expect(200);
    scene.advance(751 * MS);
    let failing = scene.reads_fail();
    for process in [&process, &scene.process().await] {
        for name in ["greeter", "welcomer"] {
            let answer = resolve(name).key(&scene.key).send(&process.router).await.expect(200);
            assert_eq!(answer["name"], "welcomer", "asked for as {name}");
        }
    }
    assert_eq!(failing.injected(), 0);
}
