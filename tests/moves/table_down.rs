//! The table is away: nobody is told a lie, and nothing is half done.

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::{
    invariants,
    support::{history, itself, list, lived, promotion, rollback, under},
};

/// Whatever changes something.
fn writes(prompt: &Value, version: &Value) -> [Call; 9] {
    let nothing = json!({});
    [
        Call::post("/api/prompts", &json!({ "name": "other", "team_id": "support" })),
        Call::post(under(prompt, "versions"), &json!({ "template_text": "another" })),
        promotion(prompt, version, "production", &nothing),
        rollback(prompt, "production", &nothing),
        Call::put(under(prompt, "environments/production/lock"), &json!({ "reason": "freeze" })),
        Call::patch(itself(prompt), &json!({ "name": "renamed" })),
        Call::delete(itself(prompt)),
        Call::post("/api/test-sets", &json!({ "name": "set", "team_id": "support" })),
        Call::post("/api/keys", &json!({ "team_id": "support", "role": "admin", "name": "mallory" })),
    ]
}

fn is_told_to_come_back(answer: &Answer) {
    let problem = answer.refused(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    let detail = text(&problem["detail"]);
    assert!(!detail.contains("injected") && !detail.contains("127.0.0.1"), "nothing internal: {detail}");
}

/// Everything that can be seen of the registry.
async fn all(world: &World) -> (String, Vec<Value>) {
    let export = world.admin(Call::get("/api/audit/export")).await.text();
    (export, list(&world.process.router, "/api/prompts", e2e::ADMIN).await)
}

#[tokio::test]
async fn every_write_is_answered_503_and_nothing_is_half_done() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let before = all(&world).await;
    let down = [
        Rule::all(Fault::DropBefore),
        Rule::on("TransactWriteItems", Fault::DropBefore),
        Rule::on("TransactWriteItems", Fault::Status(500)),
    ];
    for down in down {
        world.faults().add(down);
        for call in writes(&prompt, &versions[0]) {
            is_told_to_come_back(&world.admin(call).await);
        }
        world.faults().clear();
        assert_eq!(all(&world).await, before);
    }
    for call in writes(&prompt, &versions[0]).into_iter().take(4) {
        let answer = world.admin(call).await;
        assert!(answer.status.is_success(), "it heals by itself: {}", answer.text());
    }
    invariants::check(&world).await;
}

#[tokio::test]
async fn reads_of_the_management_are_answered_503_too() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 1).await;
    world.faults().add(Rule::all(Fault::DropBefore));
    for path in
        [itself(&prompt), under(&prompt, "history"), "/api/prompts".to_owned(), "/api/audit".to_owned()]
    {
        is_told_to_come_back(&world.admin(Call::get(path)).await);
    }
    let key = "cue_unknown_secret";
    is_told_to_come_back(&world.call(Call::get(itself(&prompt)).key(key)).await);
    world.faults().clear();
    assert_eq!(history(&world, &prompt).await.len(), 1);
    world.call(Call::get(itself(&prompt)).key(key)).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn writers_that_never_get_through_are_told_that_nothing_was_changed() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    let before = all(&world).await;
    world.faults().add(Rule::on("TransactWriteItems", Fault::Conflict));
    for call in [
        promotion(&prompt, &versions[0], "production", &json!({})),
        rollback(&prompt, "production", &json!({})),
    ] {
        let answer = world.admin(call).await;
        let problem = answer.refused(503, "contended");
        assert!(text(&problem["detail"]).contains("Nothing was changed"), "{problem}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    world.faults().clear();
    assert_eq!(all(&world).await, before);
}
