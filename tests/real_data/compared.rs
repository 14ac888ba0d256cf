//! The same classifier beside the one in production: the gate says what the statistics say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    ALONE,
    api::{Api, expect, text},
    classifier::{Case, Example, evaluate, examples, promote},
    file, lines, platform, say,
};

/// Whether each case of a run passed.
async fn outcomes(api: &Api, run: &str) -> BTreeMap<String, bool> {
    let (mut found, mut cursor) = (BTreeMap::new(), None::<String>);
    loop {
        let from = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let query: Vec<_> = [("limit", "100")].into_iter().chain(from).collect();
        let page = expect(api.get(&format!("/api/evals/{run}/cases"), &query).await, 200);
        for case in page["data"].as_array().unwrap() {
            found.insert(text(&case["case_id"]).to_owned(), case["outcome"] == "passed");
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return found;
        }
    }
}

/// What statistics.md §6 says of two runs on the same 200 cases, written down here a second time: the verdict, and
/// the cases that regressed. Scores are 0 or 1 as the cases pass or not, and say nothing of their own.
fn expected(
    candidate: &BTreeMap<String, bool>,
    production: &BTreeMap<String, bool>,
) -> (Value, BTreeSet<String>) {
    let differ = |from: bool| {
        let cases =
            candidate.iter().filter(move |(case, passed)| production[*case] == from && **passed != from);
        cases.map(|(case, _)| case.clone()).collect::<BTreeSet<String>>()
    };
    let (regressed, improved) = (differ(true), differ(false));
    let count = |cases: &BTreeSet<String>| u32::try_from(cases.len()).unwrap();
    let (lost_cases, all) = (count(&regressed), count(&regressed) + count(&improved));
    let (b, c) = (f64::from(lost_cases), f64::from(all - lost_cases));
    let mut coin = 0.0;
    for heads in lost_cases..=all {
        let ways: f64 = (0..heads).map(|at| (f64::from(all - at) / f64::from(at + 1)).ln()).sum();
        coin += (ways - f64::from(all) * std::f64::consts::LN_2).exp();
    }
    let (lost, won) = ((b + 1.0) / 202.0, (c + 1.0) / 202.0);
    let bound = won - lost - 1.645 * ((won + lost - (won - lost).powi(2)) / 202.0).sqrt();
    let (fails, passes) = (coin <= 0.05, bound > -0.05);
    let verdict = if fails {
        "fail"
    } else if passes {
        "pass"
    } else {
        "manual_review"
    };
    (json!(verdict), regressed)
}

/// A prompt in production, and how its versions are compared with it.
struct Stage {
    api: Api,
    prompt: String,
    categories: String,
    production: BTreeMap<String, bool>,
}

impl Stage {
    /// Evaluates a version; its verdict must be what the statistics say.
    async fn judged(&self, what: &str, examples: &[Example]) -> (Value, Value) {
        let (version, run) = evaluate(&self.api, &self.prompt, &self.categories, examples).await;
        let id = text(&run["eval_run_id"]);
        let (verdict, regressed) = expected(&outcomes(&self.api, id).await, &self.production);
        assert_eq!(run["gate_result"], verdict, "{what}: {run}");
        let comparison = &run["comparison"];
        assert_eq!((&comparison["pairs"], &comparison["regressed"]), (&json!(200), &json!(regressed.len())));
        let query = [("outcome", "regressed"), ("limit", "100")];
        let listed = expect(self.api.get(&format!("/api/evals/{id}/cases"), &query).await, 200);
        let listed: BTreeSet<String> =
            listed["data"].as_array().unwrap().iter().map(|case| text(&case["case_id"]).to_owned()).collect();
        assert_eq!(listed, regressed, "{what}");
        say(&format!("{what}: {} ({})", run["gate_result"], run["gate_reasons"][1]));
        (version, run)
    }

    async fn release(&mut self, version: &Value, run: &Value) {
        expect(promote(&self.api, &self.prompt, version).await, 200);
        self.production = outcomes(&self.api, text(&run["eval_run_id"])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_production_more_examples_pass_fewer_fail_and_others_go_where_the_statistics_say() {
    let _alone = ALONE.lock().await;
    let upload = file("banking77-eval-200.jsonl");
    let cases: Vec<Case> = lines(&upload);
    let all: Vec<Example> = lines(&file("banking77-examples.jsonl"));
    let folder = TempDir::new().unwrap();
    let platform = platform(&folder).await;
    let admin = Api::admin(&platform);
    let new = json!({ "name": "banking77", "team_id": "bank" });
    let set = expect(admin.post("/api/test-sets", &new).await, 201)["test_set_id"].clone();
    expect(admin.put_cases(&format!("/api/test-sets/{}/versions", text(&set)), upload).await, 201);
    // A floor that one example reaches: the comparison alone decides.
    let gate = json!({ "mode": "required", "min_pass_rate": 0.35 });
    let new = json!({ "name": "intent", "team_id": "bank", "test_set_id": set, "gate": gate });
    let prompt = expect(admin.post("/api/prompts", &new).await, 201);
    let mut stage = Stage {
        api: admin.with_key("bank", "releaser").await,
        prompt: format!("/api/prompts/{}", text(&prompt["prompt_id"])),
        categories: cases[0].vars["categories"].clone(),
        production: BTreeMap::new(),
    };
    let (one, run) = evaluate(&stage.api, &stage.prompt, &stage.categories, &examples(&all, 1)).await;
    assert_eq!((&run["gate_result"], &run["comparison"]), (&json!("pass"), &Value::Null), "nothing is live");
    stage.release(&one, &run).await;
    let (eight, run) = stage.judged("8 against 1", &examples(&all, 8)).await;
    assert_eq!(run["gate_result"], "pass");
    stage.release(&eight, &run).await;

    let (worse, run) = stage.judged("1 against 8", &examples(&all, 1)).await;
    assert_eq!(run["gate_result"], "fail");
    let refusal = expect(promote(&stage.api, &stage.prompt, &worse).await, 409);
    let named = text(&refusal["failing_cases"][0]["case_id"]);
    assert!(text(&refusal["detail"]).contains(named), "the reasons name the regressed cases: {refusal}");

    stage.judged("4 against 8", &examples(&all, 4)).await;
    let mut others = all.clone();
    others.reverse();
    stage.judged("8 against 8 in another order", &others).await;
    stage.judged("the other 7 against 8", &examples(&others, 7)).await;
    platform.stop().await;
}
