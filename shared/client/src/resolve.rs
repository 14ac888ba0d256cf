//! Resolving, and why an answer was what it was.

use domain::{
    PromptId, Timestamp, VersionId,
    content::{ChatMessage, FewShotExample},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Result, experiments::Weights, versions::Values};

/// A resolved prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// The prompt.
    pub prompt_id: PromptId,
    /// Its present name.
    pub name: String,
    /// The environment.
    pub environment: String,
    /// The version that answered.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// The rendered text; none with messages.
    #[serde(default)]
    pub resolved_text: Option<String>,
    /// The rendered system prompt.
    pub system_prompt: Option<String>,
    /// The version's examples.
    pub few_shot_examples: Vec<FewShotExample>,
    /// What to send to a chat model.
    #[serde(default)]
    pub messages: Option<Vec<ChatMessage>>,
    /// The model.
    pub model_id: String,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
    /// Further parameters of the model.
    pub params: Map<String, Value>,
    /// The team's own settings.
    pub config: Map<String, Value>,
    /// The experiment or canary that assigned the version.
    pub experiment_id: Option<String>,
    /// Its arm.
    pub variant: Option<String>,
    /// Whether the same caller gets the same arm again.
    pub sticky: bool,
    /// What proves which answer this was.
    pub resolution_token: String,
    /// Values that no variable takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_variables: Vec<String>,
    /// The ref's revision.
    pub revision: u64,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ask {
    /// The prompt.
    pub prompt: String,
    /// The environment.
    pub env: String,
    /// The values of its variables.
    pub variables: Values,
    /// Who is served.
    pub user_id: Option<String>,
}

/// Why an answer was what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The environment.
    pub environment: String,
    /// The version that answered.
    pub version_id: VersionId,
    /// When.
    pub issued_at: Timestamp,
    /// `user`, `conversation`, `request` or `random`.
    pub unit_kind: String,
    /// What the unit hashes to.
    pub unit_hash: String,
    /// The experiment or canary.
    pub experiment_id: Option<String>,
    /// Its arm.
    pub variant: Option<String>,
    /// Its iteration.
    pub iteration: Option<u32>,
    /// In words.
    pub rule: String,
    /// The weights of that time.
    pub weights: Option<Weights>,
    /// The numbers that were drawn.
    pub draws: Option<Vec<f64>>,
}

#[derive(Serialize)]
struct ExplainQuery<'q> {
    resolution_token: &'q str,
    unit: Option<&'q str>,
}

impl Client {
    /// Resolves a prompt, as applications do.
    pub async fn resolve(&self, ask: &Ask) -> Result<Resolved> {
        self.post("/api/resolve").json(ask).answer().await
    }

    /// Explains an answer by its token; with the unit it says what that drew.
    pub async fn explain(&self, token: &str, unit: Option<&str>) -> Result<Explanation> {
        let query = ExplainQuery { resolution_token: token, unit };
        self.get("/api/explain").query(&query).answer().await
    }
}
