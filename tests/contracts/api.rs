//! The platform of these tests: whatever a test is about, each of its answers must keep the rules that all answers
//! share, and be as the document says.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderMap, Method},
    middleware::{self, Next},
    response::Response,
};
use domain::{
    RequestId, Timestamp,
    model::{ModelEntry, Provider},
    money::Usd,
};
use e2e::{Answer, Call, World, WorldSettings, text};
use serde_json::{Value, json};
use testkit::provider::ScriptedProvider;

use crate::document;

/// A platform whose every answer is checked.
pub(crate) async fn start() -> World {
    with(WorldSettings::default()).await
}

/// The same with settings.
pub(crate) async fn with(settings: WorldSettings) -> World {
    let mut world = World::with(settings).await;
    world.process.router = checked(world.process.router);
    world
}

/// The same whose `test/model` is this provider's.
pub(crate) async fn with_model(provider: &ScriptedProvider) -> World {
    let model = ModelEntry {
        model_id: "test/model".to_owned(),
        provider: Provider::Openai,
        base_url: Some(provider.url()),
        api_model: None,
        input_usd_per_mtok: Usd::default(),
        output_usd_per_mtok: Usd::default(),
        max_concurrency: None,
        requests_per_minute: None,
        secret_name: None,
    };
    with(WorldSettings { builtin: vec![model], ..WorldSettings::default() }).await
}

/// The routes with a look at each answer.
pub(crate) fn checked(router: Router) -> Router {
    router.layer(middleware::from_fn(check))
}

async fn check(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let url = request.uri().to_string();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    traced(&parts.headers);
    if parts.headers.get("content-type").is_some_and(|value| value == "application/problem+json") {
        problem(parts.status.as_u16(), &parts.headers, &serde_json::from_slice(&bytes).unwrap());
    }
    match route {
        Some(route) => document::hold(&method, &route, parts.status, &parts.headers, &bytes),
        None => assert_eq!(parts.status, 404, "{method} {url}"),
    }
    times(&serde_json::from_slice(&bytes).unwrap_or_default());
    Response::from_parts(parts, Body::from(bytes))
}

/// Each answer says which request it answers, and how long that took.
fn traced(headers: &HeaderMap) {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = said("x-request-id").parse::<RequestId>();
    assert!(id.is_ok(), "{id:?}");
    let took = said("server-timing").strip_prefix("total;dur=").map(str::parse::<f64>);
    assert!(matches!(took, Some(Ok(_))), "{took:?}");
}

/// RFC 9457, with the request in `instance` and places in the input as JSON pointers.
fn problem(status: u16, headers: &HeaderMap, problem: &Value) {
    let said = |member: &str| problem[member].as_str().filter(|text| !text.is_empty());
    assert!(said("type").is_some_and(|uri| uri.starts_with("https://")), "{problem}");
    assert!(said("title").is_some() && said("detail").is_some(), "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    let request = headers["x-request-id"].to_str().unwrap();
    assert_eq!(said("instance"), Some(format!("urn:cuecard:request:{request}").as_str()));
    for error in problem["errors"].as_array().into_iter().flatten() {
        let pointer = error["pointer"].as_str().unwrap();
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{problem}");
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
}

/// Whatever is called `…_at` is null or a time: RFC 3339, UTC, milliseconds.
fn times(body: &Value) {
    let is_time = |text: &str| text.parse::<Timestamp>().is_ok_and(|time| time.to_string() == text);
    match body {
        Value::Array(items) => items.iter().for_each(times),
        Value::Object(members) => {
            for (name, value) in members {
                let is_named_so = name.ends_with("_at") || matches!(name.as_str(), "at" | "until");
                match value {
                    Value::Null => {}
                    Value::Object(_) | Value::Array(_) => times(value),
                    value if is_named_so => {
                        assert!(value.as_str().is_some_and(is_time), "{name}: {value}");
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// What is asked of a new webhook.
pub(crate) fn webhook(team: &str) -> Value {
    json!({ "team_id": team, "url": "https://hooks.example.com/cuecard", "events": ["promotion", "rollback"] })
}

/// A new test set without cases.
pub(crate) async fn test_set(world: &World, team: &str) -> String {
    let body = json!({ "name": "cases", "team_id": team });
    let set = world.admin(Call::post("/api/test-sets", &body)).await.expect(201);
    text(&set["test_set_id"]).to_owned()
}

/// A new version of a test set.
pub(crate) async fn put_cases(world: &World, test_set: &str, cases: &str) {
    let put = Call::new(Method::PUT, format!("/api/test-sets/{test_set}/versions"));
    world.admin(put.bytes("application/jsonl", cases)).await.expect(201);
}

/// A case that wants «yes».
pub(crate) const CASE: &str = r#"{"vars":{},"expected":"yes"}"#;

/// A path under a prompt.
pub(crate) fn at(prompt: &Value, rest: &str) -> String {
    format!("/api/prompts/{}{rest}", text(&prompt["prompt_id"]))
}

/// A path under a version.
pub(crate) fn under(version: &Value, rest: &str) -> String {
    format!("/api/versions/{}{rest}", text(&version["version_id"]))
}

/// A problem without what differs from request to request.
pub(crate) fn without_instance(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem["instance"] = Value::Null;
    problem
}

/// The places that a problem names.
pub(crate) fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().into_iter().flatten().map(|error| text(&error["pointer"])).collect()
}
