//! Promotions and rollbacks: what holds them, and where they lead.

use std::time::Duration;

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers, under};

async fn texts<const N: usize>(world: &World, prompt: &Value) -> [Value; N] {
    let mut versions = Vec::new();
    for number in 1..=N {
        versions.push(world.version(prompt, &json!({ "template_text": format!("text {number}") })).await);
    }
    versions.try_into().unwrap()
}

async fn roll_back_to(world: &World, prompt: &Value, environment: &str, target: &Value) -> Answer {
    let body = json!({ "environment": environment, "target_version_id": target["version_id"] });
    world.admin(Call::post(at(prompt, "/rollback"), &body)).await
}

#[tokio::test]
async fn a_lock_holds_promotions_until_it_is_off_or_lapses_and_never_a_rollback() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one, two] = texts(&world, &prompt).await;
    for version in [&one, &two] {
        world.promote(&prompt, version, "production").await.expect(200);
    }
    let lock = at(&prompt, "/environments/production/lock");
    let put = |body: Value| Call::put(&lock, &body);
    let locked = world.admin(put(json!({ "reason": "launch day" }))).await.expect(200);
    assert_eq!((&locked["lock"]["reason"], &locked["lock"]["until"]), (&json!("launch day"), &Value::Null));
    let problem = world.promote(&prompt, &one, "production").await.refused(409, "locked");
    assert!(text(&problem["detail"]).contains("launch day"), "{problem}");
    world.promote(&prompt, &one, "staging").await.expect(200);
    world.roll_back(&prompt, "production").await.expect(200);
    world.admin(Call::delete(&lock)).await.expect(200);
    world.promote(&prompt, &two, "production").await.expect(200);
    world.admin(put(json!({ "reason": "an hour", "until": "2026-11-20T08:00:00Z" }))).await.expect(200);
    world.promote(&prompt, &one, "production").await.refused(409, "locked");
    let body = json!({
        "version_id": one["version_id"], "environment": "production", "override": { "reason": "it burns" },
    });
    world.admin(Call::post(at(&prompt, "/promote"), &body)).await.expect(200);
    world.clock.advance(Duration::from_hours(1));
    world.promote(&prompt, &two, "production").await.expect(200);
}

#[tokio::test]
async fn an_environment_is_locked_before_anything_is_there_and_unlocking_none_is_not_live() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one] = texts(&world, &prompt).await;
    let lock = at(&prompt, "/environments/staging/lock");
    world.admin(Call::delete(&lock)).await.refused(404, "not-live");
    world.admin(Call::put(&lock, &json!({ "reason": "not yet" }))).await.expect(200);
    world.promote(&prompt, &one, "staging").await.refused(409, "locked");
    world.admin(Call::get("/api/resolve/greeter?env=staging")).await.refused(404, "not-live");
}

#[tokio::test]
async fn variables_that_callers_send_today_must_still_do() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let variable =
        |name: &str, kind: &str, required: bool| json!({ "name": name, "type": kind, "required": required });
    let write = async |text: &str, variables: Vec<Value>| {
        world.version(&prompt, &json!({ "template_text": text, "variables": variables })).await
    };
    let (name, age) = (variable("name", "string", true), variable("age", "number", false));
    let live = write("live", vec![name.clone(), age.clone()]).await;
    world.promote(&prompt, &live, "production").await.expect(200);
    let mut with_default = variable("more", "string", true);
    with_default["default"] = json!("x");
    for (what, variables, broken) in [
        ("dropped", vec![name.clone()], &["/variables/age"] as &[_]),
        ("retyped", vec![name.clone(), variable("age", "json", false)], &["/variables/age"]),
        (
            "newly required",
            vec![name.clone(), age.clone(), variable("more", "string", true)],
            &["/variables/more"],
        ),
        ("required now", vec![name.clone(), variable("age", "number", true)], &["/variables/age"]),
        (
            "two at once",
            vec![variable("more", "string", true)],
            &["/variables/name", "/variables/age", "/variables/more"],
        ),
        (
            "optional",
            vec![variable("name", "string", false), age.clone(), variable("more", "json", false)],
            &[],
        ),
        ("with a default", vec![name, age, with_default], &[]),
    ] {
        let version = write(what, variables).await;
        let answer = world.promote(&prompt, &version, "production").await;
        if broken.is_empty() {
            answer.expect(200);
            roll_back_to(&world, &prompt, "production", &live).await.expect(200);
        } else {
            let problem = answer.refused(409, "variables-incompatible");
            assert_eq!(pointers(&problem), broken, "{what}");
            world.promote(&prompt, &version, "staging").await.expect(200);
        }
    }
}

#[tokio::test]
async fn rolling_back_walks_down_what_was_live_until_nothing_is_left() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one, two, three, four] = texts(&world, &prompt).await;
    world.roll_back(&prompt, "production").await.refused(404, "not-live");
    for version in [&one, &three, &four] {
        world.promote(&prompt, version, "production").await.expect(200);
    }
    for (from, to) in [(&four, &three), (&three, &one)] {
        let back = world.roll_back(&prompt, "production").await.expect(200);
        assert_eq!(
            (&back["production_version_id"], &back["previous_version_id"], &back["stopped_experiment_id"]),
            (&to["version_id"], &from["version_id"], &Value::Null)
        );
    }
    let problem = world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    let candidates: Vec<_> =
        problem["candidates"].as_array().unwrap().iter().map(|one| &one["version_id"]).collect();
    assert_eq!(candidates, [&four["version_id"], &three["version_id"]]);
    let never = roll_back_to(&world, &prompt, "production", &two).await;
    assert_eq!(pointers(&never.refused(409, "no-rollback-target")), ["/target_version_id"]);
    roll_back_to(&world, &prompt, "production", &four).await.expect(200);
}

#[tokio::test]
async fn a_rollback_names_what_is_live_by_its_environment() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one, two] = texts(&world, &prompt).await;
    for (environment, member) in
        [("production", "production_version_id"), ("staging", "staging_version_id"), ("eu", "version_id")]
    {
        for version in [&one, &two] {
            world.promote(&prompt, version, environment).await.expect(200);
        }
        let back = world.roll_back(&prompt, environment).await.expect(200);
        let named: Vec<_> =
            back.as_object().unwrap().keys().filter(|name| name.ends_with("version_id")).collect();
        assert_eq!(back[member], one["version_id"], "{back}");
        assert_eq!(named.len(), 2, "with previous_version_id: {back}");
    }
}

#[tokio::test]
async fn a_move_is_audited_with_who_why_and_what() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one, two] = texts(&world, &prompt).await;
    world.promote(&prompt, &one, "staging").await.expect(200);
    let body = json!({ "version_id": two["version_id"], "environment": "staging", "reason": "better" });
    let moved = world.admin(Call::post(at(&prompt, "/promote"), &body)).await.expect(200);
    assert_eq!((&moved["cache_invalidation_ms"], &moved["revision"]), (&Value::Null, &json!(2)));
    assert_eq!(moved["propagated_at"], "2026-11-20T07:00:00.750Z");
    let history = world.admin(Call::get(at(&prompt, "/history"))).await.expect(200);
    let entry = &history["data"][0];
    assert_eq!((&entry["action"], &entry["reason"]), (&json!("promoted"), &json!("better")));
    assert_eq!((&entry["environment"], &entry["actor"]["id"]), (&json!("staging"), &json!("key_admin")));
    for (side, version) in [("before", &one), ("after", &two)] {
        assert_eq!(entry[side]["version_id"], version["version_id"]);
        assert_eq!(entry[side]["content_sha256"], version["content_sha256"]);
    }
}

#[tokio::test]
async fn an_archived_prompt_is_410_until_it_is_restored_and_no_override_passes_that() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one, two] = texts(&world, &prompt).await;
    for version in [&one, &two] {
        world.promote(&prompt, version, "production").await.expect(200);
    }
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let archived = world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
    assert!(archived["archived_at"].is_string());
    let promotion = json!({
        "version_id": one["version_id"], "environment": "production", "override": { "reason": "please" },
    });
    for call in [
        Call::get("/api/resolve/greeter"),
        Call::get("/api/resolve/greeter?env=nowhere"),
        Call::get("/api/resolve/greeter?min_revision=1"),
        Call::post("/api/resolve", &json!({ "prompt": "greeter" })),
        Call::post(at(&prompt, "/versions"), &json!({ "template_text": "new" })),
        Call::post(at(&prompt, "/promote"), &promotion),
        Call::post(at(&prompt, "/rollback"), &json!({ "environment": "production" })),
        Call::post(under(&one, "/evals"), &json!({ "test_set_id": set })),
        Call::patch(at(&prompt, ""), &json!({ "tags": ["x"] })),
    ] {
        world.admin(call).await.refused(410, "archived");
    }
    let read = world.admin(Call::get(at(&prompt, ""))).await.expect(200);
    assert_eq!(read["production_version_id"], two["version_id"], "everything is kept");
    let restored = world.admin(Call::post(at(&prompt, "/restore"), &json!({}))).await.expect(200);
    assert_eq!(restored["archived_at"], Value::Null);
    let resolved = world.admin(Call::get("/api/resolve/greeter")).await.expect(200);
    assert_eq!(resolved["version_id"], two["version_id"]);
    world.roll_back(&prompt, "production").await.expect(200);
}

#[tokio::test]
async fn another_process_sees_an_archived_prompt_as_gone_within_the_bound() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let [one] = texts(&world, &prompt).await;
    world.promote(&prompt, &one, "production").await.expect(200);
    let other = api::checked(world.another_process().await.router);
    let resolve = || Call::get("/api/resolve/greeter").key(e2e::ADMIN);
    resolve().send(&other).await.expect(200);
    world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
    world.clock.advance(Duration::from_millis(751));
    resolve().send(&other).await.refused(410, "archived");
}
