//! A field that nobody enforces yet is refused, never accepted and ignored.

use e2e::Call;
use serde_json::{Value, json};

use crate::api::{self, at, pointers, under};

#[tokio::test]
async fn of_a_gate() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    for (field, value) in [
        ("min_score", json!(0.5)),
        ("require_staging_first", json!(true)),
        ("require_approval", json!(true)),
        ("max_cost_usd_per_case", json!(0.01)),
        ("max_p95_latency_ms", json!(1000)),
    ] {
        let gate = json!({ "gate": { field: value } });
        let mut create = json!({ "name": "new", "team_id": "a" });
        create["gate"] = gate["gate"].clone();
        for call in [
            Call::post("/api/prompts", &create),
            Call::patch(at(&prompt, ""), &gate),
            Call::put("/api/teams/a", &gate),
        ] {
            let problem = world.admin(call).await.refused(422, "invalid");
            assert_eq!(pointers(&problem), [format!("/gate/{field}")]);
        }
    }
    let nothing = json!({ "min_score": null, "require_staging_first": false, "require_approval": false });
    world.admin(Call::patch(at(&prompt, ""), &json!({ "gate": nothing }))).await.expect(200);
}

#[tokio::test]
async fn of_a_run_and_a_model() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let run = |more: Value| {
        Call::post(
            under(&version, "/evals"),
            &json!({ "test_set_id": set, "repeats": more["repeats"], "reuse": more["reuse"] }),
        )
    };
    for (more, pointer) in [(json!({ "repeats": 2 }), "/repeats"), (json!({ "reuse": true }), "/reuse")] {
        assert_eq!(pointers(&world.admin(run(more)).await.refused(422, "invalid")), [pointer]);
    }
    world.admin(run(json!({ "repeats": 1, "reuse": false }))).await.expect(202);
    for field in ["max_concurrency", "requests_per_minute"] {
        let mut model = json!({ "provider": "openai", "input_usd_per_mtok": 0, "output_usd_per_mtok": 0 });
        model[field] = json!(5);
        let problem = world.admin(Call::put("/api/models/acme/one", &model)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), [format!("/{field}")]);
        model[field] = Value::Null;
        world.admin(Call::put("/api/models/acme/one", &model)).await.expect(200);
    }
}

#[tokio::test]
async fn a_verdict_of_regression_needs_a_comparison_that_no_run_has() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let run =
        world.admin(Call::post(under(&version, "/evals"), &json!({ "test_set_id": set }))).await.expect(202);
    for (outcome, status) in [("regressed", 422), ("better", 422), ("failed", 200)] {
        let path = format!("/api/evals/{}/cases?outcome={outcome}", run["eval_run_id"].as_str().unwrap());
        let answer = world.admin(Call::get(path)).await;
        assert_eq!(answer.status.as_u16(), status, "{outcome}");
        if status == 422 {
            assert_eq!(pointers(&answer.json()), ["/outcome"]);
        }
    }
}
