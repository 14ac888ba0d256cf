//! Moves of refs, and what is told of them.

use domain::{PromptId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result, audit::Entry};

/// A promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// What shall be live.
    pub version_id: VersionId,
    /// Where.
    pub environment: String,
    /// The `moved_revision` that was seen: refused when it moved since.
    pub expected_revision: Option<u64>,
    /// Why.
    pub reason: Option<String>,
    /// An admin's reason to pass by what refuses.
    #[serde(rename = "override")]
    pub overriding: Option<Override>,
}

/// Why the gate is passed by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The reason.
    pub reason: String,
}

/// A promotion that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Promoted {
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where.
    pub environment: String,
    /// What is live now.
    pub version_id: VersionId,
    /// What was live before.
    pub previous_version_id: Option<VersionId>,
    /// The ref's revision.
    pub revision: u64,
    /// The moment after which no resolve may show the version before.
    pub propagated_at: Timestamp,
    /// How long the cache took, in ms; none without a cache.
    pub cache_invalidation_ms: Option<u64>,
    /// False when the cache did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagated: Option<bool>,
}

/// A rollback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Where.
    pub environment: String,
    /// Where to; none: what was live before.
    pub target_version_id: Option<VersionId>,
    /// The `moved_revision` that was seen: refused when it moved since.
    pub expected_revision: Option<u64>,
    /// Why.
    pub reason: Option<String>,
}

/// A rollback that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where.
    pub environment: String,
    /// What is live now, in production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_version_id: Option<VersionId>,
    /// What is live now, in staging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging_version_id: Option<VersionId>,
    /// What is live now, elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// What was live before.
    pub previous_version_id: Option<VersionId>,
    /// The moment after which no resolve may show the version before.
    pub rollback_propagated_at: Timestamp,
    /// How long the cache took, in ms; none without a cache.
    pub cache_invalidation_ms: Option<u64>,
    /// False when the cache did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagated: Option<bool>,
    /// The experiment or canary that it ended.
    pub stopped_experiment_id: Option<String>,
    /// The ref's revision.
    pub revision: u64,
}

impl RolledBack {
    /// What is live now.
    pub fn live(&self) -> Option<VersionId> {
        self.production_version_id.or(self.staging_version_id).or(self.version_id)
    }
}

#[derive(Serialize)]
struct Since {
    since: Timestamp,
}

impl Client {
    /// Promotes a version.
    pub async fn promote(&self, prompt: &str, promotion: &Promotion) -> Result<Promoted> {
        let path = self.prompt_path(prompt).await?;
        self.post_once(&format!("{path}/promote")).json(promotion).answer().await
    }

    /// Rolls back.
    pub async fn roll_back(&self, prompt: &str, rollback: &Rollback) -> Result<RolledBack> {
        let path = self.prompt_path(prompt).await?;
        self.post_once(&format!("{path}/rollback")).json(rollback).answer().await
    }

    /// Lists a prompt's moves, newest first.
    pub async fn history(&self, prompt: &str, most: usize) -> Result<Page<Entry>> {
        let path = self.prompt_path(prompt).await?;
        self.list(&format!("{path}/history"), &(), most).await
    }

    /// Lists what moved since a moment, over all prompts, oldest first.
    pub async fn changes(&self, since: Timestamp, most: usize) -> Result<Page<Entry>> {
        self.list("/api/changes", &Since { since }, most).await
    }
}
