//! Two processes over the same table: what one does the other shows within the bound, and in an outage it serves the
//! last that it knew.

use std::time::Duration;

use e2e::{ADMIN, Answer, Call, Process, World, text};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::fault::{Fault, Rule};

use crate::support::{itself, lived, promotion, resolve, under};

/// A moment past the bound: memory serves 750 ms without asking.
const PAST_THE_BOUND: Duration = Duration::from_millis(751);
const HOUR: Duration = Duration::from_hours(1);

/// A prompt whose first version is live and known to both processes.
async fn known_to_both(world: &World) -> (Process, Value, Vec<Value>, String) {
    let other = world.another_process().await;
    let key = world.key("support", "resolver").await;
    let (prompt, versions) = lived(world, "greeter", "production", 2).await;
    world.roll_back(&prompt, "production").await.expect(200);
    let known = resolve("greeter", &key).send(&other.router).await;
    assert_eq!(known.expect(200)["resolved_text"], "text 1");
    (other, prompt, versions, key)
}

/// What an answer says about itself: source and age.
fn said(answer: &Answer) -> (&str, u128) {
    (answer.header("cuecard-source"), answer.header("cuecard-age-ms").parse().unwrap())
}

#[tokio::test]
async fn a_promotion_is_seen_by_every_process_within_the_bound() {
    let world = World::start().await;
    let (other, prompt, versions, key) = known_to_both(&world).await;
    world.clock.advance(Duration::from_millis(100));
    let moved = world.promote(&prompt, &versions[1], "production").await.expect(200);
    assert_eq!(moved["propagated_at"], "2026-11-20T07:00:00.850Z");
    let own = world.call(resolve("greeter", &key)).await;
    assert_eq!(own.expect(200)["resolved_text"], "text 2", "its own process shows it at once");
    let ask = async || resolve("greeter", &key).send(&other.router).await;
    let early = ask().await;
    assert!(["text 1", "text 2"].contains(&text(&early.expect(200)["resolved_text"])));
    assert!(said(&early).1 <= 750);
    world.clock.advance(PAST_THE_BOUND);
    let late = ask().await;
    assert_eq!(late.expect(200)["resolved_text"], "text 2");
    assert_eq!((said(&late), late.header("cuecard-revision")), (("table", 0), "4"));
    world.clock.advance(Duration::from_millis(300));
    assert_eq!(said(&ask().await), ("memory", 300), "the age counts from the read");
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_every_process_within_the_bound() {
    let world = World::start().await;
    let (other, _, _, key) = known_to_both(&world).await;
    let id = key.split('_').nth(1).unwrap();
    world.admin(Call::delete(format!("/api/keys/key_{id}"))).await.expect(200);
    world.call(resolve("greeter", &key)).await.refused(401, "unauthenticated");
    world.clock.advance(PAST_THE_BOUND);
    resolve("greeter", &key).send(&other.router).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_archived_prompt_is_gone_everywhere_within_the_bound_and_comes_back_likewise() {
    let world = World::start().await;
    let (other, prompt, _, key) = known_to_both(&world).await;
    world.admin(Call::delete(itself(&prompt))).await.expect(200);
    world.call(resolve("greeter", &key)).await.refused(410, "archived");
    world.clock.advance(PAST_THE_BOUND);
    resolve("greeter", &key).send(&other.router).await.refused(410, "archived");
    world.admin(Call::post(under(&prompt, "restore"), &json!({}))).await.expect(200);
    world.call(resolve("greeter", &key)).await.expect(200);
    world.clock.advance(PAST_THE_BOUND);
    resolve("greeter", &key).send(&other.router).await.expect(200);
}

#[tokio::test]
async fn a_renamed_prompt_resolves_by_both_names_everywhere_within_the_bound() {
    let world = World::start().await;
    let (other, prompt, _, key) = known_to_both(&world).await;
    resolve("welcomer", &key).send(&other.router).await.refused(404, "no-such-prompt");
    world.admin(Call::patch(itself(&prompt), &json!({ "name": "welcomer" }))).await.expect(200);
    for name in ["greeter", "welcomer"] {
        assert_eq!(world.call(resolve(name, &key)).await.expect(200)["name"], "welcomer");
    }
    world.clock.advance(PAST_THE_BOUND);
    for name in ["greeter", "welcomer"] {
        let resolved = resolve(name, &key).send(&other.router).await.expect(200);
        assert_eq!((&resolved["name"], &resolved["prompt_id"]), (&json!("welcomer"), &prompt["prompt_id"]));
    }
}

/// The table, away for all that a prompt consists of.
fn prompts_are_away() -> Rule {
    Rule::on("GetItem", Fault::DropBefore).when(|call| {
        let key = Key::of_item(|name| call["Key"][name]["S"].as_str().map(str::to_owned));
        matches!(key, Some(Key::Prompt(_) | Key::Ref(..) | Key::Version(..)))
    })
}

#[tokio::test]
async fn when_the_table_is_away_the_last_known_is_served_for_a_day_and_says_how_old_it_is() {
    let world = World::start().await;
    let (other, prompt, versions, key) = known_to_both(&world).await;
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    world.faults().add(prompts_are_away());
    let ask = async || resolve("greeter", &key).send(&other.router).await;
    let mut age = Duration::ZERO;
    for then in [PAST_THE_BOUND, HOUR, 24 * HOUR] {
        world.clock.advance(then.saturating_sub(age));
        age = then;
        let answer = ask().await;
        assert_eq!(answer.expect(200)["resolved_text"], "text 1");
        assert_eq!(said(&answer), ("stale", age.as_millis()));
    }
    world.clock.advance(Duration::from_millis(1));
    let answer = ask().await;
    answer.refused(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    world.faults().clear();
    let healed = ask().await;
    assert_eq!(healed.expect(200)["resolved_text"], "text 2");
    assert_eq!(said(&healed), ("table", 0));
}

#[tokio::test]
async fn in_a_whole_outage_a_known_key_opens_for_an_hour_and_nobody_is_told_that_it_is_wrong() {
    let world = World::start().await;
    let (other, _, _, key) = known_to_both(&world).await;
    let stranger = world.another_process().await;
    world.faults().add(Rule::all(Fault::DropBefore));
    world.clock.advance(HOUR);
    let answer = resolve("greeter", &key).send(&other.router).await;
    answer.expect(200);
    assert_eq!(said(&answer), ("stale", HOUR.as_millis()));
    resolve("greeter", &key).send(&stranger.router).await.refused(503, "unavailable");
    world.clock.advance(Duration::from_millis(1));
    resolve("greeter", &key).send(&other.router).await.refused(503, "unavailable");
    world.faults().clear();
    for process in [&other, &stranger] {
        let healed = resolve("greeter", &key).send(&process.router).await;
        healed.expect(200);
        assert_eq!(said(&healed), ("table", 0));
    }
}

#[tokio::test]
async fn a_process_that_never_knew_the_prompt_says_that_it_cannot_know() {
    let world = World::start().await;
    let (_, _, _, key) = known_to_both(&world).await;
    let (stranger, away) = (world.another_process().await, world.faults().add(prompts_are_away()));
    resolve("greeter", &key).send(&stranger.router).await.refused(503, "unavailable");
    resolve("nobody", &key).send(&stranger.router).await.refused(404, "no-such-prompt");
    away.end();
    resolve("greeter", &key).send(&stranger.router).await.expect(200);
}

#[tokio::test]
async fn a_demanded_revision_is_waited_for_by_nobody_and_asked_for_once_a_second() {
    let world = World::start().await;
    let (other, prompt, versions, key) = known_to_both(&world).await;
    let ask = async |revision: u64| {
        Call::get(format!("/api/resolve/greeter?min_revision={revision}")).key(&key).send(&other.router).await
    };
    assert_eq!(ask(3).await.expect(200)["revision"], 3);
    world.promote(&prompt, &versions[1], "production").await.expect(200);
    let refusal = ask(5).await.refused(412, "revision-not-reached");
    assert_eq!(refusal["revision"], 4, "what the table said just now");
    let reads = world.faults().calls("GetItem");
    ask(5).await.refused(412, "revision-not-reached");
    assert_eq!(world.faults().calls("GetItem"), reads, "remembered for a second");
    let reached = ask(4).await.expect(200);
    assert_eq!((&reached["revision"], &reached["resolved_text"]), (&json!(4), &json!("text 2")));
    let call = promotion(&prompt, &versions[0], "production", &json!({})).key(ADMIN);
    call.send(&world.process.router).await.expect(200);
    world.clock.advance(Duration::from_millis(1001));
    assert_eq!(ask(5).await.expect(200)["resolved_text"], "text 1");
    world.faults().add(prompts_are_away());
    world.clock.advance(PAST_THE_BOUND);
    assert_eq!(said(&ask(5).await), ("stale", 751), "what is known to be reached is served");
    ask(6).await.refused(503, "unavailable");
}
