//! What an environment changes of the version that is live there.

use serde::{Deserialize, Serialize};

use crate::{VersionId, content::Content};

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

/// What a model is called with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings<'a> {
    /// The model.
    pub model_id: &'a str,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
}

impl Overrides {
    /// A version's own settings, or what stands in their place. The overrides were chosen for the version that is
    /// `live`, and so hold for no other arm.
    pub fn settings<'a>(
        &'a self,
        version: VersionId,
        content: &'a Content,
        live: Option<VersionId>,
    ) -> Settings<'a> {
        let other = Some(self).filter(|_| live == Some(version));
        let other_model = other.and_then(|other| other.model_id.as_deref());
        Settings {
            model_id: other_model.unwrap_or(&content.model_id),
            temperature: other.and_then(|other| other.temperature).unwrap_or(content.temperature),
            max_tokens: other.and_then(|other| other.max_tokens).unwrap_or(content.max_tokens),
        }
    }
}
