//! The three ways of writing a template, as they come out.

use serde_json::{Value, json};

use crate::scene::Scene;

/// Text that every template engine would love to touch.
const THORNY: &str = "{{ name }} {{name}} {# comment #} {% if x %} {{{ \u{feff}\u{200b} \r\n\ttab \\n \"quoted\" <b>&amp;</b> \u{1f5dd} {{";

async fn live(scene: &Scene, format: &str, template: &str) -> Value {
    let content = json!({ "template_format": format, "template_text": template, "system_prompt": template });
    scene.live(&format!("{format} {}", template.len()), &content.to_string()).await
}

#[tokio::test]
async fn plain_stays_byte_for_byte() {
    let scene = Scene::start().await;
    for template in [THORNY, "", "\n", "\n\n{{ a\n\n", " {# "] {
        let prompt = live(&scene, "plain", template).await;
        let answer = scene.get(&[("prompt", e2e::text(&prompt["prompt_id"]))]).await.expect(200);
        assert_eq!(
            (&answer["resolved_text"], &answer["system_prompt"]),
            (&json!(template), &json!(template))
        );
        assert_eq!(answer["messages"][1]["content"], template);
    }
}

#[tokio::test]
async fn plain_stays_byte_for_byte_in_messages_too() {
    let scene = Scene::start().await;
    let content = json!({ "template_format": "plain", "messages": [{ "role": "user", "content": THORNY }] });
    scene.live("plain", &content.to_string()).await;
    assert_eq!(scene.get(&[("prompt", "plain")]).await.expect(200)["messages"][0]["content"], THORNY);
}

#[tokio::test]
async fn mustache_replaces_names_and_nothing_else() {
    let scene = Scene::start().await;
    let template = "{{name}} {{ name }} {{#name}}{{/name}} {% if name %} {# c #} {{{name}}} {{> name}} {{name | upper}}\n";
    let prompt = live(&scene, "mustache", template).await;
    let rendered = scene.text(e2e::text(&prompt["prompt_id"]), r#"{"name": "Ada"}"#).await;
    let expected = "Ada Ada {{#name}}{{/name}} {% if name %} {# c #} {Ada} {{> name}} {{name | upper}}\n";
    assert_eq!(rendered, expected);
}

#[tokio::test]
async fn jinja_is_the_default_and_keeps_every_line_end() {
    let scene = Scene::start().await;
    let content = r#"{"template_text": "{% for x in items %}{{ loop.index }}. {{ x | upper }}\n{% endfor %}{# gone #}end\n\n",
        "variables": [{"name": "items", "type": "json"}]}"#;
    scene.live("list", content).await;
    assert_eq!(scene.text("list", r#"{"items": ["a", "b"]}"#).await, "1. A\n2. B\nend\n\n");
    scene.live("one line", r#"{"template_text": "{{ a }}\n"}"#).await;
    assert_eq!(scene.text("one line", r#"{"a": "x\n"}"#).await, "x\n\n");
    scene.live("no line", r#"{"template_text": "{{ a }}"}"#).await;
    assert_eq!(scene.text("no line", r#"{"a": "x"}"#).await, "x");
}

#[tokio::test]
async fn examples_are_literal_in_every_format() {
    let scene = Scene::start().await;
    for format in ["jinja", "mustache", "plain"] {
        let examples = json!([{ "input": THORNY, "output": "{{ a }}\n" }, { "input": "", "output": "" }]);
        let content =
            json!({ "template_format": format, "template_text": "x", "few_shot_examples": examples });
        scene.live(format, &content.to_string()).await;
        let answer = scene.get(&[("prompt", format)]).await.expect(200);
        assert_eq!(answer["few_shot_examples"], examples);
        let expected = json!([
            { "role": "user", "content": THORNY },
            { "role": "assistant", "content": "{{ a }}\n" },
            { "role": "user", "content": "" },
            { "role": "assistant", "content": "" },
            { "role": "user", "content": "x" },
        ]);
        assert_eq!(answer["messages"], expected);
    }
}
