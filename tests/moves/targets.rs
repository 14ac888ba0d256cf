//! Rollbacks to a version of the caller's choice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use e2e::{Call, World, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::support::{history, itself, lived, promotion, rollback, under, versions};

fn to(prompt: &Value, version: &Value) -> Call {
    rollback(prompt, "production", &json!({ "target_version_id": version["version_id"] }))
}

#[tokio::test]
async fn a_rollback_goes_to_a_version_that_was_live_there_and_cuts_the_stack_above_it() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 4).await;
    let back = world.admin(to(&prompt, &versions[1])).await.expect(200);
    assert_eq!(back["production_version_id"], versions[1]["version_id"]);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[0]["version_id"]);
    let forward = world.admin(to(&prompt, &versions[3])).await.expect(200);
    assert_eq!(forward["production_version_id"], versions[3]["version_id"], "it was live, so it may return");
}

#[tokio::test]
async fn a_version_that_neither_was_live_there_nor_passed_is_no_target() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let third = world.version(&prompt, &json!({ "template_text": "the third" })).await;
    world.promote(&prompt, &third, "staging").await.expect(200);
    let refusal = world.admin(to(&prompt, &third)).await.refused(409, "no-rollback-target");
    assert_eq!(refusal["errors"][0]["pointer"], "/target_version_id");
    let (_, foreign) = lived(&world, "other", "production", 1).await;
    let refusal = world.admin(to(&prompt, &foreign[0])).await.refused(422, "invalid");
    assert_eq!(refusal["errors"][0]["pointer"], "/target_version_id");
    assert_eq!(history(&world, &prompt).await.len(), 3, "only what was promoted");
}

/// A prompt whose versions are evaluated on one case, which passes while `well` is set.
async fn evaluated(world: &World, well: &Arc<AtomicBool>) -> (Value, ScriptedProvider) {
    let mood = Arc::clone(well);
    let answer = move || if mood.load(Ordering::SeqCst) { "yes" } else { "no" };
    let provider = ScriptedProvider::start(move |_| Reply::Answer(answer().to_owned())).unwrap();
    let model = json!({
        "provider": "openai", "base_url": provider.url(), "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
    });
    world.admin(Call::put("/api/models/test/model", &model)).await.expect(200);
    let set =
        world.admin(Call::post("/api/test-sets", &json!({ "name": "set", "team_id": "support" }))).await;
    let set = set.expect(201)["test_set_id"].clone();
    let path = format!("/api/test-sets/{}/versions", text(&set));
    let cases = Call::new(axum::http::Method::PUT, path);
    let cases = cases.bytes("application/jsonl", r#"{"vars": {}, "expected": "yes", "tags": ["critical"]}"#);
    world.admin(cases).await.expect(201);
    let gate = json!({ "mode": "required", "min_pass_rate": 0.5, "min_cases": 1 });
    (world.prompt("support", "judge", &json!({ "test_set_id": set, "gate": gate })).await, provider)
}

async fn status(world: &World, version: &Value) -> Value {
    let path = format!("/api/versions/{}", text(&version["version_id"]));
    world.admin(Call::get(path)).await.expect(200)["eval_status"].clone()
}

#[tokio::test]
async fn a_version_that_passed_is_a_target_and_stays_one_once_it_was_live() {
    let world = World::start().await;
    let well = Arc::new(AtomicBool::new(true));
    let (prompt, _provider) = evaluated(&world, &well).await;
    let versions = versions(&world, &prompt, 3).await;
    world.work().await;
    for version in &versions {
        assert_eq!(status(&world, version).await, "passed");
    }
    world.promote(&prompt, &versions[0], "production").await.expect(200);
    let evidence = &history(&world, &prompt).await[0]["evidence"];
    assert_eq!((&evidence["tally"]["passed"], &evidence["gate"]["mode"]), (&json!(1), &json!("required")));
    assert!(text(&evidence["evaluation"]["eval_run_id"]).starts_with("evl_"));
    let back = world.admin(to(&prompt, &versions[1])).await.expect(200);
    assert_eq!(
        back["production_version_id"], versions[1]["version_id"],
        "it passed, though it never was live"
    );
    world.admin(to(&prompt, &versions[0])).await.expect(200);
    well.store(false, Ordering::SeqCst);
    for version in &versions[1..] {
        let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
        world.admin(Call::post(path, &json!({}))).await.expect(202);
    }
    world.work().await;
    assert_eq!(status(&world, &versions[1]).await, "failed");
    world.admin(to(&prompt, &versions[1])).await.expect(200);
    world.admin(to(&prompt, &versions[2])).await.refused(409, "no-rollback-target");
}

#[tokio::test]
async fn an_archived_prompt_refuses_promotions_and_rollbacks() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    world.admin(Call::delete(itself(&prompt))).await.expect(200);
    for environment in ["production", "staging"] {
        world.promote(&prompt, &versions[0], environment).await.refused(410, "archived");
    }
    let overriding = json!({ "override": { "reason": "I am the admin" } });
    let call = promotion(&prompt, &versions[0], "production", &overriding);
    world.admin(call).await.refused(410, "archived");
    world.roll_back(&prompt, "production").await.refused(410, "archived");
    world.admin(Call::post(under(&prompt, "restore"), &json!({}))).await.expect(200);
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], versions[0]["version_id"], "the stack was kept");
}
