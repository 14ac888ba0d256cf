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

/// A resolve of such a process whose key and ref are both read, while the answer about the key is held back.
async fn asking(scene: &Scene) -> (JoinHandle<Seen>, Arc<Rule>) {
    let process = knowing(scene).await;
    let key = scene.on_read(Fault::Hold, |key| matches!(key, Key::ApiKey(_)), 1);
    let reference = scene.on_read(Fault::Hold, |key| matches!(key, Key::Ref(..)), 1);
    let call = resolve("greeter").key(&scene.key);
    let asking = tokio::spawn(async move { seen_in(&call.send(&process.router).await) });
    tokio::join!(key.has_held(1), reference.has_held(1));
    reference.end();
    (asking, key)
}

#[tokio::test]
async fn key_and_ref_are_read_in_one_round() {
    let scene = Scene::start().await;
    let (asked, key) = asking(&scene).await;
    key.end();
    assert_eq!(asked.await.unwrap(), seen("table", 0, "one"));
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
    let (asked, key) = asking(&scene).await;
    scene.move_to("two").await;
    scene.advance(3251 * MS);
    key.end();
    assert_eq!(asked.await.unwrap(), seen("table", 0, "two"), "the ref is read again");
}
