//! What is resolved in the process is what the platform answers.

use client::resolver::{Answer, Resolver};
use domain::{
    allocation::{Rule, Unit},
    template::Values,
};
use e2e::{Call, text};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{Beside, SEEN_BY_ALL, by_hand};
use crate::trials::greeter;

const WHOLE: &str = r#"{"template_text": "{% if age > 17 %}Hello {{ name }}{% endif %} {{ tags }} {{ note }}",
    "system_prompt": "Be {{ tone }}, {{ name }}", "few_shot_examples": [{"input": "{{ a }}", "output": "b"}],
    "temperature": 0.25, "max_tokens": 77, "params": {"top_p": 0.5}, "config": {"owner": "us"},
    "variables": [{"name": "name"}, {"name": "age", "type": "number", "default": 1.50},
        {"name": "tags", "type": "json", "required": false}, {"name": "note", "required": false},
        {"name": "tone", "default": "kind"}]}"#;
const MESSAGES: &str = r#"{"messages": [{"role": "system", "content": "Hi {{ name }}"},
    {"type": "placeholder", "name": "tags"}, {"role": "user", "content": "{{ age }}"}]}"#;

/// Prompts of each kind, and one whose traffic an experiment splits.
async fn prepared() -> (Beside, Resolver) {
    let (scene, versions) = greeter().await;
    let world = &scene.world;
    scene.split(&versions, &[0.2, 0.3, 0.5], 4, Rule::Split { enrolled: 0.8 }).await;
    scene.live("whole", WHOLE).await;
    scene.live("messages", MESSAGES).await;
    scene
        .live("mustache", r#"{"template_format": "mustache", "template_text": "{{name}} {{ age }} {{#x}}"}"#)
        .await;
    scene
        .live("plain", r#"{"template_format": "plain", "template_text": "{{ name }} {# as it is #}"}"#)
        .await;
    scene.live("grown/in a folder", r#"{"template_text": "Ünder {{ name }}"}"#).await;
    let renamed = scene.live("former", r#"{"template_text": "{{ name }}!"}"#).await;
    let path = format!("/api/prompts/{}", text(&renamed["prompt_id"]));
    world.admin(Call::patch(&path, &json!({ "name": "present" }))).await.expect(200);
    let cold = json!({ "temperature": 0.0, "max_tokens": 5 });
    world.admin(Call::put(format!("{path}/environments/production/overrides"), &cold)).await.expect(200);
    let archived = scene.live("archived", r#"{"template_text": "{{ name }}"}"#).await;
    world.admin(Call::delete(format!("/api/prompts/{}", text(&archived["prompt_id"])))).await.expect(200);
    world.prompt("support", "not-live", &json!({})).await;
    world.clock.advance(SEEN_BY_ALL);
    let router = world.another_process().await.router;
    let beside = Beside::over(scene, router).await;
    let resolver = beside.resolver(by_hand()).await.unwrap();
    (beside, resolver)
}

/// A local answer in the platform's words.
fn said(answer: &Answer) -> Value {
    let (rendered, version) = (&answer.rendered, &answer.version);
    let assignment = answer.assignment.as_ref();
    let mut said = json!({
        "prompt_id": answer.prompt.prompt_id, "name": answer.prompt.name, "environment": answer.environment,
        "version_id": version.version_id, "version_number": version.version_number,
        "resolved_text": rendered.text, "system_prompt": rendered.system_prompt,
        "few_shot_examples": answer.few_shot_examples(), "messages": rendered.messages,
        "model_id": answer.model_id(), "temperature": answer.temperature(), "max_tokens": answer.max_tokens(),
        "params": version.content.params, "config": version.content.config,
        "experiment_id": assignment.map(|assignment| assignment.trial.to_string()),
        "variant": assignment.map(|assignment| &assignment.arm), "sticky": answer.sticky,
        "revision": answer.prompt.revision,
    });
    if !rendered.ignored_variables.is_empty() {
        said["ignored_variables"] = json!(rendered.ignored_variables);
    }
    said
}

/// What the platform answers, without the token; else its status and its words.
async fn served(beside: &Beside, question: &Value) -> Result<Value, (u16, String)> {
    let answer = beside.scene.post(question).await;
    let mut body = answer.json();
    if !answer.status.is_success() {
        return Err((answer.status.as_u16(), text(&body["detail"]).to_owned()));
    }
    body.as_object_mut().unwrap().remove("resolution_token");
    Ok(body)
}

/// The same of the resolver.
fn local(resolver: &Resolver, question: &Value) -> Result<Value, (u16, String)> {
    let [user, conversation, request] =
        ["user_id", "conversation_id", "request_id"].map(|name| question[name].as_str().map(str::to_owned));
    let answer = Values::parse(&question["variables"].to_string()).and_then(|values| {
        resolver.resolve(text(&question["prompt"]), &Unit::of(user, conversation, request), &values)
    });
    let refused = |error: domain::Error| (web::describe(error.kind()).0.as_u16(), error.detail().to_owned());
    answer.map(|answer| said(&answer)).map_err(refused)
}

fn names() -> impl Strategy<Value = &'static str> {
    select(vec![
        "greeter",
        "greeter",
        "greeter",
        "support/greeter",
        "whole",
        "whole",
        "messages",
        "mustache",
        "plain",
        "grown/in a folder",
        "support/grown/in a folder",
        "former",
        "present",
        "archived",
        "not-live",
        "absent",
        "others/greeter",
        "prm_00000000000000000000000000",
        "prm_damaged",
    ])
}

fn variables() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just(json!("Ada")), Just(json!("{{ name }}")), "\\PC{0,12}".prop_map(Value::from)];
    let age = prop_oneof![Just(Value::Null), (0..40).prop_map(Value::from), Just(json!("old"))];
    let tags = prop_oneof![
        Just(Value::Null),
        Just(json!([{ "role": "user", "content": "a" }])),
        Just(json!({ "b": [1, 2.50] }))
    ];
    (name, age, tags, any::<bool>()).prop_map(|(name, age, tags, more)| {
        let mut values = json!({ "name": name });
        for (name, value) in [("age", age), ("tags", tags)] {
            if !value.is_null() {
                values[name] = value;
            }
        }
        if more {
            values["more"] = json!(1);
        }
        values
    })
}

fn units() -> impl Strategy<Value = (&'static str, String)> {
    let id = prop_oneof!["[a-z0-9-]{1,12}", "\\PC{1,20}"]
        .prop_filter("a blank is nobody", |id| !id.trim().is_empty());
    (select(vec!["user_id", "conversation_id", "request_id"]), id)
}

#[test]
fn a_local_answer_is_the_platforms_for_any_prompt_unit_and_values() {
    let runtime = Runtime::new().unwrap();
    let (beside, resolver) = runtime.block_on(prepared());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut arms = std::collections::BTreeSet::new();
    let seen = std::cell::RefCell::new(&mut arms);
    let questions = (names(), variables(), units());
    let all = TestRunner::new(config).run(&questions, |(prompt, variables, (kind, id))| {
        let question = json!({ "prompt": prompt, "variables": variables, kind: id });
        let (served, local) = (runtime.block_on(served(&beside, &question)), local(&resolver, &question));
        if let Ok(answer) = &local {
            seen.borrow_mut().insert(answer["variant"].to_string());
        }
        prop_assert_eq!(local, served, "{}", question);
        Ok(())
    });
    all.unwrap();
    let expected = ["\"A\"", "\"B\"", "\"C\"", "null"].map(str::to_owned);
    assert_eq!(arms, expected.into_iter().collect(), "each arm served somebody");
}
