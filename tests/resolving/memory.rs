//! What the memory of a process promises: age, bound, fencing, pairs, single flight, names, outages.

mod fencing;
mod flights;
mod freshness;
mod names;
mod outage;
mod pairs;
mod reads;

use std::sync::Arc;

use cache::{Answer, Cache, Live, Pair};
use domain::{Environment, PromptId, name::production};
use e2e::{Process, text};
use serde_json::Value;
use store::keys::Key;

use crate::scene::Scene;

/// The memory of a process that has just started.
async fn cold(scene: &Scene) -> Arc<Cache> {
    memory(&scene.world.another_process().await)
}

fn memory(process: &Process) -> Arc<Cache> {
    process.release.registry.cache.clone()
}

fn id(prompt: &Value) -> PromptId {
    text(&prompt["prompt_id"]).parse().unwrap()
}

fn is_ref(key: &Key) -> bool {
    matches!(key, Key::Ref(..))
}

async fn pair(cache: &Cache, prompt: &Value) -> Answer<Pair> {
    pair_in(cache, prompt, &production()).await
}

async fn pair_in(cache: &Cache, prompt: &Value, environment: &Environment) -> Answer<Pair> {
    cache.pair(id(prompt), environment).await.unwrap()
}

fn live(answer: &Answer<Pair>) -> &Live {
    let Pair::Live(live) = &answer.value else { panic!("nothing is live: {answer:?}") };
    live
}
