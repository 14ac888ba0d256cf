//! `ingest`: what applications report of their model calls.
//!
//! Each event is checked by itself, and its version is looked for once per request, in memory first. What counts is
//! summed and sent to the metrics queue. Only then it is accepted: `rollup` counts it, once, however often it comes.

mod about;
mod body;
mod find;
mod report;

use std::sync::Arc;

use axum::{Router, extract::FromRef};
use domain::{VersionId, allocation::TrialId};
use quick_cache::sync::Cache as Bounded;
use registry::Registry;
use runtime::Queue;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::Doors;

use crate::find::{Known, KnownTrial};

/// How many versions memory knows.
const VERSIONS: usize = 10_000;

/// How many trials it knows.
const TRIALS: usize = 1_000;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    doors: Doors,
    registry: Registry,
    queue: Queue,
    /// What was found of versions: none of it ever changes.
    versions: Arc<Bounded<VersionId, Arc<Known>>>,
    /// What was found of trials: nor does any of that, for a canary of another version is another canary.
    trials: Arc<Bounded<TrialId, Arc<KnownTrial>>>,
}

impl App {
    /// Knows no version yet. What is accepted goes to `queue`.
    pub fn new(doors: Doors, registry: Registry, queue: Queue) -> Self {
        let (versions, trials) = (Arc::new(Bounded::new(VERSIONS)), Arc::new(Bounded::new(TRIALS)));
        Self { doors, registry, queue, versions, trials }
    }
}

impl FromRef<App> for Doors {
    fn from_ref(app: &App) -> Self {
        app.doors.clone()
    }
}

fn build() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report::report))
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

/// The operations of this function.
pub fn openapi() -> OpenApi {
    build().into_openapi()
}
