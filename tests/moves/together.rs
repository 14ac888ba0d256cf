//! Several movers at the same moment.

use e2e::World;
use serde_json::{Value, json};

use crate::{
    invariants,
    support::{each, environment, history, lived, meanwhile, promotion, rollback, versions},
};

const ROUNDS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_moves_that_expect_the_same_revision_exactly_one_happens() {
    let world = World::start().await;
    let other = world.another_process().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 3).await;
    for round in 0..ROUNDS {
        let seen = environment(&world, &prompt, "production").await["moved_revision"].clone();
        let expecting = json!({ "expected_revision": seen });
        let one = promotion(&prompt, &versions[round % 3], "production", &expecting);
        let two = match round % 3 {
            0 => promotion(&prompt, &versions[1], "production", &expecting),
            1 => {
                let call = promotion(&prompt, &versions[2], "production", &json!({}));
                call.header("if-match", &format!("\"{seen}\""))
            }
            _ => {
                let target =
                    json!({ "expected_revision": seen, "target_version_id": versions[0]["version_id"] });
                rollback(&prompt, "production", &target)
            }
        };
        let one = meanwhile(&world.process.router, one.key(e2e::ADMIN));
        let two = meanwhile(&other.router, two.key(e2e::ADMIN));
        let (mut won, mut lost) = (one.await.unwrap(), two.await.unwrap());
        if won.status == 412 {
            (won, lost) = (lost, won);
        }
        let (won, lost) = (won.expect(200), lost.refused(412, "moved"));
        assert_eq!(lost["moved_revision"], won["revision"], "it says where the ref is now");
        assert_eq!(won["revision"].as_u64(), seen.as_u64().map(|seen| seen + 1));
    }
    assert_eq!(history(&world, &prompt).await.len(), 3 + ROUNDS);
    invariants::check(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_promotes_that_expect_nothing_there_exactly_one_happens() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let versions = versions(&world, &prompt, 2).await;
    for round in 0..ROUNDS {
        let name = format!("env-{round}");
        let calls = versions.iter().map(|version| {
            let call = promotion(&prompt, version, &name, &json!({ "expected_revision": 0 }));
            meanwhile(&world.process.router, call.key(e2e::ADMIN))
        });
        let mut statuses = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            statuses.push(call.await.unwrap().status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
    assert_eq!(history(&world, &prompt).await.len(), ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_expected_revision_both_happen_in_some_order_and_the_history_shows_both() {
    let world = World::start().await;
    let other = world.another_process().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    for round in 0..ROUNDS {
        let before = environment(&world, &prompt, "production").await;
        let call = |at: usize| {
            let reason = json!({ "reason": format!("round {round}, mover {at}") });
            promotion(&prompt, &versions[at], "production", &reason).key(e2e::ADMIN)
        };
        let one = meanwhile(&world.process.router, call(0));
        let two = meanwhile(&other.router, call(1));
        let mut moves = [one.await.unwrap().expect(200), two.await.unwrap().expect(200)];
        moves.sort_by_key(|moved| moved["revision"].as_u64());
        let revision = before["moved_revision"].as_u64().unwrap();
        assert_eq!(each(&moves, "/revision"), [&json!(revision + 1), &json!(revision + 2)]);
        assert_eq!(moves[0]["previous_version_id"], before["version_id"]);
        assert_eq!(moves[1]["previous_version_id"], moves[0]["version_id"]);
        let newest: Vec<Value> = history(&world, &prompt).await.into_iter().take(2).collect();
        assert_eq!(each(&newest, "/after/version_id"), [&moves[1]["version_id"], &moves[0]["version_id"]]);
        let reasons: Vec<String> = each(&newest, "/reason").into_iter().map(Value::to_string).collect();
        assert!(reasons.iter().all(|reason| reason.contains(&format!("round {round},"))), "{reasons:?}");
    }
    invariants::check(&world).await;
}
