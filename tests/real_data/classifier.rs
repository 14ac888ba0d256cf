//! A classifier of customer messages on 200 labelled ones: the gate tells a poor version from a good one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    ALONE,
    api::{Api, expect, text},
    file, lines, platform, say,
};

/// A few-shot pair.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Example {
    input: String,
    /// The category.
    output: String,
}

/// A labelled message.
#[derive(Deserialize)]
pub(crate) struct Case {
    case_id: String,
    pub(crate) vars: BTreeMap<String, String>,
    expected: String,
}

/// The first `count` examples of each category, in the order of the file.
pub(crate) fn examples(all: &[Example], count: usize) -> Vec<Example> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let first = all.iter().filter(|example| {
        let of_category = seen.entry(&example.output).or_default();
        *of_category += 1;
        *of_category <= count
    });
    first.cloned().collect()
}

/// Waits for the end of a run, some minutes at most.
async fn ended(api: &Api, run: &str) -> Value {
    for _ in 0..10 {
        let run = expect(api.get(&format!("/api/evals/{run}"), &[("wait", "25")]).await, 200);
        if !matches!(text(&run["status"]), "queued" | "running") {
            return run;
        }
    }
    panic!("the run {run} does not end");
}

/// Writes a version with these examples; returns it with its run, which has ended.
pub(crate) async fn evaluate(
    api: &Api,
    prompt: &str,
    categories: &str,
    examples: &[Example],
) -> (Value, Value) {
    let content = json!({
        "system_prompt": format!("Answer with one of these categories and nothing else: {categories}"),
        "template_text": "{{message}}",
        "few_shot_examples": examples,
        "model_id": "mock/nearest-example",
        "temperature": 0,
    });
    let began = Instant::now();
    let version = expect(api.post(&format!("{prompt}/versions"), &content).await, 201);
    let run = ended(api, text(&version["eval_run_id"])).await;
    assert_eq!((&run["status"], &run["total_cases"]), (&json!("completed"), &json!(200)), "{run}");
    assert_eq!((&run["errored_cases"], &run["purpose"]), (&json!(0), &json!("verdict")), "{run}");
    say(&format!(
        "{} examples: {} of 200 cases right, {} after {:.1} s",
        examples.len(),
        run["passed_cases"],
        run["gate_result"],
        began.elapsed().as_secs_f64(),
    ));
    (version, run)
}

pub(crate) async fn promote(api: &Api, prompt: &str, version: &Value) -> (reqwest::StatusCode, Value) {
    let promotion = json!({ "version_id": version["version_id"], "environment": "production" });
    api.post(&format!("{prompt}/promote"), &promotion).await
}

/// The refusal names cases that the version really gets wrong.
fn check_refusal(problem: &Value, run: &Value, cases: &[Case]) {
    assert!(text(&problem["type"]).ends_with("/gate-failed"), "{problem}");
    assert_eq!(problem["eval_run_id"], run["eval_run_id"]);
    let failing = problem["failing_cases"].as_array().unwrap();
    assert!(!failing.is_empty(), "{problem}");
    for failed in failing {
        let case = cases.iter().find(|case| failed["case_id"] == case.case_id.as_str()).unwrap();
        assert_ne!(text(&failed["output"]), case.expected, "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_refuses_the_classifier_with_one_example_and_takes_the_one_with_eight() {
    let _alone = ALONE.lock().await;
    let upload = file("banking77-eval-200.jsonl");
    let cases: Vec<Case> = lines(&upload);
    let all: Vec<Example> = lines(&file("banking77-examples.jsonl"));
    let categories = &cases[0].vars["categories"];

    let folder = TempDir::new().unwrap();
    let platform = platform(&folder).await;
    let admin = Api::admin(&platform);
    let set =
        expect(admin.post("/api/test-sets", &json!({ "name": "banking77", "team_id": "bank" })).await, 201);
    let versions = format!("/api/test-sets/{}/versions", text(&set["test_set_id"]));
    let put = expect(admin.put_cases(&versions, upload).await, 201);
    assert_eq!((&put["version"], &put["cases"]), (&json!(1), &json!(200)));

    // Only an admin may ask for less than the default of 0.8.
    let gate = json!({ "mode": "required", "min_pass_rate": 0.55 });
    let new = json!({ "name": "intent", "team_id": "bank", "test_set_id": set["test_set_id"], "gate": gate });
    let prompt = expect(admin.post("/api/prompts", &new).await, 201);
    let prompt = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    let releaser = admin.with_key("bank", "releaser").await;

    let (poor, poor_run) = evaluate(&releaser, &prompt, categories, &examples(&all, 1)).await;
    let (good, good_run) = evaluate(&releaser, &prompt, categories, &examples(&all, 8)).await;
    let right = |run: &Value| run["passed_cases"].as_u64().unwrap();
    // Ten points of a hundred are 20 of 200 cases.
    assert!(right(&good_run) >= right(&poor_run) + 20, "{poor_run} {good_run}");
    assert_eq!((&poor_run["gate_result"], &good_run["gate_result"]), (&json!("fail"), &json!("pass")));

    let problem = expect(promote(&releaser, &prompt, &poor).await, 409);
    check_refusal(&problem, &poor_run, &cases);
    say(&format!("refused: {}", text(&problem["detail"])));
    expect(promote(&releaser, &prompt, &good).await, 200);
    let vars = json!(cases[0].vars);
    let resolved = expect(releaser.post("/api/resolve/intent", &json!({ "variables": vars })).await, 200);
    assert_eq!(resolved["version_id"], good["version_id"]);
    assert_eq!(resolved["resolved_text"], json!(cases[0].vars["message"]));
    assert_eq!(resolved["ignored_variables"], json!(["categories"]));
    platform.stop().await;
}
