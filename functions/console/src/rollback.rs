//! Rollback: back to what was live, in one click and a confirmation.

use axum::{extract::State, http::StatusCode};
use domain::{
    Environment, EvalStatus, Prompt, PromptId, Result, VersionId, VersionPointer, name::production,
};
use registry::prompt::PromptDetails;
use release::Rollback;
use serde::Serialize;
use store::PageRequest;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    live::Live,
    pages::Page,
    promote::{Change, resolves_a_day, result},
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    environment: String,
    live: Option<Live>,
    /// Where it goes when nothing else is chosen.
    target: Option<VersionPointer>,
    /// The versions that may be gone back to: they were live here, or have passed.
    candidates: Vec<VersionPointer>,
    change: Option<Change>,
    resolves: i64,
    revision: u64,
    form: FormState,
}

async fn page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    (environment, wanted): (Environment, Option<VersionId>),
) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let details = registry.prompt_details(registry.prompt(&visit.caller, &address).await?).await?;
    let candidates = candidates(app, visit, &details, &environment).await?;
    let PromptDetails { prompt, refs, .. } = details;
    let found = refs.iter().find(|reference| reference.environment == environment);
    let live = found.map(|reference| Live::of(reference, registry.sources.now()));
    let chosen = wanted.and_then(|id| candidates.iter().find(|candidate| candidate.id == id).copied());
    let target = chosen.or_else(|| live.as_ref().and_then(|live| live.back_to));
    let mut change = None;
    if let (Some(target), Some(from)) = (target, found.and_then(|reference| reference.version)) {
        let (from, to) = tokio::try_join!(
            registry.store.version(prompt.prompt_id, from.number),
            registry.store.version(prompt.prompt_id, target.number)
        )?;
        change = from.zip(to).map(|(from, to)| Change::of(&from, &to));
    }
    let context = Context {
        resolves: match found {
            Some(reference) => resolves_a_day(app, reference).await?,
            None => 0,
        },
        revision: found.map_or(0, |reference| reference.moved_revision),
        environment: environment.to_string(),
        live,
        target,
        candidates,
        change,
        prompt,
        form,
    };
    app.show_as(
        status,
        visit,
        &Page { title: "Roll back", part: "prompts", template: "rollback.html" },
        &context,
    )
    .await
}

async fn candidates(
    app: &App,
    visit: &Visit,
    details: &PromptDetails,
    environment: &Environment,
) -> Result<Vec<VersionPointer>> {
    let address = details.prompt.prompt_id.to_string();
    let live = details.refs.iter().find(|reference| reference.environment == *environment);
    let live = live.and_then(domain::Ref::version_id);
    let page = app.registry().versions(&visit.caller, &address, &PageRequest::first(50)).await?;
    let may_be = page.data.iter().filter(|details| {
        let state = &details.state;
        Some(details.version.version_id) != live
            && (state.been_live.contains(environment) || state.eval_status == EvalStatus::Passed)
    });
    Ok(may_be.map(|details| details.version.pointer()).collect())
}

pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Answer {
    let environment = visit.query.optional("env")?.unwrap_or_else(production);
    let wanted = visit.query.optional("to")?;
    page(&app, &visit, (StatusCode::OK, FormState::of(&visit.query)), (environment, wanted)).await
}

pub(crate) async fn roll_back(State(app): State<App>, sent: Sent) -> Answer {
    let fields = &sent.fields;
    let address = sent.visit.path::<PromptId>("prompt")?.to_string();
    let rolled_back = async {
        let wish = Rollback {
            environment: fields.value("environment")?,
            target_version_id: fields.optional("target_version_id")?,
            expected_revision: fields.optional("expected_revision")?,
            reason: fields.given("reason").map(str::to_owned),
        };
        let prompt = app.registry().prompt(&sent.act.caller, &address).await?;
        let began = app.registry().sources.clock.monotonic();
        let moved = app.release.roll_back(&sent.act, &address, &wish).await?.value;
        Ok((prompt, moved, app.registry().sources.clock.monotonic().saturating_sub(began)))
    };
    match rolled_back.await {
        Ok((prompt, moved, took)) => result(&app, &sent.visit, prompt, moved, (took, true)).await,
        Err(error) => {
            let refused = FormState::refused(fields, error)?;
            let environment = fields.optional("environment").ok().flatten().unwrap_or_else(production);
            let wanted = fields.optional("target_version_id").ok().flatten();
            page(&app, &sent.visit, refused, (environment, wanted)).await
        }
    }
}
