//! The hash, the limits and the rules of content.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Body, Content, MessageTemplate, TemplateFormat};
use crate::ErrorKind;

/// The smallest content that is right.
fn minimal() -> Content {
    Content {
        body: Body::Text {
            template_text: "Hi {{ name }}".to_owned(),
            system_prompt: None,
            few_shot_examples: Vec::new(),
        },
        template_format: TemplateFormat::Jinja,
        variables: serde_json::from_str(r#"[{"name": "name"}]"#).unwrap(),
        model_id: "gpt-4o-mini".to_owned(),
        temperature: 0.7,
        max_tokens: 1000,
        params: Map::new(),
        config: Map::new(),
    }
}

fn with_text(template_text: &str, system_prompt: Option<&str>, examples: &Value) -> Content {
    let body = Body::Text {
        template_text: template_text.to_owned(),
        system_prompt: system_prompt.map(str::to_owned),
        few_shot_examples: serde_json::from_value(examples.clone()).unwrap(),
    };
    Content { body, ..minimal() }
}

fn with_variables(variables: &str) -> Content {
    Content { variables: serde_json::from_str(variables).unwrap(), ..minimal() }
}

/// Checks which fields are refused.
fn check(content: &Content, pointers: &[&str]) {
    let found = content.validate().err();
    let problems = found.iter().inspect(|error| assert_eq!(error.kind(), ErrorKind::Invalid));
    let found: Vec<_> = problems.flat_map(crate::Error::problems).map(|problem| &*problem.pointer).collect();
    assert_eq!(found, pointers);
}

#[test]
fn the_hash_is_that_of_the_canonical_json() {
    // Computed by another implementation (Python's hashlib and json with sorted keys).
    assert_eq!(minimal().sha256(), "1515e6ace3701d110cf3514147ba6733de88fb6bba19cca5b5b70f0c0fadd11a");
    let messages: Vec<MessageTemplate> = serde_json::from_value(json!([
        {"role": "user", "content": "é\n"},
        {"type": "placeholder", "name": "name"},
    ]))
    .unwrap();
    let mut content = Content { body: Body::Messages(messages), temperature: 1.0, ..minimal() };
    content.params = serde_json::from_str(r#"{"top_p": 1.0, "b": null}"#).unwrap();
    assert_eq!(content.sha256(), "d3fa18a80f83af6e93d1079deeb5ab46b45826c317756593f106f8a6cd13d005");
}

#[test]
fn every_field_changes_the_hash() {
    let first = minimal();
    let variants = [
        with_text("Hi {{ name}}", None, &json!([])),
        with_text("Hi {{ name }}", Some(""), &json!([])),
        with_text("Hi {{ name }}", None, &json!([{"input": "a", "output": "b"}])),
        with_variables(r#"[{"name": "name", "required": false}]"#),
        with_variables(r#"[{"name": "name", "type": "json"}]"#),
        with_variables(r#"[{"name": "name", "default": ""}]"#),
        with_variables(r#"[{"name": "name", "description": ""}]"#),
        Content { template_format: TemplateFormat::Plain, ..minimal() },
        Content { model_id: "gpt-4o".to_owned(), ..minimal() },
        Content { temperature: 0.71, ..minimal() },
        Content { max_tokens: 1001, ..minimal() },
        Content { params: Map::from_iter([("seed".to_owned(), json!(1))]), ..minimal() },
        Content { config: Map::from_iter([("seed".to_owned(), json!(1))]), ..minimal() },
    ];
    let mut hashes: Vec<_> = variants.iter().chain([&first]).map(Content::sha256).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), variants.len() + 1);
}

proptest! {
    /// The order of keys says nothing, at any depth.
    #[test]
    fn the_hash_ignores_the_order_of_keys(mut keys in prop::collection::btree_set("[a-zé😀\u{fb33}]{1,3}", 1..8)
        .prop_map(|keys| keys.into_iter().collect::<Vec<_>>()).prop_shuffle(), number in any::<i32>())
    {
        let object = |keys: &[String]| {
            let members: Vec<_> = keys.iter().map(|key| format!("{}:{number}", json!(key))).collect();
            format!("{{{}}}", members.join(","))
        };
        let content = |keys: &[String]| {
            let inner = object(keys);
            let variables = format!(r#"[{{"name":"name","type":"json","default":{inner}}}]"#);
            let params = serde_json::from_str(&format!(r#"{{"a":{inner}}}"#)).unwrap();
            Content { config: serde_json::from_str(&inner).unwrap(), params, ..with_variables(&variables) }
        };
        let shuffled = content(&keys).sha256();
        keys.sort();
        prop_assert_eq!(shuffled, content(&keys).sha256());
    }
}

#[test]
fn all_problems_are_reported_together() {
    check(&minimal(), &[]);
    let content = Content {
        model_id: "a\nb".to_owned(),
        temperature: f64::NAN,
        max_tokens: 0,
        ..with_variables(
            r#"[{"name": "a-b"}, {"name": "x", "type": "number", "default": "1"}, {"name": "x"}, {"name": "loop"}]"#,
        )
    };
    let pointers = [
        "/variables/0/name",
        "/variables/1/default",
        "/variables/2/name",
        "/variables/3/name",
        "/model_id",
        "/temperature",
        "/max_tokens",
    ];
    check(&content, &pointers);
}

#[test]
fn sizes_are_bounded() {
    let kib = |count: usize| "é".repeat(count << 9);
    let examples =
        |count: usize, kib_each: usize| json!(vec![json!({"input": kib(kib_each), "output": ""}); count]);
    check(&with_text(&kib(100), Some(&kib(100)), &examples(140, 1)), &[]);
    check(&with_text(&(kib(100) + "x"), None, &json!([])), &["/template_text"]);
    check(&with_text("", Some(&(kib(100) + "x")), &json!([])), &["/system_prompt"]);
    check(&with_text("", None, &examples(201, 0)), &["/few_shot_examples"]);
    check(&with_text("", None, &examples(151, 1)), &["/few_shot_examples"]);
    let config = Map::from_iter([("big".to_owned(), json!(kib(350)))]);
    check(&Content { config, ..minimal() }, &[""]);
    let names: Vec<_> = (0..101).map(|index| json!({"name": format!("v{index}")})).collect();
    check(&with_variables(&json!(names).to_string()), &["/variables"]);
    let half = json!({"role": "user", "content": kib(51)});
    let messages = |list: &[&Value]| Body::Messages(serde_json::from_value(json!(list)).unwrap());
    check(&Content { body: messages(&[&half]), ..minimal() }, &[]);
    check(&Content { body: messages(&[&half, &half]), ..minimal() }, &["/messages"]);
    check(&Content { body: messages(&[]), ..minimal() }, &["/messages"]);
}

#[test]
fn a_placeholder_names_a_json_variable() {
    let body =
        || Body::Messages(serde_json::from_str(r#"[{"type": "placeholder", "name": "name"}]"#).unwrap());
    check(&Content { body: body(), ..minimal() }, &["/messages/0/name"]);
    check(&Content { body: body(), ..with_variables("[]") }, &["/messages/0/name"]);
    check(&Content { body: body(), ..with_variables(r#"[{"name": "name", "type": "json"}]"#) }, &[]);
}

#[test]
fn names_follow_the_format() {
    let format = |template_format, name: &str| {
        let variables = serde_json::from_value(json!([{ "name": name }])).unwrap();
        Content { template_format, variables, ..minimal() }.validate().is_ok()
    };
    for (name, in_jinja, in_mustache) in [
        ("_a1", true, true),
        ("a.b-c", false, true),
        ("größe", false, true),
        ("1a", false, false),
        ("a b", false, false),
        ("", false, false),
        ("none", false, true),
        ("range", true, true),
    ] {
        assert_eq!(format(TemplateFormat::Jinja, name), in_jinja, "{name}");
        assert_eq!(format(TemplateFormat::Mustache, name), in_mustache, "{name}");
    }
}

#[test]
fn ranges_are_inclusive() {
    for (temperature, max_tokens, model_id, is_right) in [
        (0.0, 1, "m", true),
        (2.0, 1_000_000, &*"é".repeat(200), true),
        (2.1, 1, "m", false),
        (-0.1, 1, "m", false),
        (f64::INFINITY, 1, "m", false),
        (1.0, 1_000_001, "m", false),
        (1.0, 1, "", false),
        (1.0, 1, &*"é".repeat(201), false),
    ] {
        let content = Content { temperature, max_tokens, model_id: model_id.to_owned(), ..minimal() };
        assert_eq!(content.validate().is_ok(), is_right, "{temperature} {max_tokens} {model_id}");
    }
}
