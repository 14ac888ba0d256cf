//! The restore drill: a table that was lost comes back from an older export and the archive of its audit, with the same
//! refs and chains.

use std::{collections::BTreeMap, time::Duration};

use domain::audit::checkpoint::verify;
use e2e::{Call, World, text};
use release::{Restored, restore};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::Item;

use crate::{
    archive::{a_day_later, checkpoints, export, object, objects, propagate, put},
    support::{itself, lived, under, with},
};

/// The registry's table, as `World` calls it, and the names of its key.
const TABLE: &str = "cuecard-registry";
const KEY: [&str; 2] = ["pk", "sk"];

/// A platform with an export of its table, and with what happened to it since.
struct Lost {
    world: World,
    export: Vec<Item>,
    prompt: Value,
    versions: Vec<Value>,
}

impl Lost {
    /// A prompt that was live in three versions and rolled back, and then an export.
    async fn begin() -> Self {
        let world = World::start().await;
        let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
        world.roll_back(&prompt, "production").await.expect(200);
        put_lock(&world, &prompt, "staging").await;
        propagate(&world).await;
        let export = world.clients.items(TABLE).await.unwrap();
        Self { world, export, prompt, versions }
    }

    /// The same after more moves of the prompt, each of another kind.
    async fn moved() -> Self {
        let mut lost = Self::begin().await;
        let (world, prompt) = (&lost.world, &lost.prompt);
        let fourth = world.version(prompt, &json!({ "template_text": "text 4" })).await;
        world.promote(prompt, &fourth, "production").await.expect(200);
        world.promote(prompt, &lost.versions[1], "production").await.expect(200);
        world.roll_back(prompt, "production").await.expect(200);
        put_lock(world, prompt, "production").await;
        let overrides =
            Call::put(under(prompt, "environments/production/overrides"), &json!({ "max_tokens": 9 }));
        world.admin(overrides).await.expect(200);
        world.admin(Call::delete(under(prompt, "environments/staging/lock"))).await.expect(200);
        propagate(world).await;
        lost.versions.push(fourth);
        lost
    }

    /// A platform over other engines, with the export, and with the archive but for some of its objects.
    async fn imported(&self, without: &[&str]) -> World {
        let world = World::start().await;
        world.clients.import(TABLE, &KEY, &self.export).await.unwrap();
        for key in objects(&self.world, "audit/").await {
            if !without.contains(&key.as_str()) {
                put(&world, &key, &object(&self.world, &key).await).await;
            }
        }
        let clock = |world: &World| world.registry().sources.now();
        // A while later: both draw the same ids, which are others then.
        let later = Duration::from_secs(1);
        world.clock.advance(clock(&self.world).since(clock(&world)).unwrap() + later);
        world
    }

    /// The objects of the prompt's entries, the oldest first.
    async fn entries(&self) -> Vec<String> {
        objects(&self.world, &format!("audit/{}/", text(&self.prompt["prompt_id"]))).await
    }
}

async fn put_lock(world: &World, prompt: &Value, environment: &str) {
    let lock =
        Call::put(under(prompt, &format!("environments/{environment}/lock")), &json!({ "reason": "freeze" }));
    world.admin(lock).await.expect(200);
}

async fn restored(world: &World) -> Restored {
    restore(&world.registry().store, false).await.unwrap()
}

/// What the chains tell of, by its key: prompts with their names, versions and refs, and the chains themselves.
async fn told(world: &World) -> BTreeMap<String, Item> {
    let items = world.clients.items(TABLE).await.unwrap().into_iter().filter_map(|item| {
        let key = Key::of_item(|name| item.get(name)?.as_s().ok().cloned())?;
        let is_told = matches!(
            key,
            Key::Prompt(_)
                | Key::Name(..)
                | Key::Version(..)
                | Key::VersionState(..)
                | Key::VersionById(_)
                | Key::Ref(..)
                | Key::PromptAudit(..)
                | Key::TeamAudit(..)
                | Key::Team(_)
        );
        is_told.then(|| (format!("{} {}", key.pk(), key.sk()), item))
    });
    items.collect()
}

/// What an environment of a prompt is resolved to.
async fn resolved(world: &World, prompt: &Value, environment: &str) -> Value {
    let path = format!("/api/resolve/{}?env={environment}", text(&prompt["prompt_id"]));
    let found = world.admin(Call::get(path)).await.expect(200);
    json!([found["version_id"], found["resolved_text"], found["max_tokens"], found["name"]])
}

#[tokio::test]
async fn a_table_of_an_export_and_the_archive_has_the_same_refs_and_chains() {
    let lost = Lost::moved().await;
    let (world, prompt) = (&lost.world, &lost.prompt);
    world.admin(Call::patch(itself(prompt), &json!({ "name": "welcome", "tags": ["a"] }))).await.expect(200);
    let (gone, _) = lived(world, "gone", "staging", 1).await;
    world.admin(Call::delete(itself(&gone))).await.expect(200);
    let other = world.prompt("sales", "pitch", &json!({ "description": "of another team" })).await;
    let version = world.version(&other, &json!({ "template_text": "buy" })).await;
    world.promote(&other, &version, "staging").await.expect(200);
    propagate(world).await;
    a_day_later(world).await;
    let again = lost.imported(&[]).await;
    let before = again.clients.items(TABLE).await.unwrap().len();
    let dry = restore(&again.registry().store, true).await.unwrap();
    assert_eq!(again.clients.items(TABLE).await.unwrap().len(), before, "a dry run writes nothing");
    let did = restored(&again).await;
    assert_eq!(did, dry);
    assert_eq!((did.refused.len(), did.lost.len(), did.left.len()), (0, 0, 0), "{did:?}");
    assert_eq!(did.entries, 7 + 1 + 4 + 3);
    assert_eq!(told(&again).await, told(world).await);
    assert_eq!(restored(&again).await, Restored { entries: 0, ..did }, "there is nothing left to do");
    for (prompt, environment) in [(prompt, "production"), (&other, "staging")] {
        assert_eq!(resolved(&again, prompt, environment).await, resolved(world, prompt, environment).await);
    }
    // The checkpoints' chain goes on too, and the archive has what the table has.
    assert_eq!(
        a_day_later(&again).await,
        registry::audit::AuditKept { checkpoints: 1, ..Default::default() }
    );
    assert!(verify(&export(&again, "").await, checkpoints(&again).await, false).is_ok());
}

#[tokio::test]
async fn a_platform_goes_on_from_where_it_was_restored_to() {
    let lost = Lost::moved().await;
    let again = lost.imported(&[]).await;
    restored(&again).await;
    for world in [&lost.world, &again] {
        world.admin(Call::delete(under(&lost.prompt, "environments/production/lock"))).await.expect(200);
        world.roll_back(&lost.prompt, "production").await.expect(200);
        let fifth = world.version(&lost.prompt, &json!({ "template_text": "text 5" })).await;
        assert_eq!(fifth["version_number"], 5);
    }
    let ref_of = async |world: &World| resolved(world, &lost.prompt, "production").await;
    assert_eq!(ref_of(&again).await, ref_of(&lost.world).await);
}

#[tokio::test]
async fn where_nothing_is_missing_nothing_is_done() {
    let mut lost = Lost::moved().await;
    lost.export = lost.world.clients.items(TABLE).await.unwrap();
    let again = lost.imported(&[]).await;
    let before = told(&again).await;
    let did = restored(&again).await;
    assert_eq!((did.entries, did.refused.len(), did.lost.len()), (0, 0, 0), "{did:?}");
    assert_eq!(told(&again).await, before);
}

#[tokio::test]
async fn what_the_archive_lacks_is_told_by_the_checkpoints_and_the_rest_is_there() {
    let lost = Lost::moved().await;
    a_day_later(&lost.world).await;
    let entries = lost.entries().await;
    let (newest, kept) = entries.split_last().unwrap();
    let again = lost.imported(&[newest]).await;
    let did = restored(&again).await;
    let id = text(&lost.prompt["prompt_id"]);
    assert_eq!(did.lost, [format!("{id} had {} entries, and has {}", entries.len(), kept.len())]);
    assert_eq!((did.entries, did.refused.len()), (6, 0));
    assert_eq!(
        resolved(&again, &lost.prompt, "production").await,
        resolved(&lost.world, &lost.prompt, "production").await,
        "the entry was about staging"
    );
}

#[tokio::test]
async fn a_chain_is_followed_no_further_than_it_is_whole() {
    let lost = Lost::moved().await;
    let entries = lost.entries().await;
    // The seven since the export: a version, two promotions, a rollback, a lock, overrides, no lock.
    let since = &entries[entries.len() - 7..];
    let id = text(&lost.versions[3]["version_id"]);
    let content =
        objects(&lost.world, "audit/versions/").await.into_iter().find(|key| key.contains(id)).unwrap();
    let hole = lost.imported(&[&since[2]]).await;
    let did = restored(&hole).await;
    assert_eq!(
        (did.entries, &did.refused[..]),
        (2, &[format!("{}: entry 13 does not follow entry 11", since[3])][..])
    );
    let silent = lost.imported(&[&content]).await;
    let did = restored(&silent).await;
    assert_eq!(did.refused, [format!("{}: what {id} says is not in the archive", since[0])]);
    for (object_key, from, to, at, why) in [
        (&since[4], "freeze", "thaw", 4, "was altered: it hashes to"),
        (&content, "text 4", "text 5", 0, "was altered in the archive"),
    ] {
        let forged = lost.imported(&[]).await;
        let altered = String::from_utf8(object(&forged, object_key).await).unwrap().replace(from, to);
        put(&forged, object_key, altered.as_bytes()).await;
        let did = restored(&forged).await;
        assert_eq!((did.entries, did.refused.len()), (at, 1), "{did:?}");
        assert!(did.refused[0].starts_with(&since[at]) && did.refused[0].contains(why), "{did:?}");
    }
}

#[tokio::test]
async fn a_table_that_went_on_otherwise_is_left_as_it_is() {
    let lost = Lost::moved().await;
    let again = lost.imported(&[]).await;
    again.promote(&lost.prompt, &lost.versions[0], "staging").await.refused(409, "locked");
    again.promote(&lost.prompt, &lost.versions[0], "production").await.expect(200);
    let before = told(&again).await;
    let did = restored(&again).await;
    assert_eq!((did.entries, did.refused.len()), (0, 1), "{did:?}");
    assert!(did.refused[0].ends_with("the chain went on without it"), "{did:?}");
    assert_eq!(told(&again).await, before);
}

#[tokio::test]
async fn what_no_entry_holds_is_named_and_nothing_stands_in_its_way() {
    let lost = Lost::begin().await;
    let (world, prompt) = (&lost.world, &lost.prompt);
    let key = world.key("support", "author").await;
    let canary = json!({ "version_id": lost.versions[2]["version_id"] });
    let started = world.admin(Call::post(under(prompt, "rollouts"), &canary)).await.expect(201);
    propagate(world).await;
    let again = lost.imported(&[]).await;
    let did = restored(&again).await;
    let named = [format!("rollout_started {}", text(&started["rollout_id"])), "key_created key_".to_owned()];
    assert!(did.left.iter().zip(&named).all(|(left, named)| left.starts_with(named)), "{did:?}");
    assert_eq!((did.left.len(), did.refused.len()), (2, 0));
    again.call(Call::get(itself(prompt)).key(&key)).await.refused(401, "unauthenticated");
    let staged = with(&canary, &json!({ "environment": "production" }));
    again.admin(Call::post(under(prompt, "promote"), &staged)).await.expect(200);
}

#[tokio::test]
async fn a_key_that_was_revoked_stays_so() {
    let world = World::start().await;
    let key = world.key("support", "author").await;
    let export = world.clients.items(TABLE).await.unwrap();
    let listed = world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    let revoked = format!("/api/keys/{}", text(&listed["data"][0]["key_id"]));
    world.admin(Call::delete(revoked)).await.expect(200);
    propagate(&world).await;
    let lost = Lost { world, export, prompt: Value::Null, versions: Vec::new() };
    let again = lost.imported(&[]).await;
    again.call(Call::get("/api/prompts").key(&key)).await.expect(200);
    let did = restored(&again).await;
    assert_eq!((did.entries, did.left.len()), (1, 0), "{did:?}");
    again.clock.advance(cache::WORST_AGE);
    again.call(Call::get("/api/prompts").key(&key)).await.refused(401, "unauthenticated");
}
