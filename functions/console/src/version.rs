//! One version: its content, its verdict, where it is live, and what may be done with it.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{EvalRun, Prompt, VersionId, VersionPointer, gate::GatePolicy};
use registry::{
    evaluation::{NewApproval, NewRun},
    prompt::is_ungated,
};
use serde::Serialize;
use store::PageRequest;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    live::Live,
    pages::Page,
    prompt::Row,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    gate: GatePolicy,
    ungated: bool,
    row: Row,
    environments: Vec<Live>,
    /// What is live in production, for the link to the difference.
    production: Option<VersionPointer>,
    runs: Vec<EvalRun>,
    models: Vec<String>,
    /// What the form came to that led here: `saved` or `unchanged`.
    came: &'static str,
    /// Whether the viewer wrote it, and so decides nothing about it.
    own: bool,
    /// The form of an approval.
    form: FormState,
    /// That of another evaluation.
    evaluation: FormState,
}

/// The forms of the page, of which one may have been refused.
#[derive(Default)]
struct Forms {
    approval: FormState,
    evaluation: FormState,
}

async fn page(app: &App, visit: &Visit, status: StatusCode, forms: Forms) -> Answer {
    let registry = app.registry();
    let id: VersionId = visit.path("version")?;
    let (prompt, details) = registry.version_in_prompt(&visit.caller, id).await?;
    let address = prompt.prompt_id.to_string();
    let request = PageRequest::first(50);
    let (prompt, runs, models) = tokio::try_join!(
        registry.prompt_details(prompt),
        registry.runs_of(&visit.caller, &address, &request),
        registry.list_models(),
    )?;
    let environments = Live::all(&prompt, registry.sources.now());
    let runs = runs.data.into_iter().map(|details| details.run).filter(|run| run.version.id == id);
    let title = format!("{} · version {}", prompt.prompt.name, details.version.number);
    let context = Context {
        ungated: is_ungated(&prompt.gate),
        gate: prompt.gate,
        own: details.version.created_by == visit.caller.actor.id,
        row: Row::new(details, &environments),
        production: environments
            .iter()
            .find(|live| live.environment == domain::PRODUCTION)
            .and_then(|live| live.version),
        environments,
        runs: runs.collect(),
        models: models.into_iter().map(|model| model.entry.model_id).collect(),
        came: ["saved", "unchanged"].into_iter().find(|word| visit.query.given(word).is_some()).unwrap_or(""),
        prompt: prompt.prompt,
        form: forms.approval,
        evaluation: forms.evaluation,
    };
    let page = Page { title: &title, part: "prompts", template: "version.html" };
    app.show_as(status, visit, &page, &context).await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, StatusCode::OK, Forms::default()).await
}

/// Asks for a run, and shows it.
pub(crate) async fn evaluate(State(app): State<App>, sent: Sent) -> Answer {
    let version: VersionId = sent.visit.path("version")?;
    let queued = async {
        let new = NewRun {
            model_id: sent.fields.given("model_id").map(str::to_owned),
            repeats: sent.fields.optional("repeats")?,
            ..NewRun::default()
        };
        app.registry().queue_run(&sent.act, version, &new).await
    };
    match queued.await {
        Ok(made) => {
            Ok(Redirect::to(&format!("/console/runs/{}", made.value.run.eval_run_id)).into_response())
        }
        Err(error) => {
            let (status, evaluation) = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, status, Forms { evaluation, ..Forms::default() }).await
        }
    }
}

/// Gives the viewer's word for the version.
pub(crate) async fn approve(State(app): State<App>, sent: Sent) -> Answer {
    let version: VersionId = sent.visit.path("version")?;
    let approved = async {
        let new = NewApproval {
            environment: sent.fields.value("environment")?,
            reason: sent.fields.text("reason").to_owned(),
        };
        app.registry().approve_version(&sent.act, version, &new).await
    };
    match approved.await {
        Ok(_) => Ok(Redirect::to(&format!("/console/versions/{version}")).into_response()),
        Err(error) => {
            let (status, approval) = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, status, Forms { approval, ..Forms::default() }).await
        }
    }
}
