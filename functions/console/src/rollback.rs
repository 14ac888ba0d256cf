//! Rollback: back to what was live, in one click and a confirmation.

use axum::{extract::State, http::StatusCode};
use domain::{
    Environment, Error, EvalStatus, Prompt, PromptId, Ref, Result, VersionId, VersionPointer, VersionState,
    name::production,
};
use registry::prompt::PromptDetails;
use release::Rollback;
use serde::Serialize;

use crate::{
    App,
    failure::Answer,
    form::FormState,
    live::Live,
    pages::Page,
    promote::{Change, result},
    visit::{Sent, Visit},
};

/// How many versions the page lets one choose from, newest first.
const OFFERED: usize = 200;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    environment: String,
    live: Option<Live>,
    #[serde(flatten)]
    places: Places,
    change: Option<Change>,
    resolves: i64,
    revision: u64,
    form: FormState,
}

/// Where a rollback may go.
#[derive(Default, Serialize)]
struct Places {
    /// Where this one goes: to what was chosen, else to what was live before.
    target: Option<VersionPointer>,
    /// What was chosen, where nothing goes back to that.
    impossible: Option<VersionPointer>,
    /// The versions that may be gone back to: they were live here, or have passed.
    candidates: Vec<VersionPointer>,
}

impl Places {
    /// The states come newest first; `back_to` is where it goes when nothing is chosen.
    fn of(
        states: &[VersionState],
        reference: &Ref,
        back_to: Option<VersionPointer>,
        chosen: Option<VersionId>,
    ) -> Result<Self> {
        let pointer = |state: &VersionState| VersionPointer { number: state.number, id: state.version_id };
        let may_be = |state: &&VersionState| {
            Some(state.version_id) != reference.version_id()
                && (state.been_live.contains(&reference.environment)
                    || state.eval_status == EvalStatus::Passed)
        };
        let candidates: Vec<_> = states.iter().filter(may_be).map(pointer).collect();
        let Some(chosen) = chosen else {
            return Ok(Self { target: back_to, impossible: None, candidates }.bounded());
        };
        let target = candidates.iter().chain(&back_to).find(|place| place.id == chosen).copied();
        let known = states.iter().find(|state| state.version_id == chosen).map(pointer);
        let known = known.ok_or_else(|| Error::not_found("version"))?;
        Ok(Self { impossible: target.is_none().then_some(known), target, candidates }.bounded())
    }

    /// With no more candidates than fit into a page, save the one that was chosen.
    fn bounded(mut self) -> Self {
        let target = self.target;
        let newest = self.candidates.into_iter().enumerate();
        let kept = newest.filter(|(age, place)| *age < OFFERED || Some(*place) == target);
        self.candidates = kept.map(|(_, place)| place).collect();
        self
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    (environment, chosen): (Environment, Option<VersionId>),
) -> Answer {
    let registry = app.registry();
    let address = visit.path::<PromptId>("prompt")?.to_string();
    let prompt = registry.prompt(&visit.caller, &address).await?;
    let PromptDetails { prompt, refs, .. } = registry.prompt_details(prompt).await?;
    let found = refs.iter().find(|reference| reference.environment == environment);
    let live = found.map(|reference| Live::of(reference, registry.sources.now()));
    let (mut places, mut resolves, mut change) = (Places::default(), 0, None);
    if let (Some(reference), Some(live)) = (found, &live) {
        let versions = registry.store.version_states(prompt.prompt_id).await?;
        places = Places::of(&versions, reference, live.back_to, chosen)?;
        resolves = registry.answered_in(reference).await?;
    }
    if let (Some(target), Some(from)) = (places.target, found.and_then(|reference| reference.version)) {
        let (from, to) = tokio::try_join!(
            registry.store.version(prompt.prompt_id, from.number),
            registry.store.version(prompt.prompt_id, target.number)
        )?;
        change = from.zip(to).map(|(from, to)| Change::of(&from, &to));
    }
    let revision = found.map_or(0, |reference| reference.moved_revision);
    let environment = environment.to_string();
    let context = Context { prompt, environment, live, places, change, resolves, revision, form };
    let page = Page { title: "Roll back", part: "prompts", template: "rollback.html" };
    app.show_as(status, visit, &page, &context).await
}

pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Answer {
    let environment = visit.query.optional("env")?.unwrap_or_else(production);
    let chosen = visit.query.optional("to")?;
    page(&app, &visit, (StatusCode::OK, FormState::of(&visit.query)), (environment, chosen)).await
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
            let chosen = fields.optional("target_version_id").ok().flatten();
            page(&app, &sent.visit, refused, (environment, chosen)).await
        }
    }
}
