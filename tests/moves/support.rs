//! What these tests share: short names for calls, and whole lists.

use axum::Router;
use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The path of a prompt.
pub fn itself(prompt: &Value) -> String {
    format!("/api/prompts/{}", text(&prompt["prompt_id"]))
}

/// A path below a prompt's own.
pub fn under(prompt: &Value, rest: &str) -> String {
    format!("{}/{rest}", itself(prompt))
}

/// An object with the members of both.
pub fn with(base: &Value, more: &Value) -> Value {
    let members = [base, more].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A promotion, with what else its body says.
pub fn promotion(prompt: &Value, version: &Value, environment: &str, more: &Value) -> Call {
    let body = json!({ "version_id": version["version_id"], "environment": environment });
    Call::post(under(prompt, "promote"), &with(&body, more))
}

/// A rollback, with what else its body says.
pub fn rollback(prompt: &Value, environment: &str, more: &Value) -> Call {
    Call::post(under(prompt, "rollback"), &with(&json!({ "environment": environment }), more))
}

/// A resolve of a prompt of the key's team, in production.
pub fn resolve(name: &str, key: &str) -> Call {
    Call::get(format!("/api/resolve/{name}")).key(key)
}

/// So many versions of a prompt, whose texts are `text 1` and on.
pub async fn versions(world: &World, prompt: &Value, count: usize) -> Vec<Value> {
    let mut versions = Vec::new();
    for number in 1..=count {
        let content = json!({ "template_text": format!("text {number}") });
        versions.push(world.version(prompt, &content).await);
    }
    versions
}

/// A prompt of the team `support` with so many versions, of which each was live in an environment, in their order.
pub async fn lived(world: &World, name: &str, environment: &str, count: usize) -> (Value, Vec<Value>) {
    let prompt = world.prompt("support", name, &json!({})).await;
    let versions = versions(world, &prompt, count).await;
    for version in &versions {
        world.promote(&prompt, version, environment).await.expect(200);
    }
    (prompt, versions)
}

/// What an environment of a prompt holds.
pub async fn environment(world: &World, prompt: &Value, name: &str) -> Value {
    world.admin(Call::get(under(prompt, &format!("environments/{name}")))).await.expect(200)
}

/// A whole list, page by page, as somebody sees it.
pub async fn list(router: &Router, path: &str, key: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = Call::get(format!("{path}{cursor}")).key(key).send(router).await.expect(200);
        found.extend(page["data"].as_array().expect("a list has data").clone());
        let Some(next) = page["next_cursor"].as_str() else { return found };
        let joint = if path.contains('?') { '&' } else { '?' };
        cursor = format!("{joint}cursor={next}");
    }
}

/// All moves of a prompt, newest first.
pub async fn history(world: &World, prompt: &Value) -> Vec<Value> {
    list(&world.process.router, &under(prompt, "history"), e2e::ADMIN).await
}

/// One member of each.
pub fn each<'a>(entries: &'a [Value], pointer: &str) -> Vec<&'a Value> {
    entries.iter().map(|entry| entry.pointer(pointer).unwrap_or(&Value::Null)).collect()
}

/// Sends a call while the test goes on.
pub fn meanwhile(router: &Router, call: Call) -> JoinHandle<Answer> {
    let router = router.clone();
    tokio::spawn(async move { call.send(&router).await })
}
