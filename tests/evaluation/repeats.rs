//! Cases that are asked several times, and answers that need not be asked for again.

use std::sync::{Arc, Mutex};

use e2e::{Call, World, text};
use serde_json::{Value, json};
use store::keys::TelemetryKey;
use testkit::{
    fault::{Fault, Rule},
    provider::{CallInfo, Reply, ScriptedProvider},
};

use crate::lab::{Lab, cases, echo, members, model, run_path, tally};

/// Asks for a run; returns it after its end.
async fn evaluated(lab: &Lab, version: &Value, body: &Value) -> Value {
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let run = lab.post(&path, body, 202).await;
    lab.finished(&run).await
}

#[tokio::test]
async fn three_answers_to_a_case_are_averaged_to_one_outcome() {
    // Question 1 is right always, question 2 twice of three times, question 3 once.
    let lab = Lab::new(|call: &CallInfo| {
        let wrong = match call.user() {
            "question 2" => call.attempt == 2,
            "question 3" => call.attempt != 2,
            _ => false,
        };
        if wrong { Reply::Answer("no".to_owned()) } else { echo(call) }
    })
    .await;
    let set = lab.test_set(&cases(3, 0)).await;
    let prompt = lab.world.prompt("support", "thrice", &json!({})).await;
    let version = lab.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
    let run = evaluated(&lab, &version, &json!({ "test_set_id": set, "repeats": 3 })).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([3, 3, 2, 1, 0]), 9));
    assert_eq!(members(&run, &["repeats", "reused_cases"]), json!([3, 0]));
    let average = run["avg_score"].as_f64().unwrap();
    assert!((average - 2.0 / 3.0).abs() < 1e-9, "{average}");
    let found = lab.cases(&run, "").await;
    let outcomes: Vec<_> = found.iter().map(|case| members(case, &["outcome", "output"])).collect();
    assert_eq!(outcomes, [json!(["passed", "question 1"]), json!(["passed", "no"]), json!(["failed", "no"])]);
    for (case, score) in found.iter().zip([1.0, 2.0 / 3.0, 1.0 / 3.0]) {
        assert!((case["score"].as_f64().unwrap() - score).abs() < 1e-9, "{case}");
    }
    // Two words each time, and two or one back.
    assert_eq!(members(&found[1], &["input_tokens", "output_tokens"]), json!([6, 5]));
}

#[tokio::test]
async fn a_repeat_that_the_provider_refuses_is_asked_again_and_no_other() {
    let lab = Lab::new(|call: &CallInfo| match call.attempt {
        2 => Reply::Status(429, Some(0)),
        _ => echo(call),
    })
    .await;
    let put: Arc<Mutex<Vec<Value>>> = Arc::default();
    let noting = Arc::clone(&put);
    let rule = Rule::on("PutItem", Fault::Duplicate).when(move |body| {
        noting.lock().unwrap().push(body["Item"].clone());
        false
    });
    lab.world.faults().add(rule);
    let version = lab.version("refused", &cases(1, 0)).await;
    lab.finished(&version).await;
    let run = evaluated(&lab, &version, &json!({ "repeats": 3 })).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([1, 1, 1, 0, 0]), 1 + 3 + 1));
    assert_eq!(lab.cases(&run, "").await[0]["input_tokens"], 6, "of the three answers that count");
    let put = put.lock().unwrap();
    let items = |prefix: &str| {
        let begins = |item: &&Value| text(&item["sk"]["S"]).starts_with(prefix);
        put.iter().filter(begins).map(|item| item["gone_at"].clone()).collect::<Vec<_>>()
    };
    let (kept, results) = (items("ANSWER#"), items("CASE#"));
    assert_eq!((kept.len(), results.len()), (2, 2), "the answers that came, of the case that came again");
    assert!(kept.iter().all(|gone_at| *gone_at == results[1]), "they last as long as its result");
}

/// A priced model, and a version of it at this temperature.
async fn priced(
    script: impl Fn(&CallInfo) -> Reply + Send + Sync + 'static,
    temperature: f64,
) -> (Lab, Value) {
    let lab = Lab { world: World::start().await, provider: ScriptedProvider::start(script).unwrap() };
    serve(&lab, &lab.provider).await;
    let prompt = lab.prompt("priced", &cases(9, 1)).await;
    let content = json!({ "template_text": "{{ message }}", "temperature": temperature });
    let version = lab.world.version(&prompt, &content).await;
    lab.finished(&version).await;
    (lab, version)
}

/// Lets this provider serve the model.
async fn serve(lab: &Lab, provider: &ScriptedProvider) {
    let mut entry = serde_json::to_value(model("test/model", provider)).unwrap();
    entry.as_object_mut().unwrap().retain(|name, value| name != "model_id" && !value.is_null());
    entry["input_usd_per_mtok"] = json!(1);
    lab.world.admin(Call::put("/api/models/test/model", &entry)).await.expect(200);
}

#[tokio::test]
async fn at_temperature_0_a_former_answer_is_taken_where_somebody_asks_for_it() {
    let (lab, version) = priced(echo, 0.0).await;
    let first = lab.run(&version).await;
    assert_eq!((&first["total_cost_usd"], lab.provider.calls()), (&json!(0.000_02), 10));
    let run = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([10, 10, 9, 1, 0]), 10));
    let figures = ["status", "gate_result", "reused_cases", "total_cost_usd", "avg_score"];
    assert_eq!(members(&run, &figures), json!(["completed", "pass", 10, 0.0, 0.9]));
    let again = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    for case in lab.cases(&again, "").await {
        assert_eq!(case["reused_from"], first["eval_run_id"], "whose answer it is at first");
    }
    assert!(lab.summary(&again).await.contains("The answers to 10 cases were taken from former runs."));
    evaluated(&lab, &version, &json!({})).await;
    assert_eq!(lab.provider.calls(), 20, "nobody asked for former answers");
}

#[tokio::test]
async fn what_may_be_answered_otherwise_is_asked_again() {
    let (lab, version) = priced(echo, 0.7).await;
    let run = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    assert_eq!((&run["reused_cases"], lab.provider.calls()), (&json!(0), 20), "at temperature 0.7");
    let warm =
        json!({ "template_text": "{{ message }}", "temperature": 0, "params": { "temperature": 0.7 } });
    let warm = lab.world.version(&version, &warm).await;
    lab.finished(&warm).await;
    let run = evaluated(&lab, &warm, &json!({ "reuse": true })).await;
    assert_eq!((&run["reused_cases"], lab.provider.calls()), (&json!(0), 40), "the parameters say 0.7");

    let (lab, version) = priced(echo, 0.0).await;
    let elsewhere = ScriptedProvider::start(echo).unwrap();
    serve(&lab, &elsewhere).await;
    let run = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    assert_eq!((&run["reused_cases"], elsewhere.calls()), (&json!(0), 10), "somebody else answers now");
    let other =
        lab.world.version(&version, &json!({ "template_text": "So: {{ message }}", "temperature": 0 })).await;
    lab.finished(&other).await;
    let run = evaluated(&lab, &other, &json!({ "reuse": true })).await;
    assert_eq!(
        (&run["reused_cases"], elsewhere.calls()),
        (&json!(10), 20),
        "another text has its own answers"
    );
}

#[tokio::test]
async fn an_error_is_no_answer_to_be_taken_again() {
    let (lab, version) = priced(
        |call| {
            if call.attempt == 1 && call.user() == "question 3" {
                Reply::Status(400, None)
            } else {
                echo(call)
            }
        },
        0.0,
    )
    .await;
    assert_eq!(tally(&lab.run(&version).await), json!([10, 10, 8, 1, 1]));
    let run = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    assert_eq!((tally(&run), &run["reused_cases"]), (json!([10, 10, 9, 1, 0]), &json!(9)));
    assert_eq!(lab.provider.calls_for("question 3"), 2);
    let path = run_path(&run, "/cases?outcome=passed");
    let asked = lab.get(&path).await["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["reused_from"].is_null())
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_answer_that_nobody_could_keep_is_taken_by_nobody() {
    let (lab, _) = priced(echo, 0.0).await;
    let prompt = lab.prompt("unkept", &cases(5, 0)).await;
    let content = json!({ "template_text": "{{ message }}", "temperature": 0, "max_tokens": 99 });
    let version = lab.world.version(&prompt, &content).await;
    let lost = TelemetryKey::Case(text(&version["eval_run_id"]).parse().unwrap(), 3).sk();
    let rule = Rule::on("PutItem", Fault::Exception("ItemCollectionSizeLimitExceededException"));
    let rule = lab.world.faults().add(rule.when(move |body| body["Item"]["sk"]["S"] == lost.as_str()));
    lab.finished(&version).await;
    rule.end();
    assert_eq!((rule.injected(), lab.world.step_dead_letters().await), (3, 1));
    assert_eq!(tally(&lab.run(&version).await), json!([5, 5, 4, 0, 1]));
    let run = evaluated(&lab, &version, &json!({ "reuse": true })).await;
    assert_eq!((tally(&run), &run["reused_cases"]), (json!([5, 5, 5, 0, 0]), &json!(4)));
}
