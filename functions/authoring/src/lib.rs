//! `authoring`: everything but the hot path. A file per resource; its views stand beside its handlers.

mod approvals;
mod audit;
mod document;
mod environments;
mod evals;
mod experiments;
mod explain;
mod gate;
mod health;
mod keys;
mod matrix;
mod metrics;
mod models;
mod moves;
mod of_scope;
mod prompts;
mod rollouts;
mod teams;
mod test_sets;
mod uploads;
mod versions;
mod webhooks;

use axum::{Router, extract::FromRef};
use registry::Registry;
use release::Release;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use web::Doors;

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    /// Who is calling.
    pub doors: Doors,
    /// The use cases.
    pub release: Release,
}

impl FromRef<App> for Doors {
    fn from_ref(app: &App) -> Self {
        app.doors.clone()
    }
}

impl App {
    fn registry(&self) -> &Registry {
        &self.release.registry
    }
}

fn build() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(prompts::create, prompts::list))
        .routes(routes!(prompts::by_name))
        .routes(routes!(prompts::read, prompts::update, prompts::archive))
        .routes(routes!(prompts::restore))
        .routes(routes!(versions::create, versions::list))
        .routes(routes!(versions::read))
        .routes(routes!(versions::content))
        .routes(routes!(versions::render))
        .routes(routes!(approvals::approve))
        .routes(routes!(versions::diff))
        .routes(routes!(moves::promote))
        .routes(routes!(moves::rollback))
        .routes(routes!(moves::history))
        .routes(routes!(moves::changes))
        .routes(routes!(environments::read))
        .routes(routes!(environments::lock, environments::unlock))
        .routes(routes!(environments::set_overrides))
        .routes(routes!(test_sets::create, test_sets::list))
        .routes(routes!(test_sets::read, test_sets::delete))
        .routes(routes!(test_sets::put_cases, test_sets::versions))
        .routes(routes!(uploads::open_upload))
        .routes(routes!(test_sets::cases, test_sets::add_case))
        .routes(routes!(evals::create))
        .routes(routes!(evals::list))
        .routes(routes!(evals::of_prompt))
        .routes(routes!(evals::read))
        .routes(routes!(evals::cases))
        .routes(routes!(evals::cases_csv))
        .routes(routes!(evals::summary))
        .routes(routes!(evals::cancel))
        .routes(routes!(evals::review))
        .routes(routes!(experiments::create, experiments::list))
        .routes(routes!(experiments::read))
        .routes(routes!(experiments::weights))
        .routes(routes!(experiments::stop))
        .routes(routes!(explain::explain))
        .routes(routes!(rollouts::create, rollouts::list))
        .routes(routes!(rollouts::read))
        .routes(routes!(rollouts::advance))
        .routes(routes!(rollouts::pause))
        .routes(routes!(rollouts::resume))
        .routes(routes!(rollouts::abort))
        .routes(routes!(matrix::matrix))
        .routes(routes!(metrics::of_prompt))
        .routes(routes!(metrics::of_team))
        .routes(routes!(metrics::summary))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::revoke))
        .routes(routes!(webhooks::create, webhooks::list))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::delete))
        .routes(routes!(models::list))
        .routes(routes!(models::set))
        .routes(routes!(teams::list))
        .routes(routes!(teams::set))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(document::read))
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
