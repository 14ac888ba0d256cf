//! The platform of these tests: whatever a test is about, each of its answers must keep the rules that all answers
//! share, and be as the document says.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::HeaderMap,
    middleware::{self, Next},
    response::Response,
};
use e2e::{World, WorldSettings};
use regex::Regex;
use serde_json::Value;

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
    let has = |name: &str, pattern: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(Regex::new(pattern).unwrap().is_match(value), "{name}: `{value}`");
    };
    has("x-request-id", "^req_[0-9A-Z]{26}$");
    has("server-timing", r"^total;dur=\d+\.\d+$");
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
    match body {
        Value::Array(items) => items.iter().for_each(times),
        Value::Object(members) => {
            for (name, value) in members {
                if name.ends_with("_at") || matches!(name.as_str(), "at" | "until") {
                    let pattern = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
                    let is_time = value.as_str().is_some_and(|text| pattern.is_match(text));
                    assert!(value.is_null() || is_time, "{name}: {value}");
                }
                times(value);
            }
        }
        _ => {}
    }
}
