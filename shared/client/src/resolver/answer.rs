//! What a resolver answers.

use std::{sync::Arc, time::Duration};

use domain::{
    Environment, Timestamp, VersionId,
    content::{Body, FewShotExample},
    reference::Settings,
    template::Rendered,
    token::Assignment,
};

use super::{Prompt, Version};
use crate::metrics::{Event, Outcome};

/// A resolved prompt.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What to send to the model.
    pub rendered: Rendered,
    /// The prompt as it is in the environment.
    pub prompt: Arc<Prompt>,
    /// The version that answers.
    pub version: Arc<Version>,
    /// The environment.
    pub environment: Environment,
    /// The place in the experiment or canary that chose the version.
    pub assignment: Option<Assignment>,
    /// Whether the same unit gets the same arm again.
    pub sticky: bool,
    /// How old what is known of the prompt is.
    pub age: Duration,
    /// Whether that is older than it should be: the platform does not answer.
    pub stale: bool,
}

impl Answer {
    /// The model to call.
    pub fn model_id(&self) -> &str {
        self.settings().model_id
    }

    /// Sampling temperature.
    pub fn temperature(&self) -> f64 {
        self.settings().temperature
    }

    /// The most tokens of an answer.
    pub fn max_tokens(&self) -> u32 {
        self.settings().max_tokens
    }

    /// The version's examples.
    pub fn few_shot_examples(&self) -> &[FewShotExample] {
        match &self.version.content.body {
            Body::Text { few_shot_examples, .. } => few_shot_examples,
            Body::Messages(_) => &[],
        }
    }

    /// The version that answers.
    pub fn version_id(&self) -> VersionId {
        self.version.version_id
    }

    fn settings(&self) -> Settings<'_> {
        let live = self.prompt.live.as_ref().map(|live| live.version_id);
        self.prompt.overrides.settings(self.version.version_id, &self.version.content, live)
    }

    /// What is reported of it.
    pub(super) fn event(&self, outcome: Outcome, now: Timestamp) -> Event {
        let assignment = self.assignment.as_ref();
        Event {
            version_id: self.version.version_id,
            environment: self.environment.clone(),
            experiment_id: assignment.map(|assignment| assignment.trial),
            variant: assignment.map(|assignment| assignment.arm.clone()),
            timestamp: now,
            outcome,
        }
    }
}
