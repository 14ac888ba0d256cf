//! Versions: what they say, how they differ, what they render to.

use std::collections::BTreeMap;

use domain::{
    EvalRunId, PromptId, Timestamp, VersionId,
    content::{ChatMessage, FewShotExample, Literal, MessageTemplate, TemplateFormat, Variable},
    version::{Approval, Drift, Review},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Page, Result, evals::Eval};

/// A version with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its id.
    pub version_id: VersionId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// 1, 2, 3, … within the prompt.
    pub version_number: u32,
    /// What two versions of the same content share.
    pub content_sha256: String,
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
    /// Why it was written.
    pub note: Option<String>,
    /// Who wrote it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// `none`, `pending`, `passed`, `failed` or `manual_review`.
    pub eval_status: String,
    /// The average score, 0 to 1.
    pub eval_score: Option<f64>,
    /// The run that decides or decided.
    pub eval_run_id: Option<EvalRunId>,
    /// What a person decided about a run that was too close to call.
    pub review: Option<Review>,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// The models on which it passed, with the run.
    pub models_passed: BTreeMap<String, String>,
    /// Set while it scores significantly worse than when it passed.
    pub drift: Option<Drift>,
    /// Where it was ever live.
    pub been_live: Vec<String>,
    /// Whether the newest version said the same already, so that nothing was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchanged: bool,
    /// The run that was waited for in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_run: Option<Eval>,
}

/// A version to be written: a template, or messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewVersion {
    /// The template.
    pub template_text: Option<String>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// Literal examples.
    pub few_shot_examples: Option<Vec<FewShotExample>>,
    /// A whole conversation instead of a template.
    pub messages: Option<Vec<MessageTemplate>>,
    /// How templates are written.
    pub template_format: TemplateFormat,
    /// What the templates take; none: derived.
    pub variables: Option<Vec<Variable>>,
    /// None: the newest version's, else the team's default.
    pub model_id: Option<String>,
    /// None: 0.7.
    pub temperature: Option<f64>,
    /// None: 1000.
    pub max_tokens: Option<u32>,
    /// Further parameters of the model.
    pub params: Map<String, Value>,
    /// The team's own settings.
    pub config: Map<String, Value>,
    /// Why it is written.
    pub note: Option<String>,
    /// The version that it was written on: refused when there is a newer one.
    pub based_on: Option<VersionId>,
}

/// A rendered version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    /// The text; none with messages.
    pub resolved_text: Option<String>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// What a chat model is sent.
    pub messages: Vec<ChatMessage>,
    /// Values that no variable takes.
    pub ignored_variables: Vec<String>,
}

/// Values of variables by their names, as they are written.
pub type Values = BTreeMap<String, Literal>;

/// How two versions differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// The older version.
    pub from: Pointer,
    /// The newer version.
    pub to: Pointer,
    /// Parameters that changed.
    pub fields: Vec<FieldChange>,
    /// Texts that changed.
    pub text: Vec<TextChange>,
}

/// A version's id and number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pointer {
    /// Its id.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
}

/// A parameter that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// Before, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Literal>,
    /// After, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Literal>,
}

/// A text that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextChange {
    /// The field that holds it.
    pub field: String,
    /// `word` or `line`: how closely it was compared.
    pub level: String,
    /// The places that changed.
    pub hunks: Vec<Hunk>,
}

/// A changed place with its surroundings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hunk {
    /// The first old line.
    pub old_start: usize,
    /// How many there are.
    pub old_lines: usize,
    /// The first new line.
    pub new_start: usize,
    /// How many there are.
    pub new_lines: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// `equal`, `delete` or `insert`.
    pub tag: String,
    /// The line with its ending.
    pub text: String,
    /// The same in pieces, where words were compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
}

/// A part of a changed line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Whether it changed.
    pub changed: bool,
    /// The part.
    pub text: String,
}

#[derive(Serialize)]
struct Wait {
    wait: u64,
}

#[derive(Serialize)]
struct Between<'q> {
    from: &'q str,
    to: &'q str,
}

#[derive(Serialize)]
struct RenderBody<'v> {
    variables: &'v Values,
}

#[derive(Serialize)]
struct NewApproval<'a> {
    environment: &'a str,
    reason: &'a str,
}

impl Client {
    /// Writes a version, and waits up to `wait` seconds (25 at most) for its evaluation.
    pub async fn create_version(&self, prompt: &str, new: &NewVersion, wait: u64) -> Result<Version> {
        let path = self.prompt_path(prompt).await?;
        self.post_once(&format!("{path}/versions")).query(&Wait { wait }).json(new).answer().await
    }

    /// Lists a prompt's versions, newest first.
    pub async fn versions(&self, prompt: &str, most: usize) -> Result<Page<Version>> {
        let path = self.prompt_path(prompt).await?;
        self.list(&format!("{path}/versions"), &(), most).await
    }

    /// A version by its id.
    pub async fn version(&self, version: VersionId) -> Result<Version> {
        self.get(&format!("/api/versions/{version}")).answer().await
    }

    /// How two versions differ, each named by id or number.
    pub async fn diff(&self, prompt: &str, from: &str, to: &str) -> Result<Diff> {
        let path = self.prompt_path(prompt).await?;
        self.get(&format!("{path}/diff")).query(&Between { from, to }).answer().await
    }

    /// Renders a version, as resolving it would.
    pub async fn render(&self, version: VersionId, variables: &Values) -> Result<Rendered> {
        self.post(&format!("/api/versions/{version}/render")).json(&RenderBody { variables }).answer().await
    }

    /// Gives a releaser's word that a version may go live.
    pub async fn approve(&self, version: VersionId, environment: &str, reason: &str) -> Result<Version> {
        let approval = NewApproval { environment, reason };
        self.post_once(&format!("/api/versions/{version}/approvals")).json(&approval).answer().await
    }
}
