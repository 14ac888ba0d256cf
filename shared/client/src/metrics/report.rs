//! Reporting: what a caller says of calls of the model.

use domain::{Environment, Timestamp, VersionId, allocation::TrialId};
use serde::{Deserialize, Serialize};

use crate::{Client, Result};

/// What one call came to. What is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What it cost; none: what its tokens cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Tokens sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u32>,
    /// Tokens received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
    /// Whether the user reached what they wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// Whether it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<bool>,
    /// Whether the model refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<bool>,
    /// What the user thinks of the answer, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_rating: Option<u8>,
    /// How good the answer was, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// What a judge gave it, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_score: Option<f64>,
}

/// What is reported of a version that a resolver served.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Event {
    pub(crate) version_id: VersionId,
    pub(crate) environment: Environment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiment_id: Option<TrialId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
    /// When it was reported: it may be sent much later.
    pub(crate) timestamp: Timestamp,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// Events that count once, however often they are sent.
#[derive(Debug, Serialize)]
pub(crate) struct Batch {
    pub(crate) batch_id: String,
    pub(crate) events: Vec<Event>,
}

/// What became of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// How many will be counted, unless they were before.
    pub accepted: usize,
    /// Those that will not.
    pub rejected: Vec<Rejected>,
}

/// An event that is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its place among those that were sent, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub detail: String,
}

impl Client {
    /// Reports what calls came to.
    pub(crate) async fn report(&self, batch: &Batch) -> Result<Taken> {
        self.post("/api/metrics").repeatable().soon().json(batch).answer().await
    }
}
