//! What a known key most likely asks for is read while the key is looked at anew.

use std::sync::Arc;

use e2e::Process;
use store::keys::Key;
use testkit::fault::{Fault, Rule};
use tokio::task::JoinHandle;

use crate::{
    changes::revoke,
    scene::{MS, Scene, Seen, resolve, seen, seen_in},
};

/// A process without a cache that knows the prompt and the key, both too old to be served without asking.
async fn knowing(scene: &Scene) -> Process {
    let sources = scene.world.registry().sources.clone();
    let process = scene.world.another_process_with(None, &sources).await;
    assert_eq!(scene.see(&process).await, seen("table", 0, "one"));
    scene.advance(751 * MS);
    process
}

fn held(scene: &Scene) -> (Arc<Rule>, Arc<Rule>) {
    let key = scene.on_read(Fault::Hold, |key| matches!(key, Key::ApiKey(_)), 1);
    (key, scene.on_read(Fault::Hold, |key| matches!(key, Key::Ref(..)), 1))
}

fn asking(scene: &Scene, process: &Process) -> JoinHandle<Seen> {
    let (call, process) = (resolve("greeter").key(&scene.key), process.clone());
    tokio::spawn(async move { seen_in(&call.send(&process.router).await) })
}

#[tokio::test]
async fn key_and_ref_are_read_in_one_round() {
    let scene = Scene::start().await;
    let process = knowing(&scene).await;
    let (key, reference) = held(&scene);
    let asking = asking(&scene, &process);
    tokio::join!(key.has_held(1), reference.has_held(1));
    reference.end();
    key.end();
    assert_eq!(asking.await.unwrap(), seen("table", 0, "one"));
}

#[tokio::test]
async fn what_was_read_ahead_is_for_a_live_key_alone() {
    let scene = Scene::start().await;
    let process = knowing(&scene).await;
    revoke(&scene).await;
    scene.ask(&process).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn what_moved_while_the_key_was_looked_at_is_not_older_than_its_bound() {
    let scene = Scene::start().await;
    let process = knowing(&scene).await;
    let (key, reference) = held(&scene);
    let asking = asking(&scene, &process);
    tokio::join!(key.has_held(1), reference.has_held(1));
    reference.end();
    scene.move_to("two").await;
    scene.advance(3251 * MS);
    key.end();
    assert_eq!(asking.await.unwrap(), seen("table", 0, "two"), "the ref is read again");
}
