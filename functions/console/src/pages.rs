//! Templates, and pages made of them.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Caller, Error, Result, Sources};
use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use crate::{assets, people, shown, visit::Visit};

macro_rules! templates {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../templates/", $name)))),*] };
}

/// Every template, by name.
const TEMPLATES: [(&str, &str); 48] = templates! {
    "actions.html" "again.html" "audit.html" "canary.html" "change.html" "confirm.html" "content.html"
    "dashboard.html" "diff.html" "diff_cell.html" "docs.html" "docs_fields.html" "docs_group.html" "docs_kind.html"
    "editor.html" "environments.html" "error.html"
    "experiment.html" "field.html" "figures.html" "hidden.html" "keys.html" "layout.html" "lock.html"
    "models.html" "moved.html" "moves.html" "new_canary.html" "new_experiment.html" "new_prompt.html"
    "overview.html" "preview.html" "problem.html" "progress.html" "promote.html" "prompt.html"
    "prompt_table.html" "prompts.html" "rating.html" "review.html" "rollback.html" "run.html"
    "settings.html" "sign_in.html" "test_set.html" "test_sets.html" "verdict.html" "version.html"
};

/// A page of somebody who is signed in.
pub(crate) struct Page<'a> {
    /// What it is called.
    pub(crate) title: &'a str,
    /// The part of the console that it belongs to, as the navigation knows it.
    pub(crate) part: &'static str,
    /// Its template.
    pub(crate) template: &'static str,
}

/// A page of anybody.
pub(crate) struct Plain {
    pub(crate) title: &'static str,
    pub(crate) template: &'static str,
}

/// The templates, parsed.
#[derive(Clone)]
pub(crate) struct Pages(Arc<Environment<'static>>);

/// Who looks, as every template sees it.
#[derive(Serialize)]
struct Viewer<'a> {
    name: &'a str,
    role: &'static str,
    team: &'a str,
    releaser: bool,
    admin: bool,
    csrf: &'a str,
    /// A name for the next form, so that it is done once.
    once: String,
    now: String,
}

impl Viewer<'_> {
    fn of<'v>(visit: &'v Visit, sources: &Sources) -> Viewer<'v> {
        let Caller { actor, scope, .. } = &visit.caller;
        Viewer {
            name: &actor.name,
            role: actor.role.name(),
            team: scope.as_str(),
            releaser: actor.role >= domain::KeyRole::Releaser,
            admin: actor.role >= domain::KeyRole::Admin,
            csrf: &visit.csrf,
            once: hex::encode(sources.bytes::<12>()),
            now: sources.now().to_string(),
        }
    }
}

impl Pages {
    /// Parses all templates.
    pub(crate) fn new() -> Result<Self> {
        let mut pages = Environment::new();
        pages.set_undefined_behavior(UndefinedBehavior::Strict);
        shown::install(&mut pages);
        for (name, text) in TEMPLATES {
            pages.add_template(name, text).map_err(unreadable)?;
        }
        Ok(Self(Arc::new(pages)))
    }

    /// A part of a page, for the script to put in place.
    pub(crate) fn part(
        &self,
        visit: &Visit,
        sources: &Sources,
        template: &str,
        context: &impl Serialize,
    ) -> Result<Response> {
        let viewer = Value::from(Serde(Viewer::of(visit, sources)));
        Ok(html(StatusCode::OK, self.fill(template, context, viewer)?))
    }

    /// A page of somebody who is signed in.
    pub(crate) fn page(
        &self,
        (visit, sources): (&Visit, &Sources),
        status: StatusCode,
        page: &Page<'_>,
        context: &impl Serialize,
    ) -> Result<Response> {
        let viewer = Value::from(Serde(Viewer::of(visit, sources)));
        let body = self.fill(page.template, context, viewer.clone())?;
        let whole = context! {
            title => page.title, part => page.part, viewer => viewer, version => assets::VERSION.as_str(),
            body => Value::from_safe_string(body),
        };
        Ok(html(status, self.render("layout.html", whole)?))
    }

    /// A page of anybody.
    pub(crate) fn plain(
        &self,
        status: StatusCode,
        page: &Plain,
        context: &impl Serialize,
    ) -> Result<Response> {
        let body = self.fill(page.template, context, Value::from(()))?;
        let whole = context! {
            title => page.title, part => "", viewer => (), version => assets::VERSION.as_str(),
            body => Value::from_safe_string(body),
        };
        Ok(html(status, self.render("layout.html", whole)?))
    }

    fn fill(&self, template: &str, context: &impl Serialize, viewer: Value) -> Result<String> {
        // By way of JSON: what is kept as it was written knows no other way out.
        let context = Value::from(Serde(json(context)?));
        self.render(template, context! { viewer => viewer, ..context })
    }

    fn render(&self, template: &str, context: Value) -> Result<String> {
        let template = self.0.get_template(template).map_err(unreadable)?;
        template.render(context).map_err(unreadable)
    }
}

fn json(context: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(context).map_err(Error::internal)
}

fn html(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn unreadable(error: minijinja::Error) -> Error {
    Error::internal(format!("{error:#}"))
}

impl crate::App {
    /// A page that was asked for.
    pub(crate) async fn show(
        &self,
        visit: &Visit,
        page: &Page<'_>,
        context: &impl Serialize,
    ) -> crate::failure::Answer {
        self.show_as(StatusCode::OK, visit, page, context).await
    }

    /// The same under a status: the page of a form that was refused.
    pub(crate) async fn show_as(
        &self,
        status: StatusCode,
        visit: &Visit,
        page: &Page<'_>,
        context: &impl Serialize,
    ) -> crate::failure::Answer {
        let mut context = json(context)?;
        people::by_name(self, &mut context).await?;
        Ok(self.pages.page((visit, &self.registry().sources), status, page, &context)?)
    }
}
