//! Promotion: what exactly will change and for whom, then the deed, and what was measured of it.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use domain::{
    Environment, Prompt, Result, Timestamp, Version, VersionId,
    diff::{Diff, diff},
    gate::GatePolicy,
    name::production,
};
use registry::{prompt::is_ungated, version::VersionDetails};
use release::{Moved, Promotion};
use serde::Serialize;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    live::Live,
    pages::Page,
    visit::{Sent, Visit},
};

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    gate: GatePolicy,
    ungated: bool,
    details: Details,
    environment: String,
    is_production: bool,
    environments: Vec<String>,
    live: Option<Live>,
    change: Option<Change>,
    /// What the environment answered in the last day.
    resolves: i64,
    form: FormState,
    revision: u64,
}

#[derive(Serialize)]
struct Details {
    version: Version,
    state: domain::VersionState,
}

/// What differs from what is live.
#[derive(Serialize)]
pub(crate) struct Change {
    from: u32,
    fields: Vec<String>,
    texts: Vec<&'static str>,
    lines: usize,
}

impl Change {
    pub(crate) fn of(from: &Version, to: &Version) -> Self {
        let Diff { fields, text } = diff(&from.content, &to.content);
        let lines = text.iter().flat_map(|change| &change.hunks).flat_map(|hunk| &hunk.lines);
        Self {
            from: from.number,
            fields: fields.into_iter().map(|change| change.field).collect(),
            lines: lines.filter(|line| line.tag != domain::diff::Tag::Equal).count(),
            texts: text.iter().map(|change| change.field).collect(),
        }
    }
}

/// What a move came to.
#[derive(Serialize)]
struct Outcome {
    prompt: Prompt,
    environment: String,
    now_live: u32,
    version_id: VersionId,
    before: Option<u32>,
    revision: u64,
    propagated_at: Timestamp,
    cache_invalidation_ms: Option<u64>,
    cache_unanswered: bool,
    /// The experiment or canary that it ended.
    stopped: Option<String>,
    took_ms: u128,
    rolled_back: bool,
}

async fn page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    environment: &Environment,
) -> Answer {
    let registry = app.registry();
    let id: VersionId = visit.path("version")?;
    let (prompt, VersionDetails { version, state }) = registry.version_in_prompt(&visit.caller, id).await?;
    let details = registry.prompt_details(prompt).await?;
    let found = details.refs.iter().find(|reference| reference.environment == *environment);
    let (mut change, mut resolves) = (None, 0);
    if let Some(reference) = found {
        resolves = registry.answered_in(reference).await?;
        if let Some(live) = reference.version.filter(|live| live.id != id) {
            let live = registry.store.version(details.prompt.prompt_id, live.number).await?;
            change = live.map(|live| Change::of(&live, &version));
        }
    }
    let title = format!("Promote version {}", version.number);
    let context = Context {
        ungated: is_ungated(&details.gate),
        gate: details.gate,
        environment: environment.to_string(),
        is_production: environment.is_production(),
        environments: details.refs.iter().map(|reference| reference.environment.to_string()).collect(),
        revision: found.map_or(0, |reference| reference.moved_revision),
        live: found.map(|reference| Live::of(reference, registry.sources.now())),
        details: Details { version, state },
        prompt: details.prompt,
        change,
        resolves,
        form,
    };
    app.show_as(status, visit, &Page { title: &title, part: "prompts", template: "promote.html" }, &context)
        .await
}

pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Answer {
    let environment = visit.query.optional("env")?.unwrap_or_else(production);
    page(&app, &visit, (StatusCode::OK, FormState::default()), &environment).await
}

pub(crate) async fn promote(State(app): State<App>, sent: Sent) -> Answer {
    let environment = sent.fields.optional::<Environment>("environment").ok().flatten();
    let promoted = async {
        let version_id: VersionId = sent.visit.path("version")?;
        let wish = Promotion {
            version_id,
            environment: sent.fields.value("environment")?,
            expected_revision: sent.fields.optional("expected_revision")?,
            reason: sent.fields.given("reason").map(str::to_owned),
            override_reason: sent.fields.given("override_reason").map(str::to_owned),
            decided: None,
        };
        let (prompt, _) = app.registry().version_in_prompt(&sent.act.caller, version_id).await?;
        let began = app.registry().sources.clock.monotonic();
        let moved = app.release.promote(&sent.act, &prompt.prompt_id.to_string(), &wish).await?.value;
        Ok((prompt, moved, app.registry().sources.clock.monotonic().saturating_sub(began)))
    };
    match promoted.await {
        Ok((prompt, moved, took)) => result(&app, &sent.visit, prompt, moved, (took, false)).await,
        Err(error) => {
            let refused = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, refused, &environment.unwrap_or_else(production)).await
        }
    }
}

/// Shows what a move came to.
pub(crate) async fn result(
    app: &App,
    visit: &Visit,
    prompt: Prompt,
    moved: Moved,
    (took, rolled_back): (Duration, bool),
) -> Answer {
    let number = async |id: VersionId| -> Result<u32> {
        let place = app.registry().store.version_place(id).await?;
        Ok(place.map_or(0, |(_, number)| number))
    };
    let before = match moved.previous_version_id {
        Some(before) => Some(number(before).await?),
        None => None,
    };
    let context = Outcome {
        now_live: number(moved.version_id).await?,
        before,
        environment: moved.environment.to_string(),
        version_id: moved.version_id,
        revision: moved.revision,
        propagated_at: moved.reach.propagated_at,
        cache_invalidation_ms: moved.reach.cache_invalidation_ms,
        cache_unanswered: moved.reach.cache_unanswered,
        stopped: moved.stopped.map(|trial| trial.to_string()),
        took_ms: took.as_millis(),
        rolled_back,
        prompt,
    };
    let title = if rolled_back { "Rolled back" } else { "Promoted" };
    app.show(visit, &Page { title, part: "prompts", template: "moved.html" }, &context).await
}
