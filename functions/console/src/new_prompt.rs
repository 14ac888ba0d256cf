//! A new prompt.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{Prompt, Result, TestSetId};
use registry::prompt::NewPrompt;
use serde::Serialize;
use web::Fields;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    settings::tags_of,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    form: FormState,
    /// The caller's only team, where it sees no other.
    team: Option<String>,
    teams: Vec<String>,
}

async fn page(app: &App, visit: &Visit, status: StatusCode, form: FormState) -> Answer {
    let teams = app.registry().teams(&visit.caller).await?;
    let team = visit.caller.scope.team().filter(|_| !visit.caller.sees_all());
    let context = Context {
        form,
        team: team.map(ToString::to_string),
        teams: teams.into_iter().map(|(team, _)| team.to_string()).collect(),
    };
    app.show_as(
        status,
        visit,
        &Page { title: "New prompt", part: "prompts", template: "new_prompt.html" },
        &context,
    )
    .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, StatusCode::OK, FormState::of(&visit.query)).await
}

pub(crate) async fn create(State(app): State<App>, sent: Sent) -> Answer {
    match make(&app, &sent).await {
        // The first thing that a prompt needs is a version.
        Ok(prompt) => {
            Ok(Redirect::to(&format!("/console/prompts/{}/edit", prompt.prompt_id)).into_response())
        }
        Err(error) => {
            let (status, form) = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, status, form).await
        }
    }
}

async fn make(app: &App, sent: &Sent) -> Result<Prompt> {
    let new = wanted(&sent.fields)?;
    Ok(app.registry().create_prompt(&sent.act, new).await?.value.prompt)
}

fn wanted(fields: &Fields) -> Result<NewPrompt> {
    Ok(NewPrompt {
        name: fields.value("name")?,
        team_id: fields.value("team_id")?,
        description: fields.given("description").map(str::to_owned),
        tags: tags_of(fields),
        test_set_id: fields.optional::<TestSetId>("test_set_id")?,
        gate: None,
    })
}
