//! `resolve`, the hot path: prompt, environment and variables in, rendered messages and parameters out.
//!
//! Warm it reads memory alone: key, name, ref with its version, compiled. It writes about once an hour that a key is
//! in use, and waits for that a fifth of a second at most. Every minute a request writes how many were served
//! before it, beside its own work, and waits for that a twentieth of a second at most.

mod answer;
mod ask;
mod batch;
mod counts;
mod metrics;
mod ofrep;
mod one;
mod serve;
mod snapshot;
mod unwritten;

use std::sync::Arc;

use axum::{Router, extract::FromRef, middleware::from_fn_with_state};
use cache::Cache;
use domain::Sources;
use runtime::metrics::Meter;
use store::Store;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::Doors;

use crate::counts::Counts;

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    doors: Doors,
    store: Store,
    cache: Arc<Cache>,
    sources: Sources,
    counts: Arc<Counts>,
}

impl App {
    /// Has counted nothing yet. What it counts goes to the `store`.
    pub fn new(doors: Doors, store: Store, cache: Arc<Cache>, sources: Sources) -> Self {
        let counts = Arc::new(Counts::new(store.clone(), sources.clone()));
        Self { doors, store, cache, sources, counts }
    }
}

impl FromRef<App> for Doors {
    fn from_ref(app: &App) -> Self {
        app.doors.clone()
    }
}

fn build() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(one::by_path, one::by_path_with_body))
        .routes(routes!(one::by_query, one::by_body))
        .routes(routes!(batch::batch))
        .routes(routes!(snapshot::snapshot))
        .routes(routes!(ofrep::one::evaluate))
        .routes(routes!(ofrep::all::evaluate_all))
}

/// The routes, to be mounted beside those of other functions.
pub fn routes(app: App) -> Router {
    build().with_state(app).into()
}

/// The whole function.
pub fn router(app: App) -> Router {
    let doors = app.doors.clone();
    web::finish(routes(app), &doors)
}

/// The same, counted.
pub fn metered(router: Router, meter: Meter) -> Router {
    router.layer(from_fn_with_state(Arc::new(meter), metrics::count))
}

/// The operations of this function.
pub fn openapi() -> OpenApi {
    build().into_openapi()
}
