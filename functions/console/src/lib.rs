//! The web console: pages over the same use cases as the API's handlers, without HTTP to ourselves.
//!
//! A page is: extract ([`visit::Visit`], or [`visit::Sent`] for a form), use cases, and a context of its own that its
//! template shows. Templates are HTML that works without scripts; `console.js` only adds to it. To add a page: a file
//! here with its context and handlers, a template of the same name, and a route below.
//!
//! Whatever people or models wrote is escaped, and what cannot be seen in it is made visible, by the one formatter in
//! `shown`. No text of theirs ever becomes the address of a link.

#![recursion_limit = "256"]

mod assets;
mod audit;
mod canary;
mod catalogue;
mod chart;
mod confirm;
mod dashboard;
mod diff;
mod editor;
mod experiment;
mod failure;
mod form;
mod guard;
mod kept;
mod keys;
mod live;
mod lock;
mod new_experiment;
mod new_prompt;
mod overview;
mod pages;
mod people;
mod promote;
mod prompt;
mod prompts;
mod rankings;
mod rating;
mod reference;
mod review;
mod rollback;
mod run;
mod settings;
mod shown;
mod sign_in;
mod test_sets;
mod version;
mod visit;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use registry::Registry;
use release::Release;
use web::Doors;

use crate::{pages::Pages, rankings::Rankings, reference::Reference};

/// What the handlers need.
#[derive(Clone)]
pub struct App {
    /// Who is calling.
    doors: Doors,
    /// The use cases.
    release: Release,
    pages: Pages,
    rankings: Rankings,
    reference: Reference,
}

impl App {
    /// The console over these use cases. An error: a template or the API's document does not parse.
    pub fn new(doors: Doors, release: Release) -> domain::Result<Self> {
        let (pages, reference) = (Pages::new()?, Reference::new()?);
        Ok(Self { doors, release, pages, rankings: Rankings::default(), reference })
    }

    fn registry(&self) -> &Registry {
        &self.release.registry
    }
}

/// The routes, to be mounted beside those of other functions.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/console/sign-out", post(sign_in::leave))
        .route("/console/assets/{name}", get(assets::read))
        .route("/docs", get(reference::overview))
        .route("/docs/{group}", get(reference::group))
        .merge(prompts())
        .merge(versions())
        .merge(evaluations())
        .merge(trials())
        .route("/console/dashboard", get(dashboard::show))
        .route("/console/audit", get(audit::show))
        .route("/console/audit/export", get(audit::export))
        .route("/console/keys", get(keys::show).post(keys::create))
        .route("/console/keys/{key}/rotate", post(keys::rotate))
        .route("/console/keys/{key}/revoke", post(keys::revoke))
        .route("/console/models", get(catalogue::show).post(catalogue::set))
        .layer(middleware::from_fn_with_state(app.clone(), guard::around))
        .with_state(app)
}

fn prompts() -> Router<App> {
    Router::new()
        .route("/console/prompts", get(prompts::show))
        .route("/console/prompts/new", get(new_prompt::show).post(new_prompt::create))
        .route("/console/prompts/{prompt}", get(prompt::show))
        .route("/console/prompts/{prompt}/settings", get(settings::show).post(settings::save))
        .route("/console/prompts/{prompt}/archive", post(settings::archive))
        .route("/console/prompts/{prompt}/restore", post(settings::restore))
        .route("/console/prompts/{prompt}/edit", get(editor::show))
        .route("/console/prompts/{prompt}/preview", post(editor::preview))
        .route("/console/prompts/{prompt}/versions", post(editor::save))
        .route("/console/prompts/{prompt}/diff", get(diff::show))
        .route("/console/prompts/{prompt}/rollback", get(rollback::ask).post(rollback::roll_back))
        .route("/console/prompts/{prompt}/lock", get(lock::ask).post(lock::lock))
        .route("/console/prompts/{prompt}/unlock", post(lock::unlock))
}

fn versions() -> Router<App> {
    Router::new()
        .route("/console/versions/{version}", get(version::show))
        .route("/console/versions/{version}/evals", post(version::evaluate))
        .route("/console/versions/{version}/approvals", post(version::approve))
        .route("/console/versions/{version}/promote", get(promote::ask).post(promote::promote))
        .route("/console/versions/{version}/canary", get(canary::ask).post(canary::start))
}

fn evaluations() -> Router<App> {
    Router::new()
        .route("/console/runs/{run}", get(run::show))
        .route("/console/runs/{run}/progress", get(run::progress))
        .route("/console/runs/{run}/cancel", post(run::cancel))
        .route("/console/runs/{run}/review", post(review::decide))
        .route("/console/review", get(review::show))
        .route("/console/test-sets", get(test_sets::list).post(test_sets::create))
        .route("/console/test-sets/{set}", get(test_sets::show))
        .route("/console/test-sets/{set}/cases", post(test_sets::put_cases))
        .route("/console/test-sets/{set}/case", post(test_sets::add_case))
        .route("/console/test-sets/{set}/delete", post(test_sets::delete))
}

fn trials() -> Router<App> {
    Router::new()
        .route("/console/prompts/{prompt}/experiments", get(new_experiment::show).post(new_experiment::start))
        .route("/console/experiments/{experiment}", get(experiment::show))
        .route("/console/experiments/{experiment}/stop", post(experiment::stop))
        .route("/console/experiments/{experiment}/rate", get(rating::show).post(rating::rate))
        .route("/console/canaries/{canary}", get(canary::show))
        .route("/console/canaries/{canary}/step", post(canary::step))
}

/// The whole function.
pub fn router(app: App) -> Router {
    let doors = app.doors.clone();
    web::finish(routes(app), &doors)
}
