//! The archive of the audit, and the checkpoints over all chains that the schedule puts beside it.

use std::time::Duration;

use domain::{
    AuditId,
    audit::{
        GENESIS,
        checkpoint::{Checkpoint, verify},
    },
};
use e2e::{ARCHIVE, Call, Raised, World, text};
use registry::audit::AuditKept;
use serde_json::{Value, json};

use crate::support::lived;

const DAY: Duration = Duration::from_hours(24);

/// More prompts than a checkpoint names, and more entries than are compared at a time.
const MANY: usize = 201;
const LONG: usize = 510;

/// What a round did that wrote one checkpoint.
const ONE: AuditKept = AuditKept { checkpoints: 1, filled: 0, differing: 0 };

/// Brings what was written to the archive, as the stream does it.
pub async fn propagate(world: &World) {
    let app = world.propagate(&world.process, true);
    for event in world.written().await {
        propagate::handle(event, &app).await.unwrap();
    }
}

/// Lets `steer` look.
pub async fn steer(world: &World) -> AuditKept {
    world.steer(Duration::from_mins(1)).await.audit
}

/// The same on the next day.
pub async fn a_day_later(world: &World) -> AuditKept {
    world.clock.advance(DAY);
    steer(world).await
}

/// The names of all objects below a prefix.
pub async fn objects(world: &World, prefix: &str) -> Vec<String> {
    let list = world.clients.s3.list_objects_v2().bucket(ARCHIVE).prefix(prefix).send().await.unwrap();
    list.contents.unwrap_or_default().into_iter().map(|object| object.key.unwrap()).collect()
}

pub async fn object(world: &World, key: &str) -> Vec<u8> {
    let answer = world.clients.s3.get_object().bucket(ARCHIVE).key(key).send().await.unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

pub async fn put(world: &World, key: &str, bytes: &[u8]) {
    let put = world.clients.s3.put_object().bucket(ARCHIVE).key(key).body(bytes.to_vec().into());
    put.send().await.unwrap();
}

/// All checkpoints, in the order of their names.
pub async fn checkpoints(world: &World) -> Vec<Checkpoint> {
    let mut read = Vec::new();
    for key in objects(world, "audit/checkpoints/").await {
        read.push(serde_json::from_slice(&object(world, &key).await).unwrap());
    }
    read
}

pub async fn export(world: &World, query: &str) -> String {
    world.admin(Call::get(format!("/api/audit/export{query}"))).await.text()
}

/// A platform whose archive is whole, with a prompt that was live in two versions, and the objects of its entries.
async fn archived() -> (World, Value, Vec<String>) {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    propagate(&world).await;
    let kept = objects(&world, &format!("audit/{}/", text(&prompt["prompt_id"]))).await;
    (world, prompt, kept)
}

#[tokio::test]
async fn what_is_missing_in_the_archive_is_filled_by_the_next_day() {
    let (world, ..) = archived().await;
    assert_eq!(a_day_later(&world).await, ONE, "nothing is missing");
    let (other, _) = lived(&world, "other", "staging", 1).await;
    let _never_propagated = world.written().await;
    assert_eq!(
        a_day_later(&world).await,
        AuditKept { filled: 3, ..ONE },
        "a prompt, a version, its promotion"
    );
    let filled = objects(&world, &format!("audit/{}/", text(&other["prompt_id"]))).await;
    let entry: Value = serde_json::from_slice(&object(&world, &filled[0]).await).unwrap();
    assert_eq!((&entry["chain"], &entry["prev_hash"]), (&other["prompt_id"], &json!(GENESIS)));
}

#[tokio::test]
async fn an_object_that_was_lost_comes_back_as_it_was() {
    let (world, _, kept) = archived().await;
    let before = object(&world, &kept[1]).await;
    world.clients.s3.delete_object().bucket(ARCHIVE).key(&kept[1]).send().await.unwrap();
    assert_eq!(a_day_later(&world).await, AuditKept { filled: 1, ..ONE });
    assert_eq!(object(&world, &kept[1]).await, before);
    assert_eq!(a_day_later(&world).await, ONE);
}

#[tokio::test]
async fn an_object_that_differs_calls_people_and_is_left_as_it_is() {
    let (world, _, kept) = archived().await;
    put(&world, &kept[1], b"another entry").await;
    let raised = Raised::listen();
    assert_eq!(a_day_later(&world).await, AuditKept { differing: 1, ..ONE });
    assert_eq!(raised.names(), ["archive-differs"]);
    assert_eq!(object(&world, &kept[1]).await, b"another entry");
}

#[tokio::test]
async fn an_entry_that_is_in_the_archive_alone_calls_people() {
    let (world, _, kept) = archived().await;
    let (folder, _) = kept[1].rsplit_once('/').unwrap();
    // As after the table lost it.
    let id = AuditId::new(world.registry().sources.now(), [9; 10]);
    put(&world, &format!("{folder}/{id}.json"), b"an entry").await;
    let raised = Raised::listen();
    assert_eq!(a_day_later(&world).await, AuditKept { differing: 1, ..ONE });
    assert_eq!(raised.names(), ["archive-differs"]);
}

#[tokio::test]
async fn a_day_has_one_checkpoint_also_where_two_are_at_it_at_once() {
    let (world, _, _) = archived().await;
    for _ in 0..4 {
        assert_eq!(steer(&world).await, AuditKept::default(), "nothing is due");
        world.clock.advance(DAY);
        let (one, two) = tokio::join!(steer(&world), steer(&world));
        // By the same clock both may write the same.
        assert_eq!(one.checkpoints.max(two.checkpoints), 1, "{one:?} {two:?}");
    }
    let kept = checkpoints(&world).await;
    assert_eq!(kept.iter().map(|checkpoint| checkpoint.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let export = export(&world, "").await;
    let verified = verify(&export, kept.clone(), false).unwrap();
    assert_eq!(
        verified.chains,
        kept[4].heads.len() + 1,
        "it has every chain but the team's, which has not begun"
    );
}

#[tokio::test]
async fn an_export_that_was_cut_or_lacks_a_chain_is_found_by_a_checkpoint() {
    let (world, prompt, _) = archived().await;
    let cut = export(&world, "").await;
    world.roll_back(&prompt, "production").await.expect(200);
    lived(&world, "younger", "staging", 1).await;
    a_day_later(&world).await;
    let kept = checkpoints(&world).await;
    let said = |export: &str, partial| match verify(export, kept.clone(), partial) {
        Ok(_) => "sound".to_owned(),
        Err(disproved) => disproved.to_string(),
    };
    assert_eq!(said(&export(&world, "").await, false), "sound");
    let found = said(&cut, true);
    assert!(
        found.contains(&format!("the chain {} ends before entry", text(&prompt["prompt_id"]))),
        "{found}"
    );
    let one = export(&world, "?prompt_id=support%2Fgreeter").await;
    assert_eq!(said(&one, true), "sound");
    assert!(said(&one, false).contains("is missing"));
}

#[tokio::test]
async fn many_chains_take_several_calls_of_which_each_writes_a_checkpoint() {
    let world = World::start().await;
    for number in 0..MANY {
        world.prompt("support", &format!("prompt-{number}"), &json!({})).await;
    }
    let entries = a_day_later(&world).await;
    assert_eq!((entries.checkpoints, steer(&world).await.checkpoints), (1, 1));
    assert_eq!(steer(&world).await, AuditKept::default(), "the round is done");
    let kept = checkpoints(&world).await;
    let chains: usize = kept[1..].iter().map(|checkpoint| checkpoint.heads.len()).sum();
    assert_eq!(chains, MANY + 1, "the prompts, and what belongs to all teams");
    assert_eq!(objects(&world, "audit/prm_").await.len(), MANY);
    // A platform that holds this much exports it team by team; what is sound in parts is sound.
    assert!(verify(&export(&world, "").await, kept, false).is_ok());
}

#[tokio::test]
async fn a_chain_of_any_length_is_compared_to_its_end() {
    let world = World::start().await;
    let prompt = world.prompt("support", "busy", &json!({})).await;
    let id = text(&prompt["prompt_id"]);
    for number in 1..LONG {
        let body = json!({ "description": format!("change {number}") });
        world.admin(Call::patch(format!("/api/prompts/{id}"), &body)).await.expect(200);
    }
    assert_eq!(a_day_later(&world).await.filled, LONG + 1, "and the first key's entry");
    assert_eq!(objects(&world, &format!("audit/{id}/")).await.len(), LONG);
    assert_eq!(a_day_later(&world).await, ONE);
}

#[tokio::test]
async fn an_entry_that_does_not_read_calls_people_and_holds_up_no_other_chain() {
    let (world, prompt, _) = archived().await;
    let path = format!("/api/audit?prompt_id={}&limit=1", text(&prompt["prompt_id"]));
    let newest = world.admin(Call::get(path)).await.expect(200)["data"][0]["audit_id"].clone();
    let (table, dynamodb) = ("cuecard-registry", &world.clients.dynamodb);
    let mut items = dynamodb.scan().table_name(table).into_paginator().items().send();
    while let Some(mut item) = items.next().await.transpose().unwrap() {
        if item["sk"].as_s().unwrap().ends_with(text(&newest)) {
            item.insert("entry".to_owned(), item["pk"].clone());
            dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
        }
    }
    lived(&world, "other", "staging", 1).await;
    let raised = Raised::listen();
    let kept = a_day_later(&world).await;
    assert_eq!((kept.checkpoints, kept.filled), (1, 3), "a prompt, a version, its promotion");
    assert!(kept.differing > 0 && raised.names().iter().all(|name| name == "archive-differs"));
    assert_eq!(a_day_later(&world).await, ONE, "it is told of once");
}

#[tokio::test]
async fn an_entry_is_archived_also_where_the_table_has_lost_what_it_tells_of() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 1).await;
    let (table, dynamodb) = ("cuecard-registry", &world.clients.dynamodb);
    let mut items = dynamodb.scan().table_name(table).into_paginator().items().send();
    while let Some(item) = items.next().await.transpose().unwrap() {
        if item.contains_key("content_sha256") {
            let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
            dynamodb.delete_item().table_name(table).set_key(Some(key.into())).send().await.unwrap();
        }
    }
    propagate(&world).await;
    let kept = objects(&world, &format!("audit/{}/", text(&prompt["prompt_id"]))).await;
    assert_eq!(kept.len(), 3, "a prompt, a version, its promotion");
    let raised = Raised::listen();
    assert_eq!(a_day_later(&world).await, AuditKept { differing: 1, ..ONE });
    assert_eq!(raised.names(), ["archive-differs"]);
}
