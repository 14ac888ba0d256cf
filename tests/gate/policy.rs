//! Each rule of a policy, from both its sides; who may weaken it; and what is no policy.

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::stage::{FEW, Stage, TEAM, at, gate, pointers, under};

/// Under each gate, in this order, a new version of the kind is promoted: refused with the slug, or let through.
async fn under_each(stage: &Stage, kind: &str, gates: &[(Value, Option<&str>)]) {
    for (number, (more, refusal)) in gates.iter().enumerate() {
        stage.patch(&json!({ "gate": gate(more.clone()) })).await;
        let version = stage.version(kind, number).await;
        let answer = stage.promote(&version).await;
        match refusal {
            Some(slug) => drop(answer.refused(409, slug)),
            None => drop(answer.expect(200)),
        }
    }
}

#[tokio::test]
async fn a_required_gate_refuses_what_fails_and_the_other_modes_do_not() {
    let stage = Stage::new().await;
    let modes = [
        (json!({ "mode": "required" }), Some("gate-failed")),
        (json!({ "mode": "advisory" }), None),
        (json!({ "mode": "off" }), None),
    ];
    under_each(&stage, "bad", &modes).await;
}

#[tokio::test]
async fn the_pass_rate_must_be_reached() {
    let stage = Stage::new().await;
    // 4 of 6 cases pass: that is below 0.8 by no more than chance does, and clearly below 0.95.
    let rates = [
        (json!({ "min_pass_rate": 0.95 }), Some("gate-failed")),
        (json!({ "min_pass_rate": 0.8 }), Some("review-needed")),
        (json!({ "min_pass_rate": 0.66 }), None),
    ];
    under_each(&stage, "unclear", &rates).await;
}

#[tokio::test]
async fn the_score_must_be_reached() {
    let stage = Stage::new().await;
    let scores = [
        (json!({ "min_pass_rate": 0.5, "min_score": 0.67 }), Some("gate-failed")),
        (json!({ "min_pass_rate": 0.5, "min_score": 0.66 }), None),
    ];
    under_each(&stage, "unclear", &scores).await;
}

#[tokio::test]
async fn there_must_be_enough_cases() {
    let stage = Stage::new().await;
    let counts =
        [(json!({ "min_cases": FEW + 1 }), Some("review-needed")), (json!({ "min_cases": FEW }), None)];
    under_each(&stage, "good", &counts).await;
}

#[tokio::test]
async fn a_case_may_cost_so_much() {
    let stage = Stage::new().await;
    // Four words, at a dollar for a million.
    let costs = [
        (json!({ "max_cost_usd_per_case": 0.000_003 }), Some("gate-failed")),
        (json!({ "max_cost_usd_per_case": 0.000_004 }), None),
    ];
    under_each(&stage, "good", &costs).await;
}

#[tokio::test]
async fn a_case_that_is_asked_thrice_costs_no_more_than_asked_once() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    stage.world.admin(Call::post(under(&version, "/evals"), &json!({ "repeats": 3 }))).await.expect(202);
    stage.world.work().await;
    for (most, refusal) in [(0.000_003, Some("gate-failed")), (0.000_004, None)] {
        stage.patch(&json!({ "gate": gate(json!({ "max_cost_usd_per_case": most })) })).await;
        let answer = stage.promote(&version).await;
        match refusal {
            Some(problem) => drop(answer.refused(409, problem)),
            None => drop(answer.expect(200)),
        }
    }
}

#[tokio::test]
async fn an_answer_may_take_so_long() {
    let stage = Stage::new().await;
    let latencies = [
        (json!({ "max_p95_latency_ms": 19 }), Some("gate-failed")),
        (json!({ "max_p95_latency_ms": 60_000 }), None),
    ];
    under_each(&stage, "slow", &latencies).await;
}

#[tokio::test]
async fn staging_comes_first() {
    let stage = Stage::new().await;
    stage.patch(&json!({ "gate": gate(json!({ "require_staging_first": true })) })).await;
    let version = stage.version("good", 1).await;
    stage.promote(&version).await.refused(409, "staging-needed");
    stage.world.promote(&stage.prompt, &version, "canary").await.expect(200);
    stage.promote(&version).await.refused(409, "staging-needed");
    stage.world.promote(&stage.prompt, &version, "staging").await.expect(200);
    stage.promote(&version).await.expect(200);
}

#[tokio::test]
async fn somebody_else_approves_it_for_production() {
    let stage = Stage::new().await;
    stage.patch(&json!({ "gate": gate(json!({ "require_approval": true })) })).await;
    let releaser = &stage.people.releaser;
    let body = json!({ "template_text": "good {{ n }}", "model_id": "test/model" });
    let version = Call::post(at(&stage.prompt, "/versions"), &body).key(releaser);
    let version = stage.world.call(version).await.expect(201);
    stage.world.work().await;
    stage.promote(&version).await.refused(409, "approval-needed");
    let approval = |environment: &str| {
        let body = json!({ "environment": environment, "reason": "read it" });
        Call::post(under(&version, "/approvals"), &body)
    };
    let [own, author] = [releaser, &stage.people.author].map(|key| approval("production").key(key));
    stage.world.call(own).await.refused(403, "forbidden");
    stage.world.call(author).await.refused(403, "forbidden");
    stage.world.call(approval("staging").key(&stage.people.colleague)).await.expect(201);
    stage.promote(&version).await.refused(409, "approval-needed");
    stage.world.call(approval("production").key(&stage.people.colleague)).await.expect(201);
    stage.promote(&version).await.expect(200);
}

#[tokio::test]
async fn nobody_reviews_what_they_wrote() {
    let stage = Stage::new().await;
    let body = json!({ "template_text": "unclear {{ n }}", "model_id": "test/model" });
    let version = Call::post(at(&stage.prompt, "/versions"), &body).key(&stage.people.releaser);
    let version = stage.world.call(version).await.expect(201);
    stage.world.work().await;
    let path = format!("/api/evals/{}/review", text(&version["eval_run_id"]));
    let review = Call::post(path, &json!({ "decision": "approve", "reason": "mine" }));
    stage.world.call(review.clone().key(&stage.people.releaser)).await.refused(403, "forbidden");
    stage.promote(&version).await.refused(409, "review-needed");
    stage.world.call(review.key(&stage.people.colleague)).await.expect(200);
    stage.promote(&version).await.expect(200);
}

/// A policy that asks for everything.
fn strict() -> Value {
    json!({
        "mode": "required", "min_pass_rate": 0.8, "min_score": 0.7, "min_cases": 20, "require_staging_first": true,
        "require_approval": true, "max_cost_usd_per_case": 0.001, "max_p95_latency_ms": 900,
    })
}

fn but(member: &str, value: Value) -> Value {
    let mut gate = strict();
    gate[member] = value;
    gate
}

#[tokio::test]
async fn each_rule_is_weakened_by_an_admin_only_and_strengthened_by_an_author() {
    let stage = Stage::new().await;
    for (member, weaker, stricter) in [
        ("mode", json!("advisory"), json!("required")),
        ("mode", json!("off"), json!("required")),
        ("min_pass_rate", json!(0.79), json!(0.81)),
        ("min_score", json!(0.69), json!(0.71)),
        ("min_score", Value::Null, json!(0.71)),
        ("min_cases", json!(19), json!(21)),
        ("confidence", json!(0.90), json!(0.95)),
        ("require_staging_first", json!(false), json!(true)),
        ("require_approval", json!(false), json!(true)),
        ("max_cost_usd_per_case", json!(0.001_1), json!(0.000_9)),
        ("max_cost_usd_per_case", Value::Null, json!(0.000_9)),
        ("max_p95_latency_ms", json!(901), json!(899)),
        ("max_p95_latency_ms", Value::Null, json!(899)),
    ] {
        stage.patch(&json!({ "gate": strict() })).await;
        let patch = |value| Call::patch(at(&stage.prompt, ""), &json!({ "gate": but(member, value) }));
        for key in [&stage.people.author, &stage.people.releaser] {
            stage.world.call(patch(weaker.clone()).key(key)).await.refused(403, "forbidden");
        }
        let stricter = stage.world.call(patch(stricter).key(&stage.people.author)).await.expect(200);
        assert_eq!(stricter["gate"]["inherited"], false);
        stage.world.admin(patch(weaker)).await.expect(200);
    }
}

#[tokio::test]
async fn what_is_no_policy_is_refused_where_it_stands() {
    let stage = Stage::new().await;
    for (member, value) in [
        ("mode", json!("sometimes")),
        ("min_pass_rate", json!(1.01)),
        ("min_pass_rate", json!(-0.01)),
        ("min_pass_rate", json!("all")),
        ("min_score", json!(1.01)),
        ("min_cases", json!(0)),
        ("min_cases", json!(10_001)),
        ("min_cases", json!(1.5)),
        ("require_staging_first", json!("yes")),
        ("require_approval", json!(1)),
        ("max_cost_usd_per_case", json!(-1)),
        ("max_p95_latency_ms", json!(0)),
        ("confidence", json!(0.5)),
        ("margin", json!(0.1)),
    ] {
        let body = json!({ "gate": but(member, value) });
        let paths = [at(&stage.prompt, ""), format!("/api/teams/{TEAM}")];
        let calls = [Call::patch(&paths[0], &body), Call::put(&paths[1], &body)];
        for (call, path) in calls.into_iter().zip(paths) {
            let problem = stage.world.admin(call).await.refused(422, "invalid");
            assert_eq!(pointers(&problem), [format!("/gate/{member}")], "{path}: {problem}");
        }
    }
    let prompt = stage.world.admin(Call::get(at(&stage.prompt, ""))).await.expect(200);
    assert_eq!(prompt["gate"]["inherited"], true, "nothing was taken");
}
