//! Faults of the table: lost answers, throttling, calls that arrive twice, and all of them at once.

use std::collections::BTreeMap;

use e2e::{ADMIN, Call, World, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};
use tokio::task::JoinSet;

use crate::{
    invariants,
    support::{each, environment, history, itself, lived, promotion, rollback, under, versions, with},
};

/// How often the client of the table sends a call.
const TRIES: u64 = 3;

fn transactions(fault: Fault) -> Rule {
    Rule::on("TransactWriteItems", fault)
}

/// The whole chain of a prompt.
async fn chain(world: &World, prompt: &Value) -> usize {
    let path = format!("/api/audit?prompt_id={}&limit=100", text(&prompt["prompt_id"]));
    world.admin(Call::get(path)).await.expect(200)["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_done_though_its_answer_was_lost_is_not_done_again_under_the_same_idempotency_key() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let calls = [
        promotion(&prompt, &versions[0], "production", &json!({})),
        rollback(&prompt, "production", &json!({})),
        Call::post(under(&prompt, "versions"), &json!({ "template_text": "another" })),
    ];
    for (at, call) in calls.into_iter().enumerate() {
        let before = chain(&world, &prompt).await;
        let call = call.header("idempotency-key", &format!("call {at}"));
        let lost = world.faults().add(transactions(Fault::DropAfter).times(TRIES));
        let answer = world.admin(call.clone()).await;
        answer.refused(503, "unavailable");
        assert_eq!((answer.header("retry-after"), lost.injected()), ("1", TRIES));
        let again = world.admin(call).await;
        assert!(again.status.is_success(), "{}", again.text());
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(chain(&world, &prompt).await, before + 1);
    }
    let live = environment(&world, &prompt, "production").await;
    assert_eq!((&live["revision"], &live["version_number"]), (&json!(4), &json!(2)));
    invariants::check(&world).await;
}

#[tokio::test]
async fn one_lost_answer_is_asked_for_again_and_is_no_second_move() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    for fault in [Fault::DropAfter, Fault::DropBefore, Fault::Duplicate] {
        let before = environment(&world, &prompt, "production").await["revision"].as_u64().unwrap();
        let rule = world.faults().add(transactions(fault).times(1));
        let moved = world.promote(&prompt, &versions[0], "production").await.expect(200);
        assert_eq!((&moved["revision"], rule.injected()), (&json!(before + 1), 1), "{fault:?}");
    }
    invariants::check(&world).await;
}

#[tokio::test]
async fn throttling_that_ends_is_ridden_out() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
    for name in ["ProvisionedThroughputExceededException", "ThrottlingException"] {
        let throttle =
            |operation, calls| world.faults().add(Rule::on(operation, Fault::Exception(name)).times(calls));
        let rules = [throttle("TransactWriteItems", TRIES + 1), throttle("GetItem", TRIES - 1)];
        world.promote(&prompt, &versions[0], "production").await.expect(200);
        assert_eq!(rules.map(|rule| rule.injected()), [TRIES + 1, TRIES - 1]);
    }
    world.faults().add(transactions(Fault::Conflict).times(1));
    let asked = world.faults().add(
        Rule::on("UpdateItem", Fault::Exception("ThrottlingException"))
            .when(|call| call["TableName"] == "cuecard-registry")
            .times(TRIES),
    );
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[2]["version_id"]);
    assert_eq!(asked.injected(), TRIES, "a rollback goes on when nobody can be asked to stand back");
    assert_eq!(history(&world, &prompt).await.len(), 3 + 2 + 1);
    invariants::check(&world).await;
}

#[tokio::test]
async fn a_platform_whose_every_call_arrives_twice_does_everything_once() {
    let world = World::start().await;
    world.faults().add(Rule::all(Fault::Duplicate));
    let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
    world.roll_back(&prompt, "production").await.expect(200);
    let lock = under(&prompt, "environments/staging/lock");
    world.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    world.admin(Call::delete(&lock)).await.expect(200);
    world.admin(Call::patch(itself(&prompt), &json!({ "name": "welcomer" }))).await.expect(200);
    let key = world.key("support", "resolver").await;
    let resolved = world.call(crate::support::resolve("greeter", &key)).await.expect(200);
    assert_eq!((&resolved["name"], &resolved["resolved_text"]), (&json!("welcomer"), &json!("text 2")));
    world.faults().clear();
    let written = world.admin(Call::get(under(&prompt, "versions"))).await.expect(200);
    assert_eq!(each(written["data"].as_array().unwrap(), "/version_number"), [3, 2, 1]);
    assert_eq!(versions.len(), 3);
    let moves = history(&world, &prompt).await;
    let actions = ["unlocked", "locked", "rolled_back", "promoted", "promoted", "promoted"];
    assert_eq!(each(&moves, "/action"), actions);
    assert_eq!(chain(&world, &prompt).await, 1 + 3 + 6 + 1);
    let keys = world.admin(Call::get("/api/keys?team_id=support")).await.expect(200);
    assert_eq!(keys["data"].as_array().unwrap().len(), 1);
    invariants::check(&world).await;
}

#[tokio::test]
async fn a_move_that_was_written_is_answered_even_if_the_table_is_gone_a_moment_later() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let process = world.another_process().await;
    let call = promotion(&prompt, &versions[0], "production", &json!({})).key(ADMIN);
    let written = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let gone = {
        let written = written.clone();
        Rule::all(Fault::DropBefore).when(move |_| written.load(std::sync::atomic::Ordering::SeqCst))
    };
    world.faults().add(gone);
    let notice = move |_: &Value| {
        written.store(true, std::sync::atomic::Ordering::SeqCst);
        false
    };
    world.faults().add(transactions(Fault::Conflict).when(notice));
    let moved = call.send(&process.router).await.expect(200);
    world.faults().clear();
    assert_eq!(environment(&world, &prompt, "production").await["revision"], moved["revision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_of_faults_every_acknowledged_move_happened_once_and_no_other_twice() {
    const MOVERS: usize = 6;
    let world = World::start().await;
    let processes = [world.process.clone(), world.another_process().await];
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let versions = versions(&world, &prompt, 3).await;
    let faults =
        [(Fault::Conflict, 0.1), (Fault::DropAfter, 0.1), (Fault::DropBefore, 0.05), (Fault::Duplicate, 0.1)];
    for (seed, (fault, probability)) in (1..).zip(faults) {
        world.faults().add(transactions(fault).with_probability(probability, seed));
    }
    let mut movers = JoinSet::new();
    for mover in 0..MOVERS {
        let (router, prompt, versions) =
            (processes[mover % 2].router.clone(), prompt.clone(), versions.clone());
        movers.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..MOVERS {
                let reason = format!("mover {mover}, move {number}");
                let more = json!({ "reason": reason });
                let call = match number % 3 {
                    0 => promotion(&prompt, &versions[mover % 3], "production", &more),
                    1 => promotion(&prompt, &versions[(mover + number) % 3], "staging", &more),
                    _ => rollback(
                        &prompt,
                        "production",
                        &with(&more, &json!({ "target_version_id": versions[0]["version_id"] })),
                    ),
                };
                let call = call.key(ADMIN).header("idempotency-key", &reason);
                let mut answer = call.clone().send(&router).await;
                while answer.status == 503 {
                    answer = call.clone().send(&router).await;
                }
                match answer.status.as_u16() {
                    200 => acknowledged.push(reason),
                    // The version was never live, or nothing was so far.
                    409 | 404 => {}
                    _ => panic!("{}", answer.text()),
                }
            }
            acknowledged
        });
    }
    let acknowledged = movers.join_all().await.concat();
    world.faults().clear();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for entry in history(&world, &prompt).await {
        *times.entry(text(&entry["reason"]).to_owned()).or_default() += 1;
    }
    assert!(acknowledged.len() > MOVERS * MOVERS / 2);
    assert_eq!(times, acknowledged.into_iter().map(|reason| (reason, 1)).collect());
    invariants::check(&world).await;
}
