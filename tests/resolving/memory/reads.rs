//! What a resolve costs in calls to the tables.

use std::{collections::BTreeMap, time::Duration};

use e2e::{Process, text};
use store::keys::Key;

use crate::scene::{Scene, resolve};

async fn ask(scene: &Scene, process: &Process, prompt: &str) {
    resolve(&[("prompt", prompt), ("variables", r#"{"name": "Ada"}"#)])
        .key(&scene.key)
        .send(&process.router)
        .await
        .expect(200);
}

/// The calls that something makes, by operation.
async fn calls(scene: &Scene, work: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let before = scene.world.faults().all_calls();
    work.await;
    let mut after = scene.world.faults().all_calls();
    for (operation, count) in &mut after {
        *count -= before.get(operation).unwrap_or(&0);
    }
    after.retain(|_, count| *count > 0);
    after
}

fn counted(calls: &[(&str, u64)]) -> BTreeMap<String, u64> {
    calls.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_cold_resolve_reads_key_name_ref_and_version_once() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let process = scene.world.another_process().await;
    let reads = [
        scene.reads(|key| matches!(key, Key::ApiKey(_))),
        scene.reads(|key| matches!(key, Key::Name(..))),
        scene.reads(|key| matches!(key, Key::Ref(..))),
        scene.reads(|key| matches!(key, Key::Version(..))),
    ];
    let cold = calls(&scene, ask(&scene, &process, "greeter")).await;
    assert!(reads.iter().all(|read| read.injected() == 1), "{reads:?}");
    // Beside them: the signing key, found through the index, and the hourly note that the key is in use.
    assert_eq!(cold, counted(&[("GetItem", 4), ("Query", 1), ("UpdateItem", 1)]));
    let by_id = scene.world.another_process().await;
    let cold = calls(&scene, ask(&scene, &by_id, text(&prompt["prompt_id"]))).await;
    assert_eq!(cold.get("GetItem"), Some(&3), "an id needs no name");
}

#[tokio::test]
async fn a_warm_resolve_asks_the_tables_nothing() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let process = scene.world.another_process().await;
    ask(&scene, &process, "greeter").await;
    let hundred = async {
        for _ in 0..100 {
            ask(&scene, &process, "greeter").await;
            scene.world.clock.advance(Duration::from_millis(7));
        }
    };
    assert_eq!(calls(&scene, hundred).await, counted(&[]));
}

#[tokio::test]
async fn past_the_bound_only_key_and_ref_are_read_again() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let process = scene.world.another_process().await;
    ask(&scene, &process, "greeter").await;
    scene.world.clock.advance(Duration::from_millis(751));
    assert_eq!(calls(&scene, ask(&scene, &process, "greeter")).await, counted(&[("GetItem", 2)]));
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_once_an_hour() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let process = scene.world.another_process().await;
    ask(&scene, &process, "greeter").await;
    let noted = |calls: &BTreeMap<String, u64>| calls.get("UpdateItem").copied();
    scene.world.clock.advance(Duration::from_hours(1) - Duration::from_millis(1));
    assert_eq!(noted(&calls(&scene, ask(&scene, &process, "greeter")).await), None);
    scene.world.clock.advance(Duration::from_millis(1));
    assert_eq!(noted(&calls(&scene, ask(&scene, &process, "greeter")).await), Some(1));
}
