//! The gate: what is worse does not reach production.

use axum::http::Method;
use e2e::{Call, text};
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::target::Target;

/// Says back what the user says.
fn echo(call: &CallInfo) -> Reply {
    Reply::Answer(call.user().to_owned())
}

pub(crate) async fn a_worse_version_is_refused_and_a_better_one_let_through(target: &Target) {
    let provider = ScriptedProvider::start(echo).unwrap();
    let model = json!({ "provider": "openai", "base_url": provider.url(), "input_usd_per_mtok": 0, "output_usd_per_mtok": 0 });
    target.admin(Call::put("/api/models/test%2Fmodel", &model)).await.expect(200);
    let set = json!({ "name": "questions", "team_id": "support" });
    let set = target.admin(Call::post("/api/test-sets", &set)).await.expect(201);
    let set = text(&set["test_set_id"]);
    let case = |n: u32| json!({ "case_id": format!("c{n}"), "vars": { "q": n.to_string() }, "expected": n.to_string() });
    let cases: Vec<_> = (1..=20).map(|n| case(n).to_string()).collect();
    let put = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
    let put = put.bytes("application/jsonl", cases.join("\n"));
    target.admin(put).await.expect(201);
    let gate =
        json!({ "gate": { "mode": "required", "min_pass_rate": 0.9, "min_cases": 10 }, "test_set_id": set });
    let prompt = target.prompt("support", "judged", &gate).await;
    let worse = target.version(&prompt, &json!({ "template_text": "Please answer {{ q }}" })).await;
    assert_eq!(verdict(target, &worse).await["eval_status"], "failed");
    let refused = target.promote(&prompt, &worse).await.refused(409, "gate-failed");
    assert!(text(&refused["detail"]).starts_with("0 of 20 cases pass"), "{refused}");
    let failing = refused["failing_cases"].as_array().unwrap();
    assert!(!failing.is_empty(), "{refused}");
    for case in failing {
        let said = format!("Please answer {}", case["number"]);
        assert_eq!((text(&case["outcome"]), text(&case["output"])), ("failed", said.as_str()));
    }
    let better = target.version(&prompt, &json!({ "template_text": "{{ q }}" })).await;
    assert_eq!(verdict(target, &better).await["eval_status"], "passed");
    target.promote(&prompt, &better).await.expect(200);
}

/// Waits until a version's evaluation has ended.
async fn verdict(target: &Target, version: &str) -> Value {
    let ask = || Call::get(format!("/api/versions/{version}")).key(e2e::ADMIN);
    target.until(ask, |answer| answer.expect(200)["eval_status"] != "pending").await.json()
}
