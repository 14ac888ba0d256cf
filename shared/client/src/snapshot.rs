//! What a team's prompts are in an environment: what a resolver in the caller's own process works from.

use domain::{
    Environment, PromptId, TeamId, VersionId,
    allocation::Allocation,
    content::{Body, Content, FewShotExample, MessageTemplate, TemplateFormat, Variable},
    reference::Overrides,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Result, call::Tagged};

/// The most names that the API puts on a page.
const MOST: usize = 100;

/// A page of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The team.
    pub team_id: TeamId,
    /// The environment.
    pub environment: Environment,
    /// The team's prompts, by each name that they have or had.
    pub data: Vec<Entry>,
    /// The versions that these name.
    pub versions: Vec<Version>,
    /// Where the rest begins; none at the end.
    pub next_cursor: Option<String>,
}

/// A prompt, by one of its names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The name by which it is asked for.
    pub alias: String,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Its present name.
    pub name: String,
    /// Whether it is archived.
    pub archived: bool,
    /// What is live.
    pub version_id: Option<VersionId>,
    /// The ref's revision; 0 where there is none.
    pub revision: u64,
    /// What stands instead of the live version's own settings.
    pub overrides: Overrides,
    /// What splits the traffic.
    pub allocation: Option<Allocation>,
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its id.
    pub version_id: VersionId,
    /// 1, 2, 3, … within the prompt.
    pub version_number: u32,
    /// The template; none with messages.
    pub template_text: Option<String>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// Literal examples.
    pub few_shot_examples: Vec<FewShotExample>,
    /// A whole conversation instead of a template.
    pub messages: Option<Vec<MessageTemplate>>,
    /// How templates are written.
    pub template_format: TemplateFormat,
    /// What the templates take.
    pub variables: Vec<Variable>,
    /// The model that it was written for.
    pub model_id: String,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
    /// Further parameters of the model.
    pub params: Map<String, Value>,
    /// The team's own settings.
    pub config: Map<String, Value>,
}

impl From<Version> for Content {
    fn from(version: Version) -> Self {
        let body = match version.messages {
            Some(messages) => Body::Messages(messages),
            None => Body::Text {
                template_text: version.template_text.unwrap_or_default(),
                system_prompt: version.system_prompt,
                few_shot_examples: version.few_shot_examples,
            },
        };
        Self {
            body,
            template_format: version.template_format,
            variables: version.variables,
            model_id: version.model_id,
            temperature: version.temperature,
            max_tokens: version.max_tokens,
            params: version.params,
            config: version.config,
        }
    }
}

#[derive(Serialize)]
struct SnapshotQuery<'q> {
    team_id: Option<&'q TeamId>,
    env: &'q Environment,
    limit: usize,
    cursor: Option<&'q str>,
}

impl Client {
    /// A page of a snapshot, unless it is still the one that has this tag. It is asked for once.
    pub(crate) async fn snapshot(
        &self,
        (team_id, env): (Option<&TeamId>, &Environment),
        cursor: Option<&str>,
        tag: Option<&str>,
    ) -> Result<Tagged<Snapshot>> {
        let query = SnapshotQuery { team_id, env, limit: MOST, cursor };
        self.get("/api/resolve:snapshot").query(&query).soon().unless(tag).await
    }
}
