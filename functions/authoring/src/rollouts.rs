//! Canaries: a version that serves a growing part of the units.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use domain::{
    Environment, RolloutId, VersionId,
    name::production,
    rollout::{Flag, Guardrail, Phase, Plan, Rollout, Stage, Status},
};
use registry::{Act, rollout::RolloutDetails};
use release::{NewRollout, RolloutStep};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Created, Listed, Path, Query, Tagged, Write, page_request};

use crate::{App, experiments::GuardrailSchema, versions::PageQuery};

/// A canary to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRolloutBody {
    #[schema(value_type = String)]
    version_id: VersionId,
    /// Left out: `production`.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// Left out: 1, 5, 25 and 50 %, beginning with the one that fits the traffic.
    #[schema(value_type = Option<Vec<StageView>>)]
    stages: Option<Vec<Stage>>,
    /// What may not get worse; left out: errors, latency, cost, ratings and scores.
    #[schema(value_type = Option<Vec<GuardrailSchema>>)]
    guardrails: Option<Vec<Guardrail>>,
    /// Whether a breach takes the version back; left out: yes. Else it holds, and a person decides.
    auto_rollback: Option<bool>,
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// What is done to a canary.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBody {
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// A stage of a canary.
#[derive(Debug, Serialize, ToSchema)]
pub struct StageView {
    /// How many of 100 units the version serves.
    percent: f64,
    /// How many requests it must have answered since the beginning.
    min_samples: u64,
    /// How many ratings and scores there must be since then.
    #[schema(required = false)]
    min_labels: u64,
    /// How long the stage lasts at least.
    bake_minutes: u32,
}

/// A canary.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolloutView {
    rollout_id: String,
    prompt_id: String,
    environment: String,
    /// The new version.
    version_id: String,
    version_number: u32,
    /// What it is compared with.
    control_version_id: String,
    control_version_number: u32,
    /// `active`, `completed` or `stopped`.
    #[schema(value_type = String)]
    status: Status,
    /// The stage, from 0; null once it is promoted.
    stage: Option<usize>,
    /// How many of 100 units the new version serves.
    percent: f64,
    stages: Vec<StageView>,
    #[schema(value_type = Vec<GuardrailSchema>)]
    guardrails: Vec<Guardrail>,
    auto_rollback: bool,
    /// `breached`, `frozen`, `stalled`.
    #[schema(value_type = Vec<String>)]
    flags: Vec<Flag>,
    /// How many requests it has answered.
    samples: u64,
    /// How many ratings and scores there are of them.
    labels: u64,
    /// What it waits for, or why it ended.
    reasons: Vec<String>,
    paused_at: Option<String>,
    stage_since: String,
    started_at: String,
    ended_at: Option<String>,
    created_by: String,
}

impl RolloutView {
    fn new(details: RolloutDetails) -> Self {
        let RolloutDetails { tick, observed } = details;
        let rollout = tick.rollout;
        let waits = rollout.reasons.is_empty() && rollout.status == Status::Active;
        Self {
            percent: rollout.share() * 100.0,
            stage: match (rollout.status, rollout.state.phase) {
                (Status::Completed, _) | (_, Phase::Watch) => None,
                (_, Phase::Stage(stage)) => Some(stage),
            },
            samples: observed.requests.max(rollout.state.requests),
            labels: observed.labels.max(rollout.state.labels),
            reasons: if waits { tick.reasons } else { rollout.reasons },
            rollout_id: rollout.rollout_id.to_string(),
            prompt_id: rollout.prompt_id.to_string(),
            environment: rollout.environment.to_string(),
            version_id: rollout.canary.id.to_string(),
            version_number: rollout.canary.number,
            control_version_id: rollout.control.id.to_string(),
            control_version_number: rollout.control.number,
            status: rollout.status,
            stages: rollout.plan.stages.iter().map(StageView::new).collect(),
            guardrails: rollout.plan.guardrails,
            auto_rollback: rollout.plan.auto_rollback,
            flags: rollout.flags.into_iter().collect(),
            paused_at: rollout.state.paused_at.map(|at| at.to_string()),
            stage_since: rollout.state.since.to_string(),
            started_at: rollout.started_at.to_string(),
            ended_at: rollout.ended_at.map(|at| at.to_string()),
            created_by: rollout.created_by,
        }
    }
}

impl StageView {
    fn new(stage: &Stage) -> Self {
        let Stage { percent, min_samples, min_labels, bake_minutes } = *stage;
        Self { percent, min_samples, min_labels, bake_minutes }
    }
}

/// Starts a canary. It passes the same gate as a promotion.
#[utoipa::path(post, path = "/api/prompts/{prompt}/rollouts", tag = "canaries", request_body = NewRolloutBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 201, body = RolloutView, description = "The canary runs"),
        (status = 409, description = "The gate, a lock or another trial refuses"),
        (status = 410, description = "The prompt is archived")))]
pub async fn create(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Write { act, body }: Write<NewRolloutBody>,
) -> web::Result<Created<RolloutView>> {
    let own_stages = body.stages.is_some();
    let default = Plan::default();
    let plan = Plan {
        stages: body.stages.unwrap_or(default.stages),
        guardrails: body.guardrails.unwrap_or(default.guardrails),
        auto_rollback: body.auto_rollback.unwrap_or(default.auto_rollback),
    };
    let new = NewRollout {
        version_id: body.version_id,
        environment: body.environment.unwrap_or_else(production),
        plan,
        own_stages,
        reason: body.reason,
    };
    let made = app.release.start_rollout(&act, &prompt, &new).await?;
    let details = app.registry().rollout_details(&made.value).await?;
    Ok(Created::new(StatusCode::CREATED, made, |_| RolloutView::new(details)))
}

/// Lists a prompt's canaries, newest first.
#[utoipa::path(get, path = "/api/prompts/{prompt}/rollouts", tag = "canaries",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), PageQuery),
    responses((status = 200, body = Listed<RolloutView>, description = "A page of canaries")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<RolloutView>>> {
    let page = app.registry().rollouts(&caller, &prompt, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, RolloutView::new)))
}

/// Reads a canary with what its counters say now.
#[utoipa::path(get, path = "/api/rollouts/{rollout_id}", tag = "canaries", params(("rollout_id" = String, Path)),
    responses((status = 200, body = RolloutView, description = "The canary"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(id, _): Path<RolloutId>,
) -> web::Result<Tagged> {
    let rollout = app.registry().rollout(&caller, id).await?;
    Tagged::new(&headers, &RolloutView::new(app.registry().rollout_details(&rollout).await?))
}

/// Goes on to the next stage, whatever this one lacks; after the last one, promotes.
#[utoipa::path(post, path = "/api/rollouts/{rollout_id}/advance", tag = "canaries", request_body = StepBody,
    params(("rollout_id" = String, Path)),
    responses((status = 200, body = RolloutView, description = "The next stage is served"),
        (status = 409, description = "It has ended, or the gate refuses"), (status = 410, description = "The prompt is archived")))]
pub async fn advance(
    State(app): State<App>,
    Path(id, _): Path<RolloutId>,
    Write { act, body }: Write<StepBody>,
) -> web::Result<Created<RolloutView>> {
    app.step(&act, id, RolloutStep::Advance, body).await
}

/// Holds the stage until it is resumed. Guardrails stay armed.
#[utoipa::path(post, path = "/api/rollouts/{rollout_id}/pause", tag = "canaries", request_body = StepBody,
    params(("rollout_id" = String, Path)),
    responses((status = 200, body = RolloutView, description = "The stage is held"), (status = 409, description = "It has ended")))]
pub async fn pause(
    State(app): State<App>,
    Path(id, _): Path<RolloutId>,
    Write { act, body }: Write<StepBody>,
) -> web::Result<Created<RolloutView>> {
    app.step(&act, id, RolloutStep::Pause, body).await
}

/// Goes on with a canary that was paused.
#[utoipa::path(post, path = "/api/rollouts/{rollout_id}/resume", tag = "canaries", request_body = StepBody,
    params(("rollout_id" = String, Path)),
    responses((status = 200, body = RolloutView, description = "It goes on"), (status = 409, description = "It has ended")))]
pub async fn resume(
    State(app): State<App>,
    Path(id, _): Path<RolloutId>,
    Write { act, body }: Write<StepBody>,
) -> web::Result<Created<RolloutView>> {
    app.step(&act, id, RolloutStep::Resume, body).await
}

/// Serves the former version alone from now on; a promoted version is rolled back.
#[utoipa::path(post, path = "/api/rollouts/{rollout_id}/abort", tag = "canaries", request_body = StepBody,
    params(("rollout_id" = String, Path)),
    responses((status = 200, body = RolloutView, description = "The canary is stopped"), (status = 409, description = "It is complete")))]
pub async fn abort(
    State(app): State<App>,
    Path(id, _): Path<RolloutId>,
    Write { act, body }: Write<StepBody>,
) -> web::Result<Created<RolloutView>> {
    app.step(&act, id, RolloutStep::Abort, body).await
}

impl App {
    async fn step(
        &self,
        act: &Act,
        id: RolloutId,
        step: RolloutStep,
        body: StepBody,
    ) -> web::Result<Created<RolloutView>> {
        let made = self.release.step_rollout(act, id, (step, None), body.reason.as_deref()).await?;
        let details = self.registry().rollout_details(&made.value).await?;
        Ok(Created::new(StatusCode::OK, made, |_: Rollout| RolloutView::new(details)))
    }
}
