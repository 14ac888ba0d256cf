//! Environments of a prompt: what is live there, locks, and overrides.

use domain::{PromptId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

use crate::{Client, Result, call::segment};

/// What is live in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The environment.
    pub environment: String,
    /// What is live there.
    pub version_id: Option<VersionId>,
    /// Its number.
    pub version_number: Option<u32>,
    /// Counts every write.
    pub revision: u64,
    /// The revision of the last move: what `expected_revision` compares.
    pub moved_revision: u64,
    /// When it last moved.
    pub moved_at: Timestamp,
    /// Who moved it.
    pub moved_by: String,
    /// The experiment or canary that runs here.
    pub experiment_id: Option<String>,
    /// What freezes promotions.
    pub lock: Option<Lock>,
    /// What stands here instead of the version's own settings.
    pub overrides: Overrides,
    /// Whether a rollback holds automatic promotions until a person promotes again.
    pub automation_held: bool,
    /// Whether the prompt is archived.
    pub archived: bool,
    /// Where a rollback without a target would go.
    pub rollback_version_id: Option<VersionId>,
}

/// A freeze on promotions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Who put it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when; none: until somebody takes it off.
    pub until: Option<Timestamp>,
}

/// A lock to be put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLock {
    /// Until when; none: until somebody takes it off.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// What stands instead of a version's own settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u32>,
    /// A model on which the version has passed.
    pub model_id: Option<String>,
}

impl Client {
    async fn environment_path(&self, prompt: &str, environment: &str) -> Result<String> {
        Ok(format!("{}/environments/{}", self.prompt_path(prompt).await?, segment(environment)))
    }

    /// What is live in an environment.
    pub async fn environment(&self, prompt: &str, environment: &str) -> Result<Environment> {
        self.get(&self.environment_path(prompt, environment).await?).answer().await
    }

    /// Locks an environment: nothing is promoted there until the lock is off.
    pub async fn lock(&self, prompt: &str, environment: &str, lock: &NewLock) -> Result<Environment> {
        let path = self.environment_path(prompt, environment).await?;
        self.put(&format!("{path}/lock")).json(lock).answer().await
    }

    /// Takes a lock off.
    pub async fn unlock(&self, prompt: &str, environment: &str) -> Result<Environment> {
        let path = self.environment_path(prompt, environment).await?;
        self.delete(&format!("{path}/lock")).answer().await
    }

    /// Sets all overrides of an environment. They last until the next move.
    pub async fn set_overrides(
        &self,
        prompt: &str,
        environment: &str,
        overrides: &Overrides,
    ) -> Result<Environment> {
        let path = self.environment_path(prompt, environment).await?;
        self.put(&format!("{path}/overrides")).json(overrides).answer().await
    }
}
