//! How errors look: what every problem has in common is checked on each answer, in `api`.

use std::sync::Arc;

use axum::{Router, http::Method, routing::get};
use e2e::{Call, World, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::api::{self, at, pointers};

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_are_problems_too() {
    let world = api::start().await;
    for path in ["/", "/api", "/api/nothing", "/api/prompts/a/b/c/d", "/api/resolve:all"] {
        world.call(Call::get(path)).await.refused(404, "no-such-route");
    }
    for (method, path, allowed) in [
        (Method::PUT, "/api/prompts", &["GET", "HEAD", "POST"] as &[_]),
        (Method::GET, "/api/resolve:batch", &["POST"]),
        (Method::POST, "/healthz", &["GET", "HEAD"]),
    ] {
        let answer = world.call(Call::new(method, path)).await;
        answer.refused(405, "method-not-allowed");
        let mut allow: Vec<_> = answer.header("allow").split(',').collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{path}");
    }
}

#[tokio::test]
async fn a_request_that_panics_is_a_problem_and_its_neighbours_do_not_notice() {
    let world = api::start().await;
    let gate = Arc::new(tokio::sync::Barrier::new(2));
    let neighbour = Arc::clone(&gate);
    let routes =
        Router::new().route("/panics", get(|| async { panic!("a mistake of ours") as &'static str })).route(
            "/waits",
            get(async move || {
                neighbour.wait().await;
                "still here"
            }),
        );
    let finished = web::finish(routes, &world.process.rollback.doors);
    let waiting = tokio::spawn({
        let finished = finished.clone();
        async move { Call::get("/waits").send(&finished).await }
    });
    let problem = Call::get("/panics").send(&finished).await.refused(500, "internal");
    assert!(!problem.to_string().contains("a mistake of ours"), "{problem}");
    gate.wait().await;
    assert_eq!(waiting.await.unwrap().text(), "still here");
    assert_eq!(Call::get("/panics").send(&finished).await.status.as_u16(), 500);
}

/// Calls of every kind: read, list, write, move, resolve.
fn calls(prompt: &Value, version: &Value) -> Vec<Call> {
    let promotion = json!({ "version_id": version["version_id"], "environment": "staging" });
    vec![
        Call::get(at(prompt, "")),
        Call::get(at(prompt, "/history")),
        Call::get("/api/prompts"),
        Call::get("/api/changes?since=2026-11-20T07:00:00Z"),
        Call::get("/api/models"),
        Call::get(format!("/api/resolve/{}?env=other", text(&prompt["prompt_id"]))),
        Call::post("/api/prompts", &json!({ "name": "new", "team_id": "a" })),
        Call::post(at(prompt, "/versions"), &json!({ "template_text": "new" })),
        Call::post(at(prompt, "/promote"), &promotion),
        Call::post(at(prompt, "/rollback"), &json!({ "environment": "production" })),
        Call::delete(at(prompt, "")),
    ]
}

async fn world_with_a_prompt() -> (World, Value, Value) {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let first = world.version(&prompt, &json!({ "template_text": "one" })).await;
    world.promote(&prompt, &first, "production").await.expect(200);
    let second = world.version(&prompt, &json!({ "template_text": "two" })).await;
    world.promote(&prompt, &second, "production").await.expect(200);
    (world, prompt, second)
}

#[tokio::test]
async fn an_id_that_no_table_can_hold_is_not_there() {
    let (world, _, version) = world_with_a_prompt().await;
    let long = "a".repeat(3000);
    for model in ["", long.as_str()] {
        let tried = json!({ "version_id": version["version_id"], "model_id": model });
        let problem = world.admin(Call::post("/api/try", &tried)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/model_id"], "{problem}");
    }
    let revoked = Call::delete(format!("/api/keys/{long}"));
    let rotated = Call::post(format!("/api/keys/{long}/rotate"), &json!({}));
    for call in [revoked, rotated] {
        world.admin(call).await.refused(404, "not-found");
    }
}

/// Words of our insides and of our dependencies' insides.
const INTERNAL: [&str; 9] = [
    "injected",
    "Exception",
    "dynamo",
    "Dynamo",
    "aws",
    "cuecard-registry",
    "127.0.0.1",
    "service error",
    "PROMPT",
];

#[tokio::test]
async fn an_error_on_our_side_says_nothing_of_our_insides() {
    let (world, prompt, version) = world_with_a_prompt().await;
    for (fault, status, slug) in [
        (Fault::Exception("AccessDeniedException"), 503, "unavailable"),
        (Fault::Exception("ValidationException"), 500, "internal"),
    ] {
        world.faults().clear();
        world.faults().add(Rule::all(fault));
        for call in calls(&prompt, &version) {
            let name = format!("{call:?}");
            let answer = world.admin(call).await;
            answer.refused(status, slug);
            let shown = answer.text();
            assert!(INTERNAL.iter().all(|word| !shown.contains(word)), "{name}: {shown}");
            let retry_after = if status == 503 { "1" } else { "" };
            assert_eq!(answer.header("retry-after"), retry_after, "{name}");
        }
    }
}

#[tokio::test]
async fn readiness_names_the_dependency_that_does_not_answer_and_nothing_else() {
    let world = api::start().await;
    let ready = world.call(Call::get("/readyz")).await.expect(200);
    assert_eq!(ready["status"], "ok");
    let of_registry = |body: &Value| body["TableName"] == "cuecard-registry";
    world.faults().add(Rule::on("GetItem", Fault::Exception("AccessDeniedException")).when(of_registry));
    let answer = world.call(Call::get("/readyz")).await;
    let ready = answer.expect(503);
    let status = |name: &str| ready["dependencies"][name]["status"].clone();
    assert_eq!(
        (&ready["status"], status("registry"), status("telemetry"), status("objects")),
        (&json!("unavailable"), json!("unavailable"), json!("ok"), json!("ok"))
    );
    assert!(INTERNAL.iter().all(|word| !answer.text().contains(word)), "{}", answer.text());
    world.call(Call::get("/healthz")).await.expect(200);
}

#[tokio::test]
async fn a_write_that_keeps_losing_says_to_try_again() {
    let world = api::start().await;
    world.faults().add(Rule::on("TransactWriteItems", Fault::Conflict));
    let answer = world.admin(Call::post("/api/prompts", &json!({ "name": "a", "team_id": "a" }))).await;
    answer.refused(503, "contended");
    assert_eq!(answer.header("retry-after"), "1");
    world.faults().clear();
    assert_eq!(world.admin(Call::get("/api/prompts")).await.expect(200)["data"], json!([]));
}
