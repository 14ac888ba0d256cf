//! Whether the process lives, and whether what it depends on answers.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// The process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// `ok`.
    status: &'static str,
    version: &'static str,
}

/// How each dependency does.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadyView {
    /// `ok`, or `unavailable` when any dependency is.
    status: &'static str,
    dependencies: BTreeMap<&'static str, DependencyView>,
}

/// How a dependency does.
#[derive(Debug, Serialize, ToSchema)]
pub struct DependencyView {
    /// `ok` or `unavailable`.
    status: &'static str,
    latency_ms: f64,
}

/// Says that the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = HealthView, description = "The process lives")))]
pub async fn healthz() -> Json<HealthView> {
    Json(HealthView { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Asks each dependency.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = ReadyView, description = "All answer"),
        (status = 503, body = ReadyView, description = "One does not")))]
pub async fn readyz(State(app): State<App>) -> Response {
    let registry = app.registry();
    let mut dependencies = BTreeMap::new();
    for dependency in store::Dependency::ALL {
        let started = registry.sources.clock.monotonic();
        let asked = registry.store.ping(dependency).await;
        let took = registry.sources.clock.monotonic().saturating_sub(started);
        if let Err(error) = &asked {
            tracing::warn!(dependency = dependency.name(), error = %error.chain(), "a dependency does not answer");
        }
        let status = if asked.is_ok() { "ok" } else { "unavailable" };
        dependencies
            .insert(dependency.name(), DependencyView { status, latency_ms: took.as_secs_f64() * 1000.0 });
    }
    let all = dependencies.values().all(|dependency| dependency.status == "ok");
    let (code, status) =
        if all { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    (code, Json(ReadyView { status, dependencies })).into_response()
}
