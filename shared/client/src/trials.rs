//! Trying: a version or a draft is rendered and its model called.

use domain::{VersionId, content::ChatMessage, money::Usd};
use serde::{Deserialize, Serialize};

use crate::{
    Client, Result,
    versions::{NewVersion, Values},
};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What the model answered.
    pub output: String,
    /// What it was sent.
    pub messages: Vec<ChatMessage>,
    /// The model.
    pub model_id: String,
    /// How long it took.
    pub latency_ms: u64,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// What it cost.
    pub cost_usd: Usd,
    /// Values that no variable takes.
    pub ignored_variables: Vec<String>,
}

/// What to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTrial {
    /// A version, or
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// a draft that nobody has saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<NewVersion>,
    /// The values of its variables.
    pub variables: Values,
    /// The model; none: its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
}

impl Client {
    /// Calls a model. This is never repeated by itself: each call costs.
    pub async fn try_out(&self, trial: &NewTrial) -> Result<Trial> {
        self.post("/api/try").json(trial).answer().await
    }
}
