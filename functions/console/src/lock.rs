//! Locks: a freeze on promotions in an environment.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{Environment, Error, Prompt, PromptId, Result, Timestamp, name::production};
use release::NewLock;
use serde::Serialize;
use web::Fields;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    prompt,
    visit::{Sent, Visit},
};

/// The longest lock with an end, in hours: a year.
const LONGEST: u64 = 24 * 366;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    environment: String,
    form: FormState,
}

async fn page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    environment: String,
) -> Answer {
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let prompt = app.registry().prompt(&visit.caller, &address).await?;
    let context = Context { prompt, environment, form };
    app.show_as(status, visit, &Page { title: "Lock", part: "prompts", template: "lock.html" }, &context)
        .await
}

pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Answer {
    let environment: Environment = visit.query.optional("env")?.unwrap_or_else(production);
    page(&app, &visit, (StatusCode::OK, FormState::default()), environment.to_string()).await
}

pub(crate) async fn lock(State(app): State<App>, sent: Sent) -> Answer {
    let prompt: PromptId = sent.visit.path("prompt")?;
    let locked = async {
        let lock = wanted(&sent.fields, app.registry().sources.now())?;
        let environment = sent.fields.value("environment")?;
        app.release.set_lock(&sent.act, &prompt.to_string(), &environment, Some(&lock)).await
    };
    match locked.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/prompts/{prompt}")).into_response()),
        Err(error) => {
            let refused = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, refused, sent.fields.text("environment").to_owned()).await
        }
    }
}

fn wanted(fields: &Fields, now: Timestamp) -> Result<NewLock> {
    let hours: Option<u64> = fields.optional("hours")?;
    if hours.is_some_and(|hours| !(1..=LONGEST).contains(&hours)) {
        return Err(Error::invalid("/hours", "A lock with an end lasts 1 hour to 366 days."));
    }
    let until = hours.map(|hours| now.plus(Duration::from_hours(hours)));
    Ok(NewLock { until, reason: fields.text("reason").trim().to_owned() })
}

pub(crate) async fn unlock(State(app): State<App>, sent: Sent) -> Answer {
    let id: PromptId = sent.visit.path("prompt")?;
    let unlocked = async {
        let environment = sent.fields.value("environment")?;
        app.release.set_lock(&sent.act, &id.to_string(), &environment, None).await
    };
    match unlocked.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/prompts/{id}")).into_response()),
        Err(error) => {
            Box::pin(prompt::page(&app, &sent.visit, FormState::refused(&sent.fields, error)?)).await
        }
    }
}
