//! What a rollback answers, over HTTP and by direct invocation alike.

use domain::name::{PRODUCTION, STAGING};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Moved;

/// A rollback that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolledBackView {
    prompt_id: String,
    environment: String,
    /// What is live now, when the environment is production.
    #[serde(skip_serializing_if = "Option::is_none")]
    production_version_id: Option<String>,
    /// What is live now, when it is staging.
    #[serde(skip_serializing_if = "Option::is_none")]
    staging_version_id: Option<String>,
    /// What is live now, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    previous_version_id: Option<String>,
    /// The moment after which no resolve may show the version before.
    rollback_propagated_at: String,
    /// From commit to the cache's acknowledgement, in ms; null without a cache.
    cache_invalidation_ms: Option<u64>,
    /// False when the cache did not answer; left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    propagated: Option<bool>,
    /// The experiment or canary that the rollback ended; null when none ran.
    stopped_experiment_id: Option<String>,
    revision: u64,
}

impl RolledBackView {
    /// The answer in the words of the API.
    pub fn new(moved: &Moved) -> Self {
        let now_live = |environment: Option<&str>| {
            let named = [PRODUCTION, STAGING].into_iter().find(|name| *name == moved.environment.as_str());
            (named == environment).then(|| moved.version_id.to_string())
        };
        Self {
            prompt_id: moved.prompt_id.to_string(),
            environment: moved.environment.to_string(),
            production_version_id: now_live(Some(PRODUCTION)),
            staging_version_id: now_live(Some(STAGING)),
            version_id: now_live(None),
            previous_version_id: moved.previous_version_id.map(|id| id.to_string()),
            rollback_propagated_at: moved.reach.propagated_at.to_string(),
            cache_invalidation_ms: moved.reach.cache_invalidation_ms,
            propagated: moved.reach.cache_unanswered.then_some(false),
            stopped_experiment_id: moved.stopped.map(|trial| trial.to_string()),
            revision: moved.revision,
        }
    }
}
