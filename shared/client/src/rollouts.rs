//! Canaries: a version that serves a growing part of the units.

use domain::{PromptId, RolloutId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result, experiments::Guardrail};

/// A canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Its id.
    pub rollout_id: RolloutId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where it runs.
    pub environment: String,
    /// The new version.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// What it is compared with.
    pub control_version_id: VersionId,
    /// Its number.
    pub control_version_number: u32,
    /// `active`, `completed` or `stopped`.
    pub status: String,
    /// The stage, from 0; none once it is promoted.
    pub stage: Option<usize>,
    /// How many of 100 units the new version serves.
    pub percent: f64,
    /// The stages.
    pub stages: Vec<Stage>,
    /// What may not get worse.
    pub guardrails: Vec<Guardrail>,
    /// Whether a breach takes the version back.
    pub auto_rollback: bool,
    /// `breached`, `frozen`, `stalled`.
    pub flags: Vec<String>,
    /// How many requests it has answered.
    pub samples: u64,
    /// How many ratings and scores there are of them.
    pub labels: u64,
    /// What it waits for, or why it ended.
    pub reasons: Vec<String>,
    /// When it was paused.
    pub paused_at: Option<Timestamp>,
    /// When the stage began.
    pub stage_since: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who started it.
    pub created_by: String,
}

/// A stage of a canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How many of 100 units the version serves.
    pub percent: f64,
    /// How many requests it must have answered.
    pub min_samples: u64,
    /// How many ratings and scores there must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_labels: Option<u64>,
    /// How long it lasts at least.
    pub bake_minutes: u32,
}

/// A canary to be started; what is `None` takes the platform's default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// What shall be released.
    pub version_id: VersionId,
    /// Where.
    pub environment: Option<String>,
    /// In which stages.
    pub stages: Option<Vec<Stage>>,
    /// What may not get worse.
    pub guardrails: Option<Vec<Guardrail>>,
    /// Whether a breach takes the version back.
    pub auto_rollback: Option<bool>,
    /// Why.
    pub reason: Option<String>,
}

/// What a person does to a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the next stage; after the last one, it promotes.
    Advance,
    /// Holds the stage.
    Pause,
    /// Goes on.
    Resume,
    /// Serves the former version alone from now on.
    Abort,
}

impl Step {
    /// Its name in the route.
    pub fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
        }
    }
}

#[derive(Serialize)]
struct StepBody<'a> {
    reason: Option<&'a str>,
}

impl Client {
    /// Starts a canary.
    pub async fn create_rollout(&self, prompt: &str, new: &NewRollout) -> Result<Rollout> {
        let path = self.prompt_path(prompt).await?;
        self.post_once(&format!("{path}/rollouts")).json(new).answer().await
    }

    /// Lists a prompt's canaries, newest first.
    pub async fn rollouts(&self, prompt: &str, most: usize) -> Result<Page<Rollout>> {
        let path = self.prompt_path(prompt).await?;
        self.list(&format!("{path}/rollouts"), &(), most).await
    }

    /// A canary with what its counters say now.
    pub async fn rollout(&self, id: RolloutId) -> Result<Rollout> {
        self.get(&format!("/api/rollouts/{id}")).answer().await
    }

    /// Does something to a canary.
    pub async fn step_rollout(&self, id: RolloutId, step: Step, reason: Option<&str>) -> Result<Rollout> {
        let path = format!("/api/rollouts/{id}/{}", step.name());
        self.post_once(&path).json(&StepBody { reason }).answer().await
    }
}
