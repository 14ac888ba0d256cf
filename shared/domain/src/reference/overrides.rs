//! What an environment changes of the version that is live there.

use serde::{Deserialize, Serialize};

use crate::VersionId;

/// Settings of one environment that stand instead of those of the version that is live there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Overrides {
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u32>,
    /// A model on which the version has passed.
    pub model_id: Option<String>,
}

impl Overrides {
    /// Those for this version: they were chosen for the version that is live, and so hold for no other arm.
    #[must_use]
    pub fn of(&self, version: VersionId, live: Option<VersionId>) -> Self {
        if live == Some(version) { self.clone() } else { Self::default() }
    }
}
