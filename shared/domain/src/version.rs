//! Versions: immutable content with a number, and beside it the state that evaluations change.

mod state;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::state::{Approval, Drift, EvalStatus, Evidence, Review, VersionState};
use crate::{
    PromptId, Result, Timestamp, VersionId,
    content::{Body, Content, TemplateFormat, Variable},
    template::Compiled,
};

/// An immutable version of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its id.
    pub version_id: VersionId,
    /// The prompt that it belongs to.
    pub prompt_id: PromptId,
    /// 1, 2, 3, … within the prompt.
    pub number: u32,
    /// What it says.
    pub content: Content,
    /// See [`Content::sha256`].
    pub content_sha256: String,
    /// Who wrote it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Why, in the author's words.
    pub note: Option<String>,
}

impl Version {
    /// How refs name it.
    pub fn pointer(&self) -> VersionPointer {
        VersionPointer { number: self.number, id: self.version_id }
    }
}

/// A version as refs and undo stacks name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionPointer {
    /// Its number, under which it is stored.
    pub number: u32,
    /// Its id, under which people know it.
    pub id: VersionId,
}

/// What a new version is given.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// The text.
    pub body: Body,
    /// How its templates are written.
    pub template_format: TemplateFormat,
    /// Declared variables; `None`: they are derived.
    pub variables: Option<Vec<Variable>>,
    /// The model; `None`: the newest version's.
    pub model_id: Option<String>,
    /// Sampling temperature.
    pub temperature: f64,
    /// The most tokens of an answer.
    pub max_tokens: u32,
    /// Further parameters of the model.
    pub params: Map<String, Value>,
    /// The caller's own settings.
    pub config: Map<String, Value>,
    /// Why, in the author's words.
    pub note: Option<String>,
    /// The version that the author started from.
    pub based_on: Option<VersionId>,
}

impl NewVersion {
    /// The content that this comes to for a model: checked, with its variables, and known to compile.
    pub fn content(&self, model_id: String) -> Result<Content> {
        let content = Content {
            body: self.body.clone(),
            template_format: self.template_format,
            variables: Vec::new(),
            model_id,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            params: self.params.clone(),
            config: self.config.clone(),
        };
        let content = content.with_variables(self.variables.clone())?;
        content.validate()?;
        Compiled::new(&content)?;
        Ok(content)
    }
}
