//! Resolving: what is answered, what is refused, and what the headers say.

use std::time::Duration;

use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers};

async fn live(world: &World, name: &str, content: &Value) -> Value {
    let prompt = world.prompt("a", name, &json!({})).await;
    let version = world.version(&prompt, content).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    prompt
}

#[tokio::test]
async fn nothing_there_is_said_in_three_ways() {
    let world = api::start().await;
    let prompt = live(&world, "greeter", &json!({ "template_text": "a" })).await;
    world.admin(Call::get("/api/resolve/other")).await.refused(404, "no-such-prompt");
    for path in ["/api/resolve/greeter?env=staging".to_owned(), at(&prompt, "/environments/staging")] {
        let problem = world.admin(Call::get(path)).await.refused(404, "not-live");
        assert!(text(&problem["detail"]).contains("staging"), "{problem}");
    }
    world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
    world.admin(Call::get("/api/resolve/greeter")).await.refused(410, "archived");
}

#[tokio::test]
async fn a_revision_that_is_not_reached_is_412_and_remembered_for_a_second() {
    let world = api::start().await;
    let prompt = live(&world, "greeter", &json!({ "template_text": "one" })).await;
    let other = api::checked(world.another_process().await.router);
    let ask = || Call::get("/api/resolve/greeter?min_revision=2").key(e2e::ADMIN);
    let problem = ask().send(&other).await.refused(412, "revision-not-reached");
    assert_eq!(problem["revision"], 1);
    let reads = world.faults().calls("GetItem");
    ask().send(&other).await.refused(412, "revision-not-reached");
    assert_eq!(world.faults().calls("GetItem"), reads, "it was asked a moment ago");
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    world.promote(&prompt, &two, "production").await.expect(200);
    world.clock.advance(Duration::from_millis(600));
    let at_once = Call::get("/api/resolve/greeter?min_revision=2").key(e2e::ADMIN);
    world.call(at_once).await.expect(200);
    ask().send(&other).await.refused(412, "revision-not-reached");
    world.clock.advance(Duration::from_millis(401));
    let reached = ask().send(&other).await;
    assert_eq!((&reached.expect(200)["revision"], reached.header("cuecard-revision")), (&json!(2), "2"));
}

#[tokio::test]
async fn variables_that_are_missing_or_of_another_type_are_all_named() {
    let world = api::start().await;
    let variables = json!([
        { "name": "name" }, { "name": "age", "type": "number" }, { "name": "tags", "type": "json" },
        { "name": "note", "required": false }, { "name": "tone", "default": "kind" },
    ]);
    let template = "{{ name }} {{ age }} {{ tags }} {{ note }} {{ tone }}";
    live(&world, "greeter", &json!({ "template_text": template, "variables": variables })).await;
    let resolve = |variables: Value| Call::post("/api/resolve/greeter", &json!({ "variables": variables }));
    let problem = world.admin(resolve(json!({}))).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/variables/name", "/variables/age", "/variables/tags"]);
    assert!(text(&problem["detail"]).contains("name, age, tags"), "{problem}");
    let problem = world.admin(resolve(json!({ "name": 5, "age": "5" }))).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/variables/name", "/variables/age", "/variables/tags"]);
    let raw = r#"{"variables":{"name":"{{ age }}","age":1.50,"tags":[1, {"a": 2}],"more":1,"other":2}}"#;
    let call = Call::post("/api/resolve/greeter", &json!({})).bytes("application/json", raw);
    let resolved = world.admin(call).await.expect(200);
    assert_eq!(resolved["resolved_text"], "{{ age }} 1.50 [1,{\"a\":2}]  kind");
    assert_eq!(resolved["ignored_variables"], json!(["more", "other"]));
}

#[tokio::test]
async fn an_answer_says_how_old_it_is_and_where_it_comes_from() {
    let world = api::start().await;
    live(&world, "greeter", &json!({ "template_text": "one" })).await;
    world.clock.advance(Duration::from_millis(500));
    let answer = world.admin(Call::get("/api/resolve/greeter?user_id=ada")).await;
    let resolved = answer.expect(200);
    for (name, value) in [
        ("cache-control", "private, max-age=1, stale-if-error=86400"),
        ("vary", "Authorization, X-API-Key"),
        ("cuecard-revision", "1"),
        ("cuecard-age-ms", "500"),
        ("cuecard-source", "memory"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!((&resolved["experiment_id"], &resolved["variant"]), (&Value::Null, &Value::Null));
    assert_eq!(resolved["messages"], json!([{ "role": "user", "content": "one" }]));
    world.clock.advance(Duration::from_millis(300));
    let answer = world.admin(Call::get("/api/resolve/greeter")).await;
    assert_eq!((answer.header("cuecard-source"), answer.header("cuecard-age-ms")), ("table", "0"));
}

#[tokio::test]
async fn the_token_is_new_each_time_and_no_part_of_the_tag() {
    let world = api::start().await;
    live(&world, "greeter", &json!({ "template_text": "one" })).await;
    let path = "/api/resolve/greeter?user_id=ada";
    let [first, second] = [world.admin(Call::get(path)).await, world.admin(Call::get(path)).await];
    assert_eq!(first.header("etag"), second.header("etag"));
    let [one, two] = [&first, &second].map(|answer| text(&answer.json()["resolution_token"]).to_owned());
    assert_ne!(one, two);
    let unchanged = world.admin(Call::get(path).header("if-none-match", first.header("etag"))).await;
    assert_eq!(unchanged.status.as_u16(), 304);
    let token = unchanged.header("cuecard-resolution-token").to_owned();
    assert!(token != one && token != two && !token.is_empty());
    world.admin(Call::get(format!("{path}&continue={token}"))).await.expect(200);
    for wrong in ["nonsense", &token[1..], &format!("{token}A")] {
        let problem =
            world.admin(Call::get(format!("{path}&continue={wrong}"))).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/continue"], "{wrong}");
    }
}

#[tokio::test]
async fn sticky_is_what_has_a_user_or_a_conversation() {
    let world = api::start().await;
    live(&world, "greeter", &json!({ "template_text": "one" })).await;
    for (query, sticky) in [
        ("", false),
        ("?user_id=ada", true),
        ("?conversation_id=c", true),
        ("?session_id=c", true),
        ("?request_id=r", false),
        ("?user_id=%20&request_id=r", false),
    ] {
        let resolved = world.admin(Call::get(format!("/api/resolve/greeter{query}"))).await.expect(200);
        assert_eq!(resolved["sticky"], sticky, "{query}");
    }
}

#[tokio::test]
async fn fields_leaves_the_other_rendering_out() {
    let world = api::start().await;
    live(&world, "text", &json!({ "template_text": "one" })).await;
    let messages = json!([{ "role": "system", "content": "be kind" }, { "role": "user", "content": "hi" }]);
    live(&world, "messages", &json!({ "messages": messages })).await;
    let resolve = async |path: &str| world.admin(Call::get(format!("/api/resolve/{path}"))).await.expect(200);
    let only_text = resolve("text?fields=text").await;
    assert_eq!((&only_text["resolved_text"], only_text.get("messages")), (&json!("one"), None));
    let only_messages = resolve("text?fields=messages").await;
    assert!(only_messages["messages"].is_array() && only_messages.get("resolved_text").is_none());
    let whole = resolve("messages").await;
    assert_eq!((&whole["resolved_text"], &whole["messages"]), (&Value::Null, &messages));
}

#[tokio::test]
async fn a_batch_answers_each_request_as_it_alone_would_be() {
    let world = api::start().await;
    live(&world, "greeter", &json!({ "template_text": "Hi {{ name }}" })).await;
    let requests = json!([
        { "prompt": "greeter", "variables": { "name": "Ada" } },
        { "prompt": "greeter" },
        { "prompt": "absent" },
        { "prompt": "greeter", "env": "staging" },
        {},
        { "prompt": "greeter", "env": 5 },
    ]);
    let batch = Call::post("/api/resolve:batch", &json!({ "requests": requests }));
    let answer = world.admin(batch).await.expect(200);
    let entries = answer["responses"].as_array().unwrap();
    let statuses: Vec<_> = entries.iter().map(|entry| entry["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 422, 404, 404, 422, 422]);
    assert_eq!(entries[0]["body"]["resolved_text"], "Hi Ada");
    assert!(text(&entries[2]["body"]["type"]).ends_with("/no-such-prompt"));
    for (count, status) in [(50, 200), (51, 422)] {
        let requests = vec![json!({ "prompt": "absent" }); count];
        let batch = Call::post("/api/resolve:batch", &json!({ "requests": requests }));
        assert_eq!(world.admin(batch).await.status.as_u16(), status);
    }
}
