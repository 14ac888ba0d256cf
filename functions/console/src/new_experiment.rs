//! Starting an experiment: which versions, and what is measured.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    EvalStatus, Prompt, PromptId, Result, VersionId, VersionPointer,
    experiment::{NewSettings, Strategy, decision::Mode},
    measure::Measure,
    name::production,
};
use release::{NewExperiment, NewVariant};
use serde::{Serialize, de::DeserializeOwned};
use store::PageRequest;
use web::Fields;

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
    /// What is live, which is the control.
    control: Option<VersionPointer>,
    /// What may be tried beside it, and whether it has passed.
    candidates: Vec<(VersionPointer, bool)>,
    chosen: Vec<String>,
    form: FormState,
}

async fn page(app: &App, visit: &Visit, status: StatusCode, form: FormState, chosen: Vec<String>) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let prompt = registry.prompt(&visit.caller, &address).await?;
    let (production, fifty) = (production(), PageRequest::first(50));
    let (live, versions) = tokio::try_join!(
        registry.store.reference(prompt.prompt_id, &production),
        registry.versions(&visit.caller, &address, &fifty),
    )?;
    let control = live.and_then(|reference| reference.version);
    let others = versions.data.iter().filter(|details| Some(details.version.pointer()) != control);
    let candidates =
        others.map(|details| (details.version.pointer(), details.state.eval_status == EvalStatus::Passed));
    let context = Context { candidates: candidates.collect(), prompt, control, chosen, form };
    app.show_as(
        status,
        visit,
        &Page { title: "New experiment", part: "prompts", template: "new_experiment.html" },
        &context,
    )
    .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let chosen = visit.query.all("version").map(str::to_owned).collect();
    page(&app, &visit, StatusCode::OK, FormState::of(&visit.query), chosen).await
}

pub(crate) async fn start(State(app): State<App>, sent: Sent) -> Answer {
    let address = sent.visit.path::<PromptId>("prompt")?.to_string();
    let started = async {
        let new = wanted(&sent.fields)?;
        app.release.start_experiment(&sent.act, &address, &new).await
    };
    match started.await {
        Ok(made) => {
            Ok(Redirect::to(&format!("/console/experiments/{}", made.value.experiment_id)).into_response())
        }
        Err(error) => {
            let (status, form) = FormState::refused(&sent.fields, error)?;
            let chosen = sent.fields.all("version").map(str::to_owned).collect();
            page(&app, &sent.visit, status, form, chosen).await
        }
    }
}

fn wanted(fields: &Fields) -> Result<NewExperiment> {
    let control: VersionId = fields.value("control")?;
    let others = fields
        .all("version")
        .map(|id| id.parse::<VersionId>().map_err(|error| domain::Error::invalid("/version", error)));
    let others: Vec<VersionId> = others.collect::<Result<_>>()?;
    let variants = std::iter::once(control).chain(others);
    let variant = |version_id| NewVariant { version_id, key: None, traffic_weight: None };
    Ok(NewExperiment {
        environment: production(),
        variants: variants.map(variant).collect(),
        settings: NewSettings {
            allocation_strategy: word::<Strategy>(fields, "allocation_strategy")?,
            primary_metric: word::<Measure>(fields, "primary_metric")?,
            decision: word::<Mode>(fields, "decision")?,
            min_samples: fields.optional("min_samples")?,
            max_duration_days: fields.optional("max_duration_days")?,
            traffic_allocation: fields.optional::<f64>("traffic_percent")?.map(|percent| percent / 100.0),
            ..NewSettings::default()
        },
    })
}

/// One of the words that the API has for a thing.
fn word<T: DeserializeOwned>(fields: &Fields, name: &str) -> Result<Option<T>> {
    let read = |text: &str| {
        let wrong = |error: serde_json::Error| domain::Error::invalid(format!("/{name}"), error.to_string());
        serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(wrong)
    };
    fields.given(name).map(read).transpose()
}
