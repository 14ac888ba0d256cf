//! The break-glass rollback: a direct invocation, without gateway, console or key.

use e2e::{Call, Raised, World, text};
use serde_json::{Value, json};

use crate::support::{environment, history, lived, resolve, rollback, under, with};

/// Invokes the function, as AWS does it.
async fn invoke(world: &World, event: Value) -> Value {
    rollback::handle(event, "req-7", &world.process.rollback).await
}

fn event(prompt: &Value, environment: &str, more: &Value) -> Value {
    let event = json!({ "prompt": prompt["prompt_id"], "environment": environment, "reason": "fire" });
    with(&event, more)
}

/// The slug of a problem's type.
fn slug(problem: &Value) -> &str {
    text(&problem["type"]).rsplit('/').next().unwrap_or_default()
}

#[tokio::test]
async fn the_answer_is_the_body_of_the_http_route_with_its_status() {
    let world = World::start().await;
    for environment in ["production", "staging", "eu"] {
        let (one, _) = lived(&world, &format!("one-{environment}"), environment, 2).await;
        let (two, versions) = lived(&world, &format!("two-{environment}"), environment, 2).await;
        let over_http = world.roll_back(&one, environment).await.expect(200);
        let name = json!({ "prompt": format!("support/two-{environment}") });
        let mut direct = invoke(&world, event(&two, environment, &name)).await;
        assert_eq!(direct.as_object_mut().unwrap().remove("status"), Some(json!(200)));
        let names = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&direct), names(&over_http));
        for same in ["environment", "revision", "rollback_propagated_at", "cache_invalidation_ms"] {
            assert_eq!(direct[same], over_http[same], "{same}");
        }
        assert_eq!((&direct["prompt_id"], &direct["revision"]), (&two["prompt_id"], &json!(3)));
        assert_eq!(direct["previous_version_id"], versions[1]["version_id"]);
    }
}

#[tokio::test]
async fn a_refusal_is_the_problem_of_the_http_route() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    world.roll_back(&prompt, "production").await.expect(200);
    let over_http = world.roll_back(&prompt, "production").await.refused(409, "no-rollback-target");
    let direct = invoke(&world, event(&prompt, "production", &json!({}))).await;
    assert_eq!(direct["instance"], "urn:cuecard:request:req-7");
    let bare = |problem: &Value| with(problem, &json!({ "instance": null }));
    assert_eq!(bare(&direct), bare(&over_http));
    let stale = event(&prompt, "production", &json!({ "expected_revision": 1 }));
    let refusal = invoke(&world, stale).await;
    assert_eq!((&refusal["status"], slug(&refusal)), (&json!(412), "moved"));
}

#[tokio::test]
async fn without_a_key_the_actor_is_unverified_the_audit_keeps_the_requests_id_and_an_alarm_fires() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let raised = Raised::listen();
    assert_eq!(invoke(&world, event(&prompt, "production", &json!({}))).await["status"], 200);
    assert_eq!(raised.names(), ["unverified-rollback"]);
    let newest = &history(&world, &prompt).await[0];
    assert_eq!((&newest["action"], &newest["reason"]), (&json!("rolled_back"), &json!("fire")));
    assert_eq!(
        (&newest["actor"]["id"], &newest["actor"]["name"]),
        (&json!("iam:unverified"), &json!("req-7"))
    );
    assert_eq!(environment(&world, &prompt, "production").await["moved_by"], "iam:unverified");
    let locked = json!({ "prompt": "support/greeter" });
    let refusal = invoke(&world, event(&prompt, "staging", &locked)).await;
    assert_eq!((&refusal["status"], slug(&refusal)), (&json!(404), "not-live"));
}

#[tokio::test]
async fn with_a_key_it_acts_with_that_keys_role() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 4).await;
    for version in &versions {
        world.promote(&prompt, version, "staging").await.expect(200);
    }
    let raised = Raised::listen();
    for (role, environment, status) in [
        ("resolver", "staging", 403),
        ("resolver", "production", 403),
        ("author", "production", 403),
        ("author", "staging", 200),
        ("releaser", "staging", 200),
        ("releaser", "production", 200),
        ("admin", "production", 200),
    ] {
        let key = json!({ "api_key": world.key("support", role).await });
        let answer = invoke(&world, event(&prompt, environment, &key)).await;
        assert_eq!(answer["status"], status, "{role} in {environment}: {answer}");
        if status == 200 {
            let actor = history(&world, &prompt).await[0]["actor"].clone();
            assert_eq!(
                (&actor["role"], &actor["name"]),
                (&json!(role), &json!(format!("{role} of support")))
            );
        }
    }
    assert_eq!(environment(&world, &prompt, "production").await["version_number"], 2);
    assert_eq!(raised.names(), [""; 0]);
}

#[tokio::test]
async fn a_key_that_is_none_opens_nothing() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let made = json!({ "team_id": "support", "role": "releaser", "name": "gone" });
    let made = world.admin(Call::post("/api/keys", &made)).await.expect(201);
    world.admin(Call::delete(format!("/api/keys/{}", text(&made["key_id"])))).await.expect(200);
    let wrong = world.key("support", "releaser").await + "x";
    for key in [text(&made["secret"]), &wrong, "cue_", "", "Bearer x"] {
        let answer = invoke(&world, event(&prompt, "production", &json!({ "api_key": key }))).await;
        assert_eq!((&answer["status"], slug(&answer)), (&json!(401), "unauthenticated"), "{key}");
    }
    let foreign = json!({ "api_key": world.key("sales", "releaser").await });
    let answer = invoke(&world, event(&prompt, "production", &foreign)).await;
    assert_eq!((&answer["status"], slug(&answer)), (&json!(404), "no-such-prompt"));
    assert_eq!(history(&world, &prompt).await.len(), 2, "nothing was rolled back");
}

#[tokio::test]
async fn what_does_not_read_is_refused_before_anything_happens() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let good = event(&prompt, "production", &json!({}));
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    for bad in [
        json!("roll back!"),
        json!({}),
        without("reason"),
        without("environment"),
        without("prompt"),
        with(&good, &json!({ "environment": "Not an environment" })),
        with(&good, &json!({ "target_version_id": "ver_1" })),
        with(&good, &json!({ "expected_revision": "two" })),
        with(&good, &json!({ "reason": "x".repeat(2001) })),
        with(&good, &json!({ "dry_run": true })),
    ] {
        let answer = invoke(&world, bad.clone()).await;
        assert_eq!((&answer["status"], slug(&answer)), (&json!(422), "invalid"), "{bad}");
    }
    let unknown = with(&good, &json!({ "prompt": "support/nobody" }));
    assert_eq!(slug(&invoke(&world, unknown).await), "no-such-prompt");
    assert_eq!(history(&world, &prompt).await.len(), 2, "nothing was rolled back");
}

#[tokio::test]
async fn a_direct_rollback_passes_locks_and_shows_at_once() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let lock = under(&prompt, "environments/production/lock");
    world.admin(Call::put(lock, &json!({ "reason": "freeze" }))).await.expect(200);
    let resolver = world.key("support", "resolver").await;
    let ask = || resolve("greeter", &resolver);
    assert_eq!(world.call(ask()).await.expect(200)["resolved_text"], "text 2");
    assert_eq!(invoke(&world, event(&prompt, "production", &json!({}))).await["status"], 200);
    assert_eq!(world.call(ask()).await.expect(200)["resolved_text"], "text 1");
    world.admin(rollback(&prompt, "production", &json!({}))).await.refused(409, "no-rollback-target");
}
