//! Why a resolve got its version.

use axum::{Json, extract::State};
use domain::{Trial, token::UnitKind};
use registry::explain::Explanation;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Author, Query};

use crate::{App, experiments::WeightsView};

/// What is to be explained.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// From the answer of a resolve.
    resolution_token: String,
    /// The `user_id`, `conversation_id` or `request_id` of that resolve: then the answer says what it drew.
    unit: Option<String>,
}

/// Why a resolve got its version.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    prompt_id: String,
    environment: String,
    version_id: String,
    issued_at: String,
    /// `user`, `conversation`, `request` or `random`.
    unit_kind: &'static str,
    /// The first 8 bytes of SHA-256 over trial and unit, in hex.
    unit_hash: String,
    /// The experiment or canary; null where none split the traffic, or the unit took no part.
    experiment_id: Option<String>,
    variant: Option<String>,
    iteration: Option<u32>,
    /// In words.
    rule: String,
    /// The weights of that time, with how likely each variant was the best by then.
    weights: Option<WeightsView>,
    /// The number that each variant drew for the unit, in their order; a canary has one number. Null where the unit
    /// was not named.
    draws: Option<Vec<f64>>,
}

/// Explains an answer of resolve by its token.
#[utoipa::path(get, path = "/api/explain", tag = "experiments", params(ExplainQuery),
    responses((status = 200, body = ExplanationView, description = "Why it got its version")))]
pub async fn explain(
    State(app): State<App>,
    Author(caller): Author,
    Query(query): Query<ExplainQuery>,
) -> web::Result<Json<ExplanationView>> {
    let explained = app.registry().explain(&caller, &query.resolution_token, query.unit.as_deref()).await?;
    Ok(Json(ExplanationView::new(explained)))
}

impl ExplanationView {
    fn new(explained: Explanation) -> Self {
        let Explanation { resolution, trial, draws } = explained;
        let rule = rule(trial.as_ref().map(|(trial, _)| trial)).to_owned();
        let assignment = resolution.assignment;
        Self {
            prompt_id: resolution.prompt_id.to_string(),
            environment: resolution.environment.to_string(),
            version_id: resolution.version_id.to_string(),
            issued_at: resolution.issued_at.to_string(),
            unit_kind: match resolution.unit_kind {
                UnitKind::User => "user",
                UnitKind::Conversation => "conversation",
                UnitKind::Request => "request",
                UnitKind::Random => "random",
            },
            unit_hash: format!("{:016x}", u64::from_be_bytes(resolution.unit64)),
            experiment_id: assignment.as_ref().map(|assignment| assignment.trial.to_string()),
            variant: assignment.as_ref().map(|assignment| assignment.arm.clone()),
            iteration: assignment.as_ref().map(|assignment| assignment.iteration),
            rule,
            weights: trial.map(|(_, weights)| WeightsView::new(weights)),
            draws,
        }
    }
}

fn rule(trial: Option<&Trial>) -> &'static str {
    match trial {
        None => "No experiment or canary assigned it: the version that was live answered.",
        Some(Trial::Experiment(_)) => {
            "Each variant draws a number u for the unit, and the lowest -ln u / weight serves it."
        }
        Some(Trial::Rollout(_)) => {
            "One number is drawn for the unit, the same in all stages; below the canary's share the canary serves it."
        }
    }
}
