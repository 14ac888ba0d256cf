//! The journey: cases, a prompt with a gate, a version; its run, its figures, its verdict.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use e2e::{Call, World, WorldSettings, text};
use models::Secrets;
use serde_json::json;
use testkit::{
    TestClock,
    provider::{CallInfo, Reply, ScriptedProvider},
};

use crate::lab::{Lab, cases, echo, members, run_path, tally};

/// A model that takes 10 ms for question 1, 20 ms for question 2, and so on, by the clock of the test.
fn slow(clock: &Arc<OnceLock<Arc<TestClock>>>) -> impl Fn(&CallInfo) -> Reply + use<> {
    let clock = clock.clone();
    move |call| {
        let number: u64 = call.user().rsplit(' ').next().unwrap().parse().unwrap();
        clock.get().unwrap().advance(Duration::from_millis(10 * number));
        echo(call)
    }
}

#[tokio::test]
async fn a_new_version_is_evaluated_by_itself_and_judged_in_plain_words() {
    let clock = Arc::default();
    let provider = ScriptedProvider::start(slow(&clock)).unwrap();
    let secrets = Secrets::new(|name| (name == "ACME_KEY").then(|| "sk-acme".to_owned()));
    let world = World::with(WorldSettings { secrets, ..WorldSettings::default() }).await;
    clock.set(world.clock.clone()).unwrap();
    let lab = Lab { world, provider };
    let model = json!({
        "provider": "openai", "base_url": lab.provider.url(), "api_model": "tiny", "secret_name": "ACME_KEY",
        "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0,
    });
    lab.world.admin(Call::put("/api/models/acme/tiny", &model)).await.expect(200);
    let test_set = lab.test_set(&cases(9, 1)).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 10 });
    let prompt =
        lab.world.prompt("support", "judge", &json!({ "test_set_id": test_set, "gate": gate })).await;
    let content =
        json!({ "template_text": "{{ message }}", "system_prompt": "Answer.", "model_id": "acme/tiny" });
    let version = lab.world.version(&prompt, &content).await;

    assert_eq!(version["eval_status"], "pending");
    let run = lab.run(&version).await;
    assert_eq!(tally(&run), json!([10, 0, 0, 0, 0]));
    assert_eq!(members(&run, &["status", "started_at", "gate_result"]), json!(["queued", null, null]));
    assert_eq!(run["version_id"], version["version_id"]);

    lab.world.step_stream().await;
    let mut sent = lab.world.take_cases().await;
    sent.sort_by_key(|case| case.number);
    for (done, case) in sent.iter().enumerate() {
        // One at a time: only so does each case take its own time by a clock that all share.
        lab.world.send_cases(&[*case]).await;
        assert_eq!(lab.run(&version).await["completed_cases"], done, "before case {}", case.number);
        lab.world.step_queue().await;
    }

    let run = lab.run(&version).await;
    assert_eq!(tally(&run), json!([10, 10, 9, 1, 0]));
    assert_eq!(members(&run, &["status", "gate_result", "purpose"]), json!(["completed", "pass", "verdict"]));
    assert_eq!(members(&run, &["avg_score", "p50_latency_ms", "p95_latency_ms"]), json!([0.9, 50, 100]));
    // 3 words in, 2 out: 10 x (3 x 1 + 2 x 2) millionths of a dollar.
    assert_eq!(run["total_cost_usd"], json!(0.000_07));
    assert_eq!(
        run["gate_reasons"],
        json!(["9 of 10 cases pass (90.0 %); the gate asks for 80.0 %."]),
        "words that a product manager reads"
    );
    assert!(run["started_at"].is_string() && run["completed_at"].is_string());
    assert_eq!(
        members(&run, &["redelivered_cases", "baseline_version_id", "comparison"]),
        json!([0, null, null])
    );

    let third = lab.cases(&version, "").await[2].clone();
    let figures =
        ["number", "case_id", "outcome", "output", "error", "latency_ms", "input_tokens", "output_tokens"];
    assert_eq!(members(&third, &figures), json!([3, "c3", "passed", "question 3", null, 30, 3, 2]));
    assert_eq!(third["cost_usd"], json!(0.000_007));
    assert_eq!(
        (lab.provider.calls(), lab.provider.authorizations()),
        (10, vec!["Bearer sk-acme".to_owned(); 10])
    );

    let judged = lab.get(&format!("/api/versions/{}", text(&version["version_id"]))).await;
    assert_eq!(members(&judged, &["eval_status", "eval_score"]), json!(["passed", 0.9]));
    lab.world.promote(&prompt, &version, "production").await.expect(200);
}

#[tokio::test]
async fn a_clear_miss_fails_a_near_one_and_too_few_cases_go_to_a_person() {
    let lab = Lab::new(echo).await;
    for (name, passing, failing, min_cases, result, status, slug) in [
        ("miss", 2, 18, 10, "fail", "failed", "gate-failed"),
        ("near", 15, 5, 10, "manual_review", "manual_review", "review-needed"),
        ("few", 5, 0, 10, "manual_review", "manual_review", "review-needed"),
    ] {
        let set = lab.test_set(&cases(passing, failing)).await;
        let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": min_cases });
        let prompt = lab.world.prompt("support", name, &json!({ "test_set_id": set, "gate": gate })).await;
        let version = lab.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
        let run = lab.finished(&version).await;
        assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", result]), "{name}: {run}");
        assert_eq!(lab.status(&version).await, status, "{name}");
        lab.world.promote(&prompt, &version, "production").await.refused(409, slug);
    }
}

#[tokio::test]
async fn a_critical_case_that_does_not_pass_fails_the_gate_alone() {
    let lab = Lab::new(echo).await;
    let mut cases = cases(19, 1);
    cases[19]["tags"] = json!(["critical"]);
    let version = lab.version("critical", &cases).await;
    let run = lab.finished(&version).await;
    assert_eq!(run["gate_result"], "fail");
    assert_eq!(run["gate_reasons"][1], "1 critical case does not pass.");
    assert_eq!(lab.cases(&version, "?outcome=failed").await[0]["critical"], true);
}

#[tokio::test]
async fn the_gate_of_the_moment_judges_and_a_chunk_is_no_boundary() {
    let lab = Lab::new(echo).await;
    // More cases than one progress item holds.
    let version = lab.version("large", &cases(101, 10)).await;
    let prompt = format!("/api/prompts/{}", text(&version["prompt_id"]));
    lab.world.step_stream().await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.95, "min_cases": 1 });
    lab.world.admin(Call::patch(prompt, &json!({ "gate": gate }))).await.expect(200);
    let run = lab.finished(&version).await;
    assert_eq!(tally(&run), json!([111, 111, 101, 10, 0]));
    assert_eq!(run["gate_reasons"][0], "101 of 111 cases pass (91.0 %); the gate asks for 95.0 %.");
    assert_eq!(lab.cases(&version, "?limit=100").await.len(), 100);
    assert!(lab.get(&run_path(&version, "/cases?limit=100")).await["next_cursor"].is_string());
}
