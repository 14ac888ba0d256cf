//! Blind rating: two outputs of an experiment's arms, and nobody sees whose is whose.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{Error, ExperimentId, Prompt};
use registry::judging::{Choice, Pair};
use serde::Serialize;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    pages::Page,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    experiment_id: ExperimentId,
    pair: Option<Shown>,
    form: FormState,
}

#[derive(Serialize)]
struct Shown {
    case_id: String,
    question: Option<String>,
    outputs: [String; 2],
    judged: usize,
    left: usize,
}

impl Shown {
    fn new(Pair { case_id, question, outputs, judged, left }: Pair) -> Self {
        Self { case_id, question, outputs, judged, left }
    }
}

async fn page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let registry = app.registry();
    let experiment_id: ExperimentId = visit.path("experiment")?;
    let experiment = registry.experiment(&visit.caller, experiment_id).await?;
    let prompt = registry.prompt(&visit.caller, &experiment.prompt_id.to_string()).await?;
    let pair = registry.blind_pair(&visit.caller, experiment_id).await?.map(Shown::new);
    let context = Context { prompt, experiment_id, pair, form };
    app.show_as(
        status,
        visit,
        &Page { title: "Blind rating", part: "prompts", template: "rating.html" },
        &context,
    )
    .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, FormState::fresh()).await
}

pub(crate) async fn rate(State(app): State<App>, sent: Sent) -> Answer {
    let id: ExperimentId = sent.visit.path("experiment")?;
    let rated = async {
        let choice = match sent.fields.text("choice") {
            "left" => Choice::Left,
            "right" => Choice::Right,
            "equal" => Choice::Equal,
            _ => return Err(Error::invalid("/choice", "Choose left, right, or as good.")),
        };
        app.registry().judge(&sent.act, id, sent.fields.text("case_id"), choice).await
    };
    match rated.await {
        Ok(()) => Ok(Redirect::to(&format!("/console/experiments/{id}/rate")).into_response()),
        Err(error) => page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}
