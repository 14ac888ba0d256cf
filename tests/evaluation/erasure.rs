//! A deleted test set leaves nothing of what its cases said, or models to them, and all of its figures.

use std::time::Duration;

use domain::{
    eval_run::{Draft, Said},
    money::Usd,
};
use e2e::{Call, text};
use registry::evaluation::Watch;
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::lab::{Lab, any_size, cases, echo, members};

/// What somebody wants to be forgotten.
const PERSONAL: &str = "Erika Mustermann, born 1964";

/// When the stream and the workers are done with what was deleted.
const LATER: Duration = Duration::from_mins(16);

const TABLES: [&str; 2] = ["cuecard-registry", "cuecard-telemetry"];

/// Where the text is found: in items of the tables, and in objects of the bucket.
async fn found(lab: &Lab) -> Vec<String> {
    let mut places = Vec::new();
    for table in TABLES {
        let mut items = lab.world.clients.dynamodb.scan().table_name(table).into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.unwrap();
            if format!("{item:?}").contains(PERSONAL) {
                places.push(item["sk"].as_s().unwrap().to_owned());
            }
        }
    }
    let s3 = &lab.world.clients.s3;
    for object in s3.list_objects_v2().bucket("cuecard").send().await.unwrap().contents.unwrap_or_default() {
        let key = object.key.unwrap();
        let body = s3.get_object().bucket("cuecard").key(&key).send().await.unwrap().body;
        if String::from_utf8_lossy(&body.collect().await.unwrap().to_vec()).contains(PERSONAL) {
            places.push(key);
        }
    }
    places.sort();
    places
}

/// Cases about a person: one passes, the output of another is long, and one fails with a reason that quotes it.
fn personal() -> Vec<Value> {
    let case = |number: usize, message: String, expected: &str| json!({ "case_id": format!("c{number}"), "vars": { "message": message }, "expected": expected });
    vec![
        case(1, PERSONAL.to_owned(), PERSONAL),
        case(2, format!("{PERSONAL} {}", "and so on ".repeat(600)), "short"),
        case(3, format!("about {PERSONAL}"), "nobody"),
    ]
}

/// A version whose run over personal cases has ended, with a draft of one of them; and the test set.
async fn evaluated(lab: &Lab, name: &str) -> (Value, String) {
    let version = lab.version(name, &personal()).await;
    let run = lab.finished(&version).await;
    let said = Said {
        output: format!("a draft about {PERSONAL}"),
        latency_ms: 1,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: Usd::default(),
    };
    let (now, store) = (lab.world.registry().sources.now(), &lab.world.registry().store);
    let draft = Draft { said: Some(said), ..Draft::default() };
    store.put_draft(text(&run["eval_run_id"]).parse().unwrap(), 3, 0, draft, now).await.unwrap();
    (version, text(&run["test_set_id"]).to_owned())
}

async fn delete(lab: &Lab, set: &str) {
    let gone = lab.world.admin(Call::delete(format!("/api/test-sets/{set}"))).await;
    assert_eq!(gone.status.as_u16(), 204);
}

async fn steer(lab: &Lab, after: Duration) -> usize {
    lab.world.clock.advance(after);
    lab.world.steer(Duration::from_hours(1)).await.test_sets_erased
}

/// What stays of a run and its cases.
async fn figures(lab: &Lab, version: &Value) -> Value {
    let run = lab.run(version).await;
    let kept = ["status", "gate_result", "avg_score", "passed_cases", "failed_cases", "errored_cases"];
    let cases = lab.cases(version, "").await;
    let cases: Vec<_> =
        cases.iter().map(|case| members(case, &["case_id", "outcome", "score", "output_tokens"])).collect();
    json!([members(&run, &kept), cases])
}

#[tokio::test]
async fn nothing_that_was_said_is_left_and_every_figure_is() {
    let lab = Lab::new(echo).await;
    let (version, set) = evaluated(&lab, "personal").await;
    let other = lab.version("other", &cases(3, 0)).await;
    lab.finished(&other).await;
    let planted = found(&lab).await;
    for kind in ["CASE#00001", "CASE#00003", "OUT#00002", "ANSWER#00003#00", "datasets/"] {
        assert!(planted.iter().any(|place| place.starts_with(kind)), "{kind} in {planted:?}");
    }
    let (before, beside) = (figures(&lab, &version).await, lab.cases(&other, "").await);
    delete(&lab, &set).await;
    assert_eq!(steer(&lab, Duration::from_mins(1)).await, 0, "somebody may be at work on a case");
    assert_eq!(steer(&lab, LATER).await, 1);
    assert_eq!(found(&lab).await, [""; 0]);
    assert_eq!(figures(&lab, &version).await, before);
    assert!(lab.cases(&version, "").await.iter().all(|case| case["output"].is_null()));
    assert_eq!(lab.cases(&other, "").await, beside, "what another test set's cases said stays");
    assert_eq!(steer(&lab, LATER).await, 0, "it is done");
}

#[tokio::test]
async fn what_could_not_be_erased_is_erased_later() {
    let lab = Lab::new(echo).await;
    let (_, set) = evaluated(&lab, "unlucky").await;
    delete(&lab, &set).await;
    // As after a deletion that the bucket did not take.
    let left = format!("datasets/{set}/1-left.jsonl");
    let put = lab.world.clients.s3.put_object().bucket("cuecard").key(&left);
    put.body(PERSONAL.as_bytes().to_vec().into()).send().await.unwrap();
    lab.world.clock.advance(LATER);
    let rule = Rule::on("UpdateItem", Fault::Exception("ValidationException"));
    let failing = lab.world.faults().add(rule);
    let watch = Watch { every: Duration::ZERO, most_usd: Usd::default() };
    let app = steer::App { release: lab.world.release().clone(), stuck_after: LATER, watch, admin_key: None };
    assert!(Box::pin(steer::handle(&app)).await.is_err() && failing.injected() > 0, "it is told of");
    failing.end();
    assert!(!found(&lab).await.is_empty());
    assert_eq!(steer(&lab, Duration::from_mins(1)).await, 1);
    assert_eq!(found(&lab).await, [""; 0]);
}

#[tokio::test]
async fn an_answer_that_was_erased_is_asked_for_again() {
    let lab = Lab::new(echo).await;
    let set = lab.test_set(&personal()).await;
    let prompt =
        lab.world.prompt("support", "asked", &json!({ "test_set_id": set, "gate": any_size() })).await;
    let content = json!({ "template_text": "{{ message }}", "temperature": 0 });
    let version = lab.world.version(&prompt, &content).await;
    lab.finished(&version).await;
    delete(&lab, &set).await;
    assert_eq!(steer(&lab, LATER).await, 1);
    let again = lab.test_set(&personal()).await;
    let ask = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let run = lab.post(&ask, &json!({ "test_set_id": again, "reuse": true }), 202).await;
    let ended = lab.finished(&run).await;
    assert_eq!(members(&ended, &["status", "reused_cases"]), json!(["completed", 0]));
    assert_eq!(lab.provider.calls(), 6);
}
