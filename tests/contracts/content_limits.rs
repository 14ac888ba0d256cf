//! The limits of data-model.md: at the limit it is taken, one past it is refused and named.

use axum::http::Method;
use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers};

const KIB: usize = 1024;

/// A version of plain text.
fn content(more: Value) -> Value {
    let mut content = json!({ "template_text": "a", "template_format": "plain", "model_id": "m" });
    content.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    content
}

fn examples(count: usize, bytes: usize) -> Value {
    let mut pairs = vec![json!({ "input": "", "output": "" }); count];
    pairs[0]["input"] = json!("i".repeat(bytes));
    content(json!({ "few_shot_examples": pairs }))
}

fn variables(count: usize) -> Value {
    let names: Vec<_> = (0..count).map(|number| json!({ "name": format!("v{number}") })).collect();
    content(json!({ "variables": names }))
}

fn messages(bytes: usize) -> Value {
    let message = |bytes| json!({ "role": "user", "content": "m".repeat(bytes) });
    json!({ "messages": [message(1), message(bytes - 1)], "template_format": "plain", "model_id": "m" })
}

/// Content whose canonical JSON has this many bytes.
fn whole(bytes: usize) -> Value {
    let mut content = content(json!({
        "template_text": "t".repeat(100 * KIB), "system_prompt": "s".repeat(100 * KIB),
        "few_shot_examples": [{ "input": "i".repeat(100 * KIB), "output": "" }], "config": { "k": "" },
    }));
    let canonical = json!({
        "template_text": content["template_text"], "template_format": "plain",
        "system_prompt": content["system_prompt"], "few_shot_examples": content["few_shot_examples"],
        "variables": [], "model_id": "m", "temperature": 0.7, "max_tokens": 1000, "params": {},
        "config": content["config"],
    });
    content["config"]["k"] = json!("k".repeat(bytes - canonical.to_string().len()));
    content
}

#[tokio::test]
async fn of_what_a_version_says() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    for (pointer, at_the_limit, beyond) in [
        (
            "/template_text",
            content(json!({ "template_text": "t".repeat(100 * KIB) })),
            content(json!({ "template_text": "t".repeat(100 * KIB + 1) })),
        ),
        (
            "/system_prompt",
            content(json!({ "system_prompt": "s".repeat(100 * KIB) })),
            content(json!({ "system_prompt": "s".repeat(100 * KIB + 1) })),
        ),
        ("/messages", messages(100 * KIB), messages(100 * KIB + 1)),
        ("/few_shot_examples", examples(200, 0), examples(201, 0)),
        ("/few_shot_examples", examples(2, 150 * KIB), examples(2, 150 * KIB + 1)),
        ("/variables", variables(100), variables(101)),
        ("", whole(350 * KIB), whole(350 * KIB + 1)),
    ] {
        let write = |content: &Value| Call::post(at(&prompt, "/versions"), content);
        let problem = world.admin(write(&beyond)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), [pointer]);
        world.admin(write(&at_the_limit)).await.expect(201);
    }
}

#[tokio::test]
async fn of_a_prompt() {
    let world = api::start().await;
    let create = |name: &str, tags: usize| {
        let tags: Vec<_> = (0..tags).map(|number| format!("tag {number}")).collect();
        Call::post("/api/prompts", &json!({ "name": name, "team_id": "a", "tags": tags }))
    };
    world.admin(create("tags", 20)).await.expect(201);
    assert_eq!(pointers(&world.admin(create("more", 21)).await.refused(422, "invalid")), ["/tags"]);
    world.admin(create(&"n".repeat(200), 0)).await.expect(201);
    let problem = world.admin(create(&"n".repeat(201), 0)).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/name"]);
}

async fn live(world: &World, template: &str) {
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": template })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
}

fn resolve(variables: &Value, more: &str) -> Call {
    Call::post("/api/resolve/greeter", &json!({ "variables": variables, "fields": more }))
}

#[tokio::test]
async fn of_the_variables_of_a_request() {
    let world = api::start().await;
    live(&world, "{{ v }}").await;
    let empty = json!({ "v": "" }).to_string().len();
    let of = |bytes: usize| resolve(&json!({ "v": "v".repeat(bytes - empty) }), "text");
    world.admin(of(256 * KIB)).await.expect(200);
    let problem = world.admin(of(256 * KIB + 1)).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/variables"]);
}

#[tokio::test]
async fn of_a_rendered_text() {
    let world = api::start().await;
    live(&world, &"{{ v }}".repeat(8)).await;
    let of = |bytes: usize| resolve(&json!({ "v": "v".repeat(bytes) }), "text");
    let resolved = world.admin(of(128 * KIB)).await.expect(200);
    assert_eq!(text(&resolved["resolved_text"]).len(), 1024 * KIB);
    world.admin(of(128 * KIB + 1)).await.refused(422, "not-rendered");
}

#[tokio::test]
async fn of_an_answer_and_of_a_batch() {
    let world = api::start().await;
    live(&world, &"{{ v }}".repeat(24)).await;
    // A control character is one byte of text and six of JSON.
    let variables = json!({ "v": "\u{1}".repeat(40_000) });
    let problem = world.admin(resolve(&variables, "text")).await.refused(422, "invalid");
    assert!(text(&problem["detail"]).contains("bytes"), "{problem}");
    let entry = json!({ "prompt": "greeter", "variables": { "v": "v".repeat(40_000) } });
    let batch = json!({ "requests": [entry, entry, entry, entry] });
    let answer = world.admin(Call::post("/api/resolve:batch", &batch)).await.expect(200);
    let statuses: Vec<_> = answer["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 413, 413], "each has 1.8 MiB");
}

#[tokio::test]
async fn of_a_test_set() {
    let world = api::start().await;
    let set = api::test_set(&world, "a").await;
    let put = |cases: String| {
        Call::new(Method::PUT, format!("/api/test-sets/{set}/versions")).bytes("application/jsonl", cases)
    };
    let many = |count: usize| put(format!("{}\n", api::CASE).repeat(count));
    assert_eq!(world.admin(many(10_000)).await.expect(201)["cases"], 10_000);
    let problem = world.admin(many(10_001)).await.refused(422, "invalid");
    assert!(text(&problem["detail"]).contains("10000"), "{problem}");
    let one = |bytes: usize| {
        let empty = json!({ "vars": { "v": "" }, "expected": "yes" }).to_string().len();
        put(json!({ "vars": { "v": "v".repeat(bytes - empty) }, "expected": "yes" }).to_string())
    };
    world.admin(one(200 * KIB)).await.expect(201);
    assert_eq!(pointers(&world.admin(one(200 * KIB + 1)).await.refused(422, "invalid")), ["/1"]);
}

#[tokio::test]
async fn all_bad_lines_of_a_test_set_are_named_and_nothing_is_stored() {
    let world = api::start().await;
    let set = api::test_set(&world, "a").await;
    let put = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
    let good = r#"{"case_id":"a","vars":{},"expected":"x"}"#;
    let cases = format!("{good}\nnonsense\n\n{{\"vars\":{{}}}}\n{good}\n{good}");
    let problem = world.admin(put.bytes("application/jsonl", cases)).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/2", "/4", "/5", "/6"]);
    let read = world.admin(Call::get(format!("/api/test-sets/{set}"))).await.expect(200);
    assert_eq!(read["newest_version"], 0);
    world.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await.refused(404, "not-found");
}
