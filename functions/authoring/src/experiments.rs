//! Experiments: versions side by side until one is better.

mod view;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use domain::{
    Environment, ExperimentId, VersionId,
    experiment::{Feedback, NewSettings, Strategy, decision::Mode, weights::Objective},
    measure::Measure,
    name::production,
    rollout::Guardrail,
};
use release::{NewExperiment, NewVariant, Stop};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Author, Created, Listed, Path, Query, Tagged, Write, page_request};

pub use view::{ExperimentView, GuardrailSchema, WeightsView};

use crate::{App, versions::PageQuery};

/// An experiment to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExperimentBody {
    /// 2 to 10; the first is the control, which is what is live there.
    variants: Vec<VariantBody>,
    /// Left out: `production`.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// `fixed_split` or `thompson_sampling`; left out: `fixed_split`.
    #[schema(value_type = Option<String>)]
    allocation_strategy: Option<Strategy>,
    /// `user_rating`, `quality`, `success`, `eval_score`, `latency_ms`, `cost_usd` or `error`; left out: `user_rating`.
    #[schema(value_type = Option<String>)]
    primary_metric: Option<Measure>,
    /// How many answers each variant needs before anything is decided; left out: 100.
    #[schema(format = Int64)]
    min_samples: Option<u32>,
    /// `strict`, `balanced` or `manual`; left out: `strict`.
    #[schema(value_type = Option<String>)]
    decision: Option<Mode>,
    /// Whether a winner is promoted by itself; left out: yes, but not with `manual`.
    auto_promote: Option<bool>,
    /// Left out: 14.
    max_duration_days: Option<f64>,
    /// Left out: 1.
    min_duration_days: Option<f64>,
    /// The least share that a variant keeps in an adaptive split; left out: 0.2 divided by their number.
    exploration_floor: Option<f64>,
    /// How often the weights of an adaptive split may change; left out: 60.
    update_interval_minutes: Option<u32>,
    /// The share of the units that take part, 0 to 1; left out: 1.
    traffic_allocation: Option<f64>,
    /// `reward` or `identify`; left out: `reward`.
    #[schema(value_type = Option<String>)]
    objective: Option<Objective>,
    /// Whether it goes on for ever, following what is best at the time; left out: no.
    continuous: Option<bool>,
    /// After how many days an answer counts half for the weights; left out: never less, and 7 when continuous.
    reward_half_life_days: Option<f64>,
    /// `explicit` or `implicit_negative`; left out: `explicit`.
    #[schema(value_type = Option<String>)]
    feedback: Option<Feedback>,
    /// How long after a resolve its answer may be given; left out: 60.
    attribution_window_minutes: Option<u32>,
    /// What no variant may make worse than the control; left out: errors, latency, cost, ratings and scores.
    #[schema(value_type = Option<Vec<GuardrailSchema>>)]
    guardrails: Option<Vec<Guardrail>>,
}

/// A variant to be compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantBody {
    #[schema(value_type = String)]
    version_id: VersionId,
    /// Left out of all: equal shares. Else they sum to 1.
    traffic_weight: Option<f64>,
    /// Left out: A, B, C, … by its place.
    key: Option<String>,
}

impl NewExperimentBody {
    fn wish(self) -> NewExperiment {
        let variants = self.variants.into_iter().map(|variant| NewVariant {
            version_id: variant.version_id,
            key: variant.key,
            traffic_weight: variant.traffic_weight,
        });
        NewExperiment {
            environment: self.environment.unwrap_or_else(production),
            variants: variants.collect(),
            settings: NewSettings {
                allocation_strategy: self.allocation_strategy,
                primary_metric: self.primary_metric,
                min_samples: self.min_samples,
                decision: self.decision,
                auto_promote: self.auto_promote,
                max_duration_days: self.max_duration_days,
                min_duration_days: self.min_duration_days,
                exploration_floor: self.exploration_floor,
                update_interval_minutes: self.update_interval_minutes,
                traffic_allocation: self.traffic_allocation,
                objective: self.objective,
                continuous: self.continuous.unwrap_or_default(),
                reward_half_life_days: self.reward_half_life_days,
                feedback: self.feedback,
                attribution_window_minutes: self.attribution_window_minutes,
                guardrails: self.guardrails,
            },
        }
    }
}

/// Starts an experiment.
#[utoipa::path(post, path = "/api/prompts/{prompt}/experiments", tag = "experiments", request_body = NewExperimentBody,
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team.")),
    responses((status = 201, body = ExperimentView, description = "The experiment runs"),
        (status = 409, description = "Another trial runs there, a version has not passed, or a lock holds it"),
        (status = 410, description = "The prompt is archived")))]
pub async fn create(
    State(app): State<App>,
    Path(prompt, _): Path<String>,
    Write { act, body }: Write<NewExperimentBody>,
) -> web::Result<Created<ExperimentView>> {
    let made = app.release.start_experiment(&act, &prompt, &body.wish()).await?;
    let details = app.registry().experiment_details(&made.value).await?;
    Ok(Created::new(StatusCode::CREATED, made, |_| ExperimentView::new(details)))
}

/// Lists a prompt's experiments, newest first.
#[utoipa::path(get, path = "/api/prompts/{prompt}/experiments", tag = "experiments",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), PageQuery),
    responses((status = 200, body = Listed<ExperimentView>, description = "A page of experiments")))]
pub async fn list(
    State(app): State<App>,
    Author(caller): Author,
    Path(prompt, _): Path<String>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<ExperimentView>>> {
    let page = app.registry().experiments(&caller, &prompt, &page_request(page.limit, page.cursor)?).await?;
    Ok(Json(Listed::new(page, ExperimentView::new)))
}

/// Reads an experiment with what its counters say now.
#[utoipa::path(get, path = "/api/experiments/{experiment_id}", tag = "experiments", params(("experiment_id" = String, Path)),
    responses((status = 200, body = ExperimentView, description = "The experiment"), (status = 304, description = "Unchanged")))]
pub async fn read(
    State(app): State<App>,
    Author(caller): Author,
    headers: HeaderMap,
    Path(id, _): Path<ExperimentId>,
) -> web::Result<Tagged> {
    let experiment = app.registry().experiment(&caller, id).await?;
    Tagged::new(&headers, &ExperimentView::new(app.registry().experiment_details(&experiment).await?))
}

/// Lists the weights that an experiment had, oldest first.
#[utoipa::path(get, path = "/api/experiments/{experiment_id}/weights", tag = "experiments",
    params(("experiment_id" = String, Path), PageQuery),
    responses((status = 200, body = Listed<WeightsView>, description = "A page of weights")))]
pub async fn weights(
    State(app): State<App>,
    Author(caller): Author,
    Path(id, _): Path<ExperimentId>,
    Query(page): Query<PageQuery>,
) -> web::Result<Json<Listed<WeightsView>>> {
    let page = page_request(page.limit, page.cursor)?;
    Ok(Json(Listed::new(app.registry().experiment_weights(&caller, id, &page).await?, WeightsView::new)))
}

/// What shall become of an experiment.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopBody {
    /// What shall be live: the version of a variant. Left out: the control stays.
    #[schema(value_type = Option<String>)]
    winner_version_id: Option<VersionId>,
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// Stops an experiment. A winner that is named is promoted, if the gate agrees.
#[utoipa::path(post, path = "/api/experiments/{experiment_id}/stop", tag = "experiments", request_body = StopBody,
    params(("experiment_id" = String, Path)),
    responses((status = 200, body = ExperimentView, description = "The experiment has ended"),
        (status = 409, description = "It has ended before, or the gate refuses the winner"),
        (status = 410, description = "The prompt is archived")))]
pub async fn stop(
    State(app): State<App>,
    Path(id, _): Path<ExperimentId>,
    Write { act, body }: Write<StopBody>,
) -> web::Result<Created<ExperimentView>> {
    let stop = Stop { winner_version_id: body.winner_version_id, reason: body.reason };
    let made = app.release.stop_experiment(&act, id, &stop).await?;
    let details = app.registry().experiment_details(&made.value).await?;
    Ok(Created::new(StatusCode::OK, made, |_| ExperimentView::new(details)))
}
