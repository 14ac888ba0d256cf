//! The queue of what was too close to call, and decisions about it.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect},
};
use domain::{Error, EvalRun, EvalRunId};
use registry::evaluation::Decision;
use serde::Serialize;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    run,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    reviews: Vec<Waiting>,
}

#[derive(Serialize)]
struct Waiting {
    prompt: String,
    team: String,
    run: EvalRun,
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let runs = app.registry().newest_to_review(&visit.caller).await?;
    let waiting = runs.into_iter().map(|(prompt, run)| Waiting {
        prompt: prompt.name.to_string(),
        team: prompt.team_id.to_string(),
        run,
    });
    let context = Context { reviews: waiting.collect() };
    app.show(&visit, &Page { title: "Review", part: "review", template: "review.html" }, &context).await
}

pub(crate) async fn decide(State(app): State<App>, sent: Sent) -> Answer {
    let run: EvalRunId = sent.visit.path("run")?;
    let decided = async {
        let approve = match sent.fields.text("decision") {
            "approve" => true,
            "reject" => false,
            _ => return Err(Error::invalid("/decision", "Approve it or reject it.")),
        };
        let decision = Decision { approve, reason: sent.fields.text("reason").to_owned() };
        app.registry().review_run(&sent.act, run, &decision).await
    };
    match decided.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/runs/{run}")).into_response()),
        Err(error) => {
            let refused = FormState::refused(&sent.fields, error)?;
            run::page(&app, &sent.visit, Some(refused)).await
        }
    }
}
