//! What one render and one answer may cost: beyond it is a refusal, never a hang.

use std::time::Duration;

use e2e::{Answer, text};
use serde_json::json;
use tokio::time::Instant;

use crate::scene::Scene;

/// Far more than a bounded render takes in an unoptimised build on a busy machine, far less than an unbounded one.
const SOON: Duration = Duration::from_secs(10);

async fn soon(scene: &Scene, prompt: &str) -> Answer {
    let started = Instant::now();
    let value = "a b\n".repeat(32 << 10);
    let answer = scene.post(&json!({ "prompt": prompt, "variables": { "v": value } })).await;
    assert!(started.elapsed() < SOON, "{prompt} took {:?}", started.elapsed());
    answer
}

#[tokio::test]
async fn a_template_that_does_too_much_is_refused_soon() {
    let scene = Scene::start().await;
    let doubling = format!("{{% set x = v %}}{}{{{{ x | length }}}}", "{% set x = x ~ x %}".repeat(40));
    let nested = format!("{{% set x = [v] %}}{}{{{{ x }}}}", "{% set x = [x, x] %}".repeat(60));
    for (name, template) in [
        ("loops", "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}{{ v }}"),
        ("work", "{% for a in range(100000) %}{% set x = v | upper %}{% endfor %}"),
        ("doubling", &doubling),
        ("lists", &nested),
        ("repeated", "{{ 'a' * 1000000000 }}{{ v }}"),
        ("range", "{{ range(1000000000) }}{{ v }}"),
        ("replaced", "{{ v | replace('a', v) }}"),
        ("padded", "{{ v | indent(1000000000) }}"),
    ] {
        scene.live(name, &json!({ "template_text": template }).to_string()).await;
        let refused = soon(&scene, name).await.refused(422, "not-rendered");
        assert!(text(&refused["detail"]).len() < 1000, "{name}");
        assert_eq!(refused["errors"][0]["pointer"], "/template_text", "{name}");
    }
}

#[tokio::test]
async fn a_rendered_text_has_1_mib_at_most_in_every_format() {
    let scene = Scene::start().await;
    let body = |name: &str, bytes: usize| json!({ "prompt": name, "variables": { "v": "x".repeat(bytes) } });
    for (name, format) in [("jinja", "jinja"), ("mustache", "mustache")] {
        let template = "{{ v }}".repeat(8);
        let content = json!({ "template_format": format, "template_text": template });
        scene.live(name, &content.to_string()).await;
        let fits = scene.post(&body(name, 128 << 10)).await.expect(200);
        assert_eq!(text(&fits["resolved_text"]).len(), 1 << 20);
        let refused = scene.post(&body(name, (128 << 10) + 1)).await.refused(422, "not-rendered");
        assert!(text(&refused["detail"]).contains("1024 KiB"), "{refused}");
    }
}

#[tokio::test]
async fn messages_share_the_bounds_of_one_render() {
    let scene = Scene::start().await;
    let message = json!({ "role": "user", "content": "{{ v }}{{ v }}{{ v }}{{ v }}" });
    scene.live("chat", &json!({ "messages": [message, message, message] }).to_string()).await;
    let body = |bytes: usize| json!({ "prompt": "chat", "variables": { "v": "x".repeat(bytes) } });
    scene.post(&body(80 << 10)).await.expect(200);
    scene.post(&body(100 << 10)).await.refused(422, "not-rendered");
}

#[tokio::test]
async fn an_answer_over_4_mib_is_refused_with_its_size_and_a_way_out() {
    let scene = Scene::start().await;
    let template = "{{ v }}".repeat(8);
    let examples = json!([{ "input": "x".repeat(64 << 10), "output": "x".repeat(64 << 10) }]);
    scene
        .live("quotes", &json!({ "template_text": template, "few_shot_examples": examples }).to_string())
        .await;
    // A quotation mark takes two bytes of JSON, and the text stands twice in an answer.
    let body = json!({ "prompt": "quotes", "variables": { "v": "\"".repeat(127 << 10) } });
    let refused = scene.post(&body).await.refused(422, "invalid");
    let size = text(&refused["detail"]).split(' ').find_map(|word| word.parse::<usize>().ok());
    assert!(size.is_some_and(|size| (4 << 20..5 << 20).contains(&size)), "{refused}");
    assert!(text(&refused["detail"]).contains("fields=text"), "{refused}");
    for fields in ["text", "messages"] {
        let mut body = body.clone();
        body["fields"] = json!(fields);
        let answer = scene.post(&body).await;
        assert!((2 << 20..4 << 20).contains(&answer.body.len()), "{} bytes", answer.body.len());
        answer.expect(200);
    }
}
