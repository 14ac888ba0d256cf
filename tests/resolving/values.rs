//! The values that callers give, and how they print.

use e2e::text;
use serde_json::{Value, json};

use crate::scene::{Scene, pointers};

const TYPES: &str =
    r#""variables": [{"name": "s"}, {"name": "n", "type": "number"}, {"name": "j", "type": "json"}]"#;

#[tokio::test]
async fn all_missing_variables_are_named_together() {
    let scene = Scene::start().await;
    let content =
        format!(r#"{{"template_text": "{{{{ s }}}}{{{{ n }}}}", "system_prompt": "{{{{ j }}}}", {TYPES}}}"#);
    scene.live("typed", &content).await;
    let refused = scene.get(&[("prompt", "typed")]).await.refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/variables/s", "/variables/n", "/variables/j"]);
    for name in ["s", "n", "j"] {
        assert!(text(&refused["detail"]).contains(name), "{refused}");
    }
    let refused = scene.render("typed", r#"{"n": 1}"#).await.refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/variables/s", "/variables/j"]);
    let refused = scene.post(&json!({ "prompt": "typed", "variables": null })).await.refused(422, "invalid");
    assert_eq!(pointers(&refused).len(), 3);
    let refused = scene.render("typed", r#"{"n": "1"}"#).await.refused(422, "invalid");
    assert_eq!(
        pointers(&refused),
        ["/variables/s", "/variables/n", "/variables/j"],
        "wrong types are named too"
    );
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_refused_at_its_variable() {
    let scene = Scene::start().await;
    scene
        .live("typed", &format!(r#"{{"template_text": "{{{{ s }}}}{{{{ n }}}}{{{{ j }}}}", {TYPES}}}"#))
        .await;
    for (values, pointer) in [
        (r#"{"s": 1, "n": 1, "j": 1}"#, "/variables/s"),
        (r#"{"s": null, "n": 1, "j": 1}"#, "/variables/s"),
        (r#"{"s": {"a": 1}, "n": 1, "j": 1}"#, "/variables/s"),
        (r#"{"s": "", "n": "1", "j": 1}"#, "/variables/n"),
        (r#"{"s": "", "n": true, "j": 1}"#, "/variables/n"),
        (r#"{"s": "", "n": null, "j": 1}"#, "/variables/n"),
    ] {
        let refused = scene.render("typed", values).await.refused(422, "invalid");
        assert_eq!(pointers(&refused), [pointer], "{values}");
        let variables: Value = serde_json::from_str(values).unwrap();
        let posted = scene.post(&json!({ "prompt": "typed", "variables": variables })).await;
        assert_eq!(pointers(&posted.refused(422, "invalid")), [pointer], "{values}");
    }
}

#[tokio::test]
async fn names_that_are_not_declared_are_listed_and_ignored() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let answer = scene.render("greeter", r#"{"z": {}, "name": "Ada", "a": 1}"#).await.expect(200);
    assert_eq!(answer["resolved_text"], "Hello Ada");
    assert_eq!(answer["ignored_variables"], json!(["a", "z"]));
    let answer = scene.render("greeter", r#"{"name": "Ada"}"#).await.expect(200);
    assert!(!answer.as_object().unwrap().contains_key("ignored_variables"));
}

#[tokio::test]
async fn an_optional_variable_without_a_value_is_empty_and_false() {
    let scene = Scene::start().await;
    let content = r#"{"template_text": "[{{ s }}{{ n }}{{ j }}]{% if s or n or j %}yes{% else %}no{% endif %}{{ s | default('d') }}",
        "variables": [{"name": "s", "required": false}, {"name": "n", "type": "number", "required": false},
                      {"name": "j", "type": "json", "required": false}]}"#;
    scene.live("optional", content).await;
    assert_eq!(scene.text("optional", "{}").await, "[]nod");
    assert_eq!(scene.text("optional", r#"{"s": "", "n": 0, "j": false}"#).await, "[0false]no");
    assert_eq!(scene.text("optional", r#"{"j": [0]}"#).await, "[[0]]yesd");
}

#[tokio::test]
async fn a_default_stands_in_as_it_was_written() {
    let scene = Scene::start().await;
    let content = r#"{"template_text": "{{ s }}|{{ n }}|{{ j }}", "variables": [
        {"name": "s", "default": "{{ n }}"}, {"name": "n", "type": "number", "default": 1.50},
        {"name": "j", "type": "json", "required": false, "default": { "b" : [1e3, 0, false],  "a": null }}]}"#;
    scene.live("defaults", content).await;
    assert_eq!(scene.text("defaults", "{}").await, r#"{{ n }}|1.50|{"b":[1e3,0,false],"a":null}"#);
    assert_eq!(scene.text("defaults", r#"{"s": "", "n": 0, "j": false}"#).await, "|0|false");
}

#[tokio::test]
async fn numbers_print_as_they_are_written() {
    let scene = Scene::start().await;
    let content = r#"{"template_text": "{{ n }} {{ j }}", "system_prompt": "{{ n }}",
        "variables": [{"name": "n", "type": "number"}, {"name": "j", "type": "json"}]}"#;
    scene.live("numbers", content).await;
    for number in [
        "0",
        "-0",
        "0.0",
        "1.50",
        "1e3",
        "1E+3",
        "-2.50e-07",
        "100000000000000000000000",
        "9007199254740993",
        "170141183460469231731687303715884105728",
        "0.1000000000000000055511151231257827",
        "1e400",
    ] {
        let variables = format!(r#"{{"n": {number}, "j": [{number}]}}"#);
        let expected = json!(format!("{number} [{number}]"));
        let got = scene.render("numbers", &variables).await.expect(200);
        assert_eq!((&got["resolved_text"], &got["system_prompt"]), (&expected, &json!(number)));
        let body = format!(r#"{{"prompt": "numbers", "variables": {variables}}}"#);
        let call = e2e::Call::new("POST".parse().unwrap(), "/api/resolve").bytes("application/json", body);
        assert_eq!(scene.call(call).await.expect(200)["resolved_text"], expected);
    }
}

#[tokio::test]
async fn json_prints_compactly_and_in_the_order_written() {
    let scene = Scene::start().await;
    let content = r#"{"template_text": "{{ j }}", "variables": [{"name": "j", "type": "json"}]}"#;
    scene.live("json", content).await;
    for (written, printed) in [
        (
            r#" { "b" : [ 1.0 , true ] , "a" : { } , "é" : "\u00e9\n\"" } "#,
            r#"{"b":[1.0,true],"a":{},"é":"é\n\""}"#,
        ),
        ("[ ]", "[]"),
        ("null", "null"),
        ("false", "false"),
        ("0", "0"),
        (r#""as text""#, "as text"),
        (r#"{"html": "<b>&</b>"}"#, r#"{"html":"<b>&</b>"}"#),
    ] {
        assert_eq!(scene.text("json", &format!(r#"{{"j": {written}}}"#)).await, printed);
    }
}

#[tokio::test]
async fn values_are_never_templates() {
    let scene = Scene::start().await;
    let hostile = "{{ secret }}{% for x in y %}{# gone #}{{{name}}} {{name}} {% raw %}";
    let values = json!({ "name": hostile, "j": { hostile: hostile } });
    let variables = r#""variables": [{"name": "name"}, {"name": "j", "type": "json"}]"#;
    for format in ["jinja", "mustache"] {
        let content = format!(
            r#"{{"template_format": "{format}", "template_text": "<{{{{ name }}}}> {{{{ j }}}}", "system_prompt": "{{{{name}}}}", {variables}}}"#
        );
        scene.live(format, &content).await;
        let answer = scene.render(format, &values.to_string()).await.expect(200);
        let inner = json!({ hostile: hostile }).to_string();
        assert_eq!(answer["resolved_text"], format!("<{hostile}> {inner}"), "{format}");
        assert_eq!(answer["messages"][0]["content"], hostile, "{format}");
    }
}
