//! What a gate asks beside the pass rate: a score, a price, a pace.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use e2e::{Call, World, text};
use serde_json::{Value, json};
use testkit::{TestClock, provider::ScriptedProvider};

use crate::lab::{Lab, any_size, cases, echo, members, run_path};

/// A version of 20 cases which all pass: a case scores 0.75, costs 4 millionths of a dollar, and takes 30 ms.
async fn passed() -> (Lab, Value) {
    let clock: Arc<OnceLock<Arc<TestClock>>> = Arc::default();
    let ticking = clock.clone();
    let provider = ScriptedProvider::start(move |call| {
        ticking.get().unwrap().advance(Duration::from_millis(30));
        echo(call)
    });
    let lab = Lab { world: World::start().await, provider: provider.unwrap() };
    clock.set(lab.world.clock.clone()).unwrap();
    let entry = json!({
        "provider": "openai", "base_url": lab.provider.url(), "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
    });
    lab.world.admin(Call::put("/api/models/test/model", &entry)).await.expect(200);
    let mut cases = cases(20, 0);
    for case in &mut cases {
        case["assert"] = json!([
            { "type": "contains", "value": "question", "weight": 3 }, { "type": "contains", "value": "answer" },
        ]);
        case["threshold"] = json!(0.7);
    }
    let prompt = lab.prompt("limited", &cases).await;
    let content = json!({ "template_text": "{{ message }}", "temperature": 0 });
    let version = lab.world.version(&prompt, &content).await;
    lab.world.step_stream().await;
    for case in lab.world.take_cases().await {
        // One at a time: only so does each take its own time by a clock that all share.
        lab.world.send_cases(&[case]).await;
        lab.world.step_queue().await;
    }
    let run = lab.run(&version).await;
    let figures = ["gate_result", "avg_score", "total_cost_usd", "p95_latency_ms"];
    assert_eq!(members(&run, &figures), json!(["pass", 0.75, 0.000_08, 30]), "{run}");
    (lab, version)
}

#[tokio::test]
async fn each_limit_refuses_what_misses_it_and_lets_through_what_keeps_it() {
    let (lab, version) = passed().await;
    let prompt = format!("/api/prompts/{}", text(&version["prompt_id"]));
    for (limit, missed, kept, reason) in [
        ("min_score", json!(0.76), json!(0.75), "The average score is 0.750; the gate asks for 0.760."),
        (
            "max_cost_usd_per_case",
            json!(0.000_003_9),
            json!(0.000_004),
            "A case costs 0.000004 USD on average; the gate allows 0.0000039 USD.",
        ),
        (
            "max_p95_latency_ms",
            json!(29),
            json!(30),
            "5 of 100 answers take 30 ms or more; the gate allows 29 ms.",
        ),
    ] {
        let promote = async |value: &Value| {
            let mut gate = any_size();
            gate[limit] = value.clone();
            lab.world.admin(Call::patch(&prompt, &json!({ "gate": gate }))).await.expect(200);
            lab.world.promote(&version, &version, "production").await
        };
        let refused = promote(&missed).await.refused(409, "gate-failed");
        assert_eq!(refused["gate_reasons"][1], reason);
        promote(&kept).await.expect(200);

        // A run of the same day judges by it too.
        let mut gate = any_size();
        gate[limit] = missed;
        lab.world.admin(Call::patch(&prompt, &json!({ "gate": gate }))).await.expect(200);
        let body = json!({ "reuse": true });
        let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
        let run = lab.post(&path, &body, 202).await;
        lab.world.work().await;
        let run = lab.get(&run_path(&run, "")).await;
        assert_eq!((&run["gate_result"], &run["gate_reasons"][1]), (&json!("fail"), &json!(reason)), "{run}");
        lab.post(&path, &json!({ "reuse": true }), 202).await;
        lab.world.admin(Call::patch(&prompt, &json!({ "gate": any_size() }))).await.expect(200);
        lab.world.work().await;
        assert_eq!(lab.status(&version).await, "passed", "without it, it passes again");
    }
    assert_eq!(lab.provider.calls(), 20, "the answers are the old ones");
}
