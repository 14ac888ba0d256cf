//! Production measured anew, for a candidate to be compared with: on cases that it never saw.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::eval_run::CaseMessage;
use e2e::{Call, World, WorldSettings, text};
use models::Secrets;
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::lab::{Lab, cases, members, model, run_path, without};

/// `v1` is live, and after it the test set got new cases.
async fn live(lab: &Lab) -> (Value, Value) {
    let prompt = lab.prompt("measured", &cases(50, 0)).await;
    let v1 = lab.saying(&prompt, "v1").await;
    assert_eq!(lab.finished(&v1).await["gate_result"], "pass");
    lab.world.promote(&prompt, &v1, "production").await.expect(200);
    lab.new_cases(&prompt, &cases(60, 0)).await;
    (prompt, v1)
}

/// The runs of a prompt for this purpose.
async fn runs(lab: &Lab, prompt: &Value, purpose: &str) -> Vec<Value> {
    let path = format!("/api/prompts/{}/evals", text(&prompt["prompt_id"]));
    let mut runs = lab.get(&path).await["data"].as_array().unwrap().clone();
    runs.retain(|run| run["purpose"] == purpose);
    runs
}

/// Sends all runs out; returns the cases of this one, and those of the others.
async fn sent(lab: &Lab, run: &Value) -> (Vec<CaseMessage>, Vec<CaseMessage>) {
    lab.world.step_stream().await;
    let id = text(&run["eval_run_id"]);
    lab.world.take_cases().await.into_iter().partition(|case| case.eval_run_id.to_string() == id)
}

async fn deliver(lab: &Lab, cases: &[CaseMessage]) {
    lab.world.send_cases(cases).await;
    lab.world.step_queue().await;
}

#[tokio::test]
async fn new_cases_are_asked_of_production_too_and_whichever_run_ends_last_ends_both() {
    for candidate_first in [true, false] {
        let lab = Lab::new(without(|_, _| false)).await;
        let (prompt, v1) = live(&lab).await;
        let v2 = lab.saying(&prompt, "v2").await;
        let baseline = runs(&lab, &prompt, "baseline").await.pop().unwrap();
        let shape = ["version_id", "test_set_version", "total_cases", "status"];
        assert_eq!(members(&baseline, &shape), json!([v1["version_id"], 2, 60, "queued"]));
        assert_eq!(lab.run(&v2).await["baseline_eval_run_id"], baseline["eval_run_id"]);

        let (mut first, mut last) = sent(&lab, &v2).await;
        if !candidate_first {
            std::mem::swap(&mut first, &mut last);
        }
        deliver(&lab, &first).await;
        let run = lab.run(&v2).await;
        let waits = json!(["running", if candidate_first { 60 } else { 0 }, null]);
        assert_eq!(members(&run, &["status", "completed_cases", "gate_result"]), waits);
        assert_eq!(lab.status(&v2).await, "pending");
        deliver(&lab, &last).await;
        let run = lab.run(&v2).await;
        assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]), "{run}");
        assert_eq!(members(&run["comparison"], &["pairs", "regressed"]), json!([60, 0]));
        let baseline = lab.run(&baseline).await;
        assert_eq!(members(&baseline, &["status", "gate_result"]), json!(["completed", null]));
        assert_eq!(lab.status(&v1).await, "passed", "its verdict stays");

        let v3 = lab.saying(&prompt, "v3").await;
        lab.finished(&v3).await;
        assert_eq!(runs(&lab, &prompt, "baseline").await.len(), 1, "what was measured is known");
    }
}

#[tokio::test]
async fn candidates_of_one_time_share_one_run_of_production() {
    let lab = Lab::new(without(|_, _| false)).await;
    let (prompt, _) = live(&lab).await;
    let (v2, v3) = tokio::join!(lab.saying(&prompt, "v2"), lab.saying(&prompt, "v3"));
    let v4 = lab.saying(&prompt, "v4").await;
    lab.world.work().await;
    let baseline = runs(&lab, &prompt, "baseline").await;
    assert_eq!(baseline.len(), 1);
    for candidate in [v2, v3, v4] {
        let run = lab.run(&candidate).await;
        assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]));
        assert_eq!(run["baseline_eval_run_id"], baseline[0]["eval_run_id"]);
    }
    assert_eq!(lab.provider.calls(), 50 + 4 * 60);
}

#[tokio::test]
async fn a_case_that_was_edited_is_compared_as_it_reads_now() {
    // Production answers the question as it was, and not as it is.
    let lab = Lab::new(without(|version, number| version == "v1" && number > 60)).await;
    let (prompt, _) = live(&lab).await;
    let mut edited = cases(60, 0);
    for (index, case) in edited.iter_mut().enumerate().take(10) {
        let question = format!("question {}", 61 + index);
        case["vars"]["message"] = json!(question);
        case["expected"] = json!(question);
    }
    lab.new_cases(&prompt, &edited).await;
    let v2 = lab.saying(&prompt, "v2").await;
    let run = lab.finished(&v2).await;
    assert_eq!(members(&run["comparison"], &["pairs", "improved", "regressed"]), json!([60, 10, 0]));
}

#[tokio::test]
async fn production_is_asked_as_often_as_the_candidate() {
    // Both answer every third call wrongly: most of three answers are right, and of single ones two of three.
    let lab = Lab::new(|call: &CallInfo| {
        let (_, question) = call.user().split_once(' ').unwrap();
        let number: u64 = question.rsplit(' ').next().unwrap().parse().unwrap();
        let wrong = (number + call.attempt).is_multiple_of(3);
        Reply::Answer(if wrong { "no".to_owned() } else { question.to_owned() })
    })
    .await;
    let set = lab.test_set(&cases(60, 0)).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.5, "min_cases": 1 });
    let prompt = json!({ "test_set_id": set, "gate": gate });
    let prompt = lab.world.prompt("support", "wavering", &prompt).await;
    let v1 = lab.saying(&prompt, "v1").await;
    assert_eq!(lab.finished(&v1).await["passed_cases"], 40);
    lab.world.promote(&prompt, &v1, "production").await.expect(200);
    let v2 = lab.saying(&prompt, "v2").await;
    assert_eq!(lab.finished(&v2).await["baseline_eval_run_id"], v1["eval_run_id"], "each asks once");
    for _ in 0..2 {
        let path = format!("/api/versions/{}/evals", text(&v2["version_id"]));
        let thrice = lab.post(&path, &json!({ "repeats": 3 }), 202).await;
        let run = lab.finished(&thrice).await;
        assert_eq!(members(&run["comparison"], &["regressed", "improved"]), json!([0, 0]), "{run}");
        assert_eq!(members(&run, &["passed_cases", "gate_result"]), json!([60, "pass"]));
    }
    let baseline = runs(&lab, &prompt, "baseline").await;
    assert_eq!(baseline.len(), 1, "what was measured is known");
    assert_eq!(members(&baseline[0], &["repeats", "passed_cases"]), json!([3, 60]));
    assert_eq!(lab.provider.calls(), 60 + 60 + 3 * 60 * 3);
}

/// What a candidate ends with that nobody can compare.
async fn judged_by_a_person(lab: &Lab, prompt: &Value, candidate: &Value) {
    let run = lab.run(candidate).await;
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "manual_review"]), "{run}");
    let reason = "What is in production could not be measured on these cases, so nobody knows whether this is \
                  worse: a person has to look.";
    assert!(run["gate_reasons"].as_array().unwrap().contains(&json!(reason)), "{run}");
    assert_eq!(members(&run, &["comparison"]), json!([null]));
    lab.world.promote(prompt, candidate, "production").await.refused(409, "review-needed");
}

#[tokio::test]
async fn where_production_cannot_be_called_any_more_a_person_decides() {
    let there = Arc::new(AtomicBool::new(true));
    let known = there.clone();
    let secrets = Secrets::new(move |_| known.load(Ordering::SeqCst).then(|| "sk-acme".to_owned()));
    let provider = ScriptedProvider::start(without(|_, _| false)).unwrap();
    let builtin = vec![model("test/new", &provider)];
    let world = World::with(WorldSettings { builtin, secrets, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let entry = json!({
        "provider": "openai", "base_url": lab.provider.url(), "secret_name": "ACME_KEY",
        "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
    });
    lab.world.admin(Call::put("/api/models/test/model", &entry)).await.expect(200);
    let (prompt, _) = live(&lab).await;
    there.store(false, Ordering::SeqCst);
    let content = json!({ "template_text": "v2 {{ message }}", "model_id": "test/new" });
    let v2 = lab.world.version(&prompt, &content).await;
    lab.world.work().await;
    let baseline = runs(&lab, &prompt, "baseline").await;
    assert!(text(&baseline[0]["gate_reasons"][0]).contains("`ACME_KEY` is missing"), "{baseline:?}");
    judged_by_a_person(&lab, &prompt, &v2).await;

    there.store(true, Ordering::SeqCst);
    let path = format!("/api/versions/{}/evals", text(&v2["version_id"]));
    let again = lab.post(&path, &json!({}), 202).await;
    assert_eq!(lab.finished(&again).await["gate_result"], "pass", "production is measured once it can be");
}

#[tokio::test]
async fn where_productions_provider_is_down_a_person_decides_whichever_run_ends_last() {
    for candidate_first in [true, false] {
        let down = Arc::new(AtomicBool::new(false));
        let answering = without(|_, _| false);
        let mood = down.clone();
        let script = move |call: &CallInfo| {
            let hit = mood.load(Ordering::SeqCst) && call.user().starts_with("v1");
            if hit { Reply::Status(503, None) } else { answering(call) }
        };
        let lab = Lab::new(script).await;
        let (prompt, _) = live(&lab).await;
        down.store(true, Ordering::SeqCst);
        let v2 = lab.saying(&prompt, "v2").await;
        let (of_v2, of_v1) = sent(&lab, &v2).await;
        let of_v1: Vec<_> =
            of_v1.into_iter().map(|case| CaseMessage { attempt: 5, failures: 4, ..case }).collect();
        let order = if candidate_first { [&of_v2, &of_v1] } else { [&of_v1, &of_v2] };
        for cases in order {
            deliver(&lab, cases).await;
        }
        assert_eq!(runs(&lab, &prompt, "baseline").await[0]["status"], "errored");
        judged_by_a_person(&lab, &prompt, &v2).await;
    }
}

#[tokio::test]
async fn a_candidate_whose_baseline_somebody_stopped_ends_too() {
    let lab = Lab::new(without(|_, _| false)).await;
    let (prompt, _) = live(&lab).await;
    let v2 = lab.saying(&prompt, "v2").await;
    let (of_v2, _) = sent(&lab, &v2).await;
    deliver(&lab, &of_v2).await;
    assert_eq!(lab.run(&v2).await["status"], "running");
    let baseline = runs(&lab, &prompt, "baseline").await.pop().unwrap();
    lab.post(&run_path(&baseline, "/cancel"), &json!({}), 200).await;
    judged_by_a_person(&lab, &prompt, &v2).await;
}
