//! Canaries: starting one, watching it, and what a person does to it.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    Environment, Error, KeyRole, Prompt, Result, RolloutId, Timestamp, Version, VersionId, VersionState,
    name::production,
    rollout::{Decision, Flag, Guardrail, Phase, Plan, Rollout, Stage, Status, Tick},
};
use registry::{rollout::RolloutDetails, version::VersionDetails};
use release::{NewRollout, RolloutStep};
use serde::Serialize;
use web::Fields;

use crate::{
    App,
    confirm::{Asked, Deed, Question, Share, is_sure},
    failure::Answer,
    form::FormState,
    live::Live,
    pages::Page,
    promote::Change,
    visit::{Sent, Visit},
};

/// The field with the allocation version that somebody saw who moves a canary on.
const SEEN: &str = "seen";

#[derive(Serialize)]
struct AskContext {
    prompt: Prompt,
    version: Version,
    state: VersionState,
    environment: String,
    live: Option<Live>,
    change: Option<Change>,
    resolves: i64,
    stages: Vec<Stage>,
    form: FormState,
}

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    rollout: Rollout,
    active: bool,
    paused: bool,
    breached: bool,
    /// The stage that runs; `None` after all of them.
    stage: Option<usize>,
    percent: f64,
    stages: Vec<Stage>,
    guardrails: Vec<Guardrail>,
    samples: u64,
    labels: u64,
    reasons: Vec<String>,
    /// What is asked before the traffic moves.
    question: Option<Question>,
    form: FormState,
}

async fn ask_page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    environment: &Environment,
) -> Answer {
    let registry = app.registry();
    let id: VersionId = visit.path("version")?;
    let (prompt, VersionDetails { version, state }) = registry.version_in_prompt(&visit.caller, id).await?;
    let found = registry.store.reference(prompt.prompt_id, environment).await?;
    let (mut change, mut resolves) = (None, 0);
    if let Some(reference) = &found {
        resolves = registry.answered_in(reference).await?;
        if let Some(live) = reference.version {
            let live = registry.store.version(prompt.prompt_id, live.number).await?;
            change = live.map(|live| Change::of(&live, &version));
        }
    }
    let context = AskContext {
        live: found.map(|reference| Live::of(&reference, registry.sources.now())),
        environment: environment.to_string(),
        stages: Stage::DEFAULTS.to_vec(),
        prompt,
        version,
        state,
        change,
        resolves,
        form,
    };
    app.show_as(
        status,
        visit,
        &Page { title: "Start a canary", part: "prompts", template: "new_canary.html" },
        &context,
    )
    .await
}

pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Answer {
    let environment = visit.query.optional("env")?.unwrap_or_else(production);
    ask_page(&app, &visit, FormState::fresh(), &environment).await
}

pub(crate) async fn start(State(app): State<App>, sent: Sent) -> Answer {
    let started = async {
        let version: VersionId = sent.visit.path("version")?;
        let (prompt, _) = app.registry().version_in_prompt(&sent.act.caller, version).await?;
        let new = wanted(&sent.fields, version)?;
        app.release.start_rollout(&sent.act, &prompt.prompt_id.to_string(), &new).await
    };
    match started.await {
        Ok(made) => Ok(Redirect::to(&format!("/console/canaries/{}", made.value.rollout_id)).into_response()),
        Err(error) => {
            let refused = FormState::refused(&sent.fields, error)?;
            let environment = sent.fields.optional("environment").ok().flatten().unwrap_or_else(production);
            ask_page(&app, &sent.visit, refused, &environment).await
        }
    }
}

fn wanted(fields: &Fields, version_id: VersionId) -> Result<NewRollout> {
    let percents = fields.text("percents").split([',', ' ']).filter(|text| !text.is_empty());
    let mut stages = Vec::new();
    for (at, percent) in percents.enumerate() {
        let wrong = |_| Error::invalid("/percents", format!("`{percent}` is no number of percent."));
        let percent: f64 = percent.trim_end_matches('%').parse().map_err(wrong)?;
        let like = Stage::DEFAULTS[at.min(Stage::DEFAULTS.len() - 1)];
        stages.push(Stage { percent, ..like });
    }
    let own_stages = !stages.is_empty();
    let default = Plan::default();
    Ok(NewRollout {
        version_id,
        environment: fields.value("environment")?,
        plan: Plan {
            stages: if own_stages { stages } else { default.stages },
            guardrails: default.guardrails,
            auto_rollback: fields.given("auto_rollback").is_some(),
        },
        own_stages,
        reason: fields.given("reason").map(str::to_owned),
    })
}

async fn page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let registry = app.registry();
    let id: RolloutId = visit.path("canary")?;
    let rollout = registry.rollout(&visit.caller, id).await?;
    let prompt = registry.prompt(&visit.caller, &rollout.prompt_id.to_string()).await?;
    let RolloutDetails { tick, observed } = registry.rollout_details(&rollout).await?;
    let active = rollout.status == Status::Active;
    let waits = rollout.reasons.is_empty() && active;
    let title = format!("Canary of {}", prompt.name);
    let asked = asked(&rollout, form.text("step"), registry.sources.now());
    let question = Question::of(app, prompt.prompt_id, &rollout.environment, asked).await?;
    let context = Context {
        active,
        paused: rollout.state.paused_at.is_some(),
        breached: rollout.flags.contains(&Flag::Breached),
        stage: match (rollout.status, rollout.state.phase) {
            (Status::Active, Phase::Stage(stage)) => Some(stage),
            _ => None,
        },
        percent: rollout.share(),
        stages: rollout.plan.stages.clone(),
        guardrails: rollout.plan.guardrails.clone(),
        samples: observed.requests.max(rollout.state.requests),
        labels: observed.labels.max(rollout.state.labels),
        reasons: if waits { tick.reasons } else { rollout.reasons.clone() },
        rollout,
        prompt,
        question,
        form,
    };
    app.show_as(status, visit, &Page { title: &title, part: "prompts", template: "canary.html" }, &context)
        .await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, FormState::fresh()).await
}

pub(crate) async fn step(State(app): State<App>, sent: Sent) -> Answer {
    let id: RolloutId = sent.visit.path("canary")?;
    let stepped = async {
        let step = step_of(sent.fields.text("step"))?;
        if !is_sure(&sent.fields) {
            sent.act.caller.require(KeyRole::Releaser)?;
            let rollout = app.registry().rollout(&sent.act.caller, id).await?;
            // What a canary cannot do is refused and not asked about.
            if moved_by(&rollout, step, app.registry().sources.now())?.is_some() {
                return Ok(None);
            }
        }
        let seen = sent.fields.optional(SEEN)?;
        app.release.step_rollout(&sent.act, id, (step, seen), sent.fields.given("reason")).await.map(Some)
    };
    match stepped.await {
        Ok(Some(_)) => Ok(Redirect::to(&format!("/console/canaries/{id}")).into_response()),
        Ok(None) => page(&app, &sent.visit, (StatusCode::OK, FormState::of(&sent.fields))).await,
        Err(error) => page(&app, &sent.visit, FormState::refused(&sent.fields, error)?).await,
    }
}

fn step_of(word: &str) -> Result<RolloutStep> {
    match word {
        "advance" => Ok(RolloutStep::Advance),
        "pause" => Ok(RolloutStep::Pause),
        "resume" => Ok(RolloutStep::Resume),
        "abort" => Ok(RolloutStep::Abort),
        _ => Err(Error::invalid("/step", "A canary is advanced, paused, resumed or aborted.")),
    }
}

/// What becomes of a canary by a step that moves traffic.
fn moved_by(rollout: &Rollout, step: RolloutStep, now: Timestamp) -> Result<Option<Tick>> {
    match step {
        RolloutStep::Advance => rollout.advance(now).map(Some),
        RolloutStep::Abort if rollout.status == Status::Active => rollout.abort("", now).map(Some),
        RolloutStep::Abort | RolloutStep::Pause | RolloutStep::Resume => Ok(None),
    }
}

/// What this step changes, where it moves traffic.
fn asked(rollout: &Rollout, word: &str, now: Timestamp) -> Option<Asked> {
    let tick = step_of(word).and_then(|step| moved_by(rollout, step, now)).ok()??;
    let (control, canary) = (rollout.control, rollout.canary);
    let (before, after) = (rollout.share(), tick.rollout.share());
    let shares = vec![
        Share { version: canary, now: before, then: after },
        Share { version: control, now: 1.0 - before, then: 1.0 - after },
    ];
    let (name, also) = match tick.decision {
        Decision::Promote => (
            format!("Promote version {} now", canary.number),
            "The gate has to let it pass, as always. Then it is watched for a day.",
        ),
        Decision::Abort => (
            format!("Abort: everybody gets version {}", control.number),
            "The canary ends. To try the version again, another one has to be started.",
        ),
        _ => (
            "Go to the next stage now".to_owned(),
            "Whatever this stage still lacks is not waited for. Whoever is in the canary stays in it.",
        ),
    };
    let page = format!("/console/canaries/{}", rollout.rollout_id);
    let deed = Deed {
        name,
        ends: tick.decision == Decision::Abort,
        action: format!("{page}/step"),
        page,
        fields: vec![("step", word.to_owned()), (SEEN, rollout.state.allocation_version.to_string())],
        also: also.to_owned(),
    };
    Some((shares, deed))
}
