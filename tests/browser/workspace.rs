//! The prompts of the demo workspace, as somebody would write them through the API.

use std::{collections::BTreeMap, fs, path::Path};

use e2e::text;
use serde_json::{Value, json};

use crate::stage::Stage;

/// How many cases of the demo's test set are used.
const CASES: usize = 30;

fn demo_file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/demo").join(name)).unwrap()
}

/// The prompts of the demo workspace, with a part of its test set: an evaluation of all of it takes long here.
pub(crate) async fn prompts(stage: &Stage) -> [String; 4] {
    let demo: Vec<Value> = serde_json::from_str(&demo_file("prompts.json")).unwrap();
    let tickets = demo_file("support-tickets.jsonl");
    let tickets = tickets.lines().take(CASES).flat_map(|line| [line, "\n"]).collect();
    let set = stage.test_set("support-tickets", tickets).await;
    let mut ids = BTreeMap::new();
    for prompt in &demo {
        let mut body = json!({});
        for member in ["team_id", "name", "description", "tags", "gate"] {
            body[member] = prompt[member].clone();
        }
        if prompt["test_set"].is_string() {
            body["test_set_id"] = json!(set);
            body["gate"]["min_cases"] = json!(CASES);
        }
        let id = text(&stage.post("/api/prompts", &body).await["prompt_id"]).to_owned();
        let versions = prompt["versions"].as_array().unwrap();
        let mut written = Vec::new();
        for version in versions {
            written.push(stage.post(&format!("/api/prompts/{id}/versions"), &draft(version)).await);
        }
        for run in written.iter().filter_map(|version| version["eval_run_id"].as_str()) {
            stage.decided(run).await;
        }
        for environment in ["staging", "production"] {
            for number in prompt["live"][environment].as_array().into_iter().flatten() {
                let number = usize::try_from(number.as_u64().unwrap()).unwrap();
                stage.promote(&id, text(&written[number - 1]["version_id"]), environment).await;
            }
        }
        ids.insert(text(&prompt["name"]).to_owned(), id);
    }
    ["ticket-classifier", "subject-line-writer", "reply-drafter", "changelog-summary"]
        .map(|name| ids[name].clone())
}

/// A version of the demo workspace as the API takes it.
fn draft(version: &Value) -> Value {
    let mut body = version.clone();
    let members = body.as_object_mut().unwrap();
    if let Some(most) = members.remove("few_shot_examples_per_category") {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        let examples = demo_file("support-examples.jsonl");
        let examples = examples.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let chosen = examples.filter(|example| {
            let of_category = seen.entry(text(&example["output"]).to_owned()).or_default();
            *of_category += 1;
            *of_category <= most.as_u64().unwrap()
        });
        members.insert("few_shot_examples".to_owned(), chosen.collect());
    }
    body
}
