//! Versions: immutable content with a number, and beside it the state that evaluations change.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Environment, EvalRun, EvalRunId, PromptId, Result, TestSetId, Timestamp, VersionId,
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

/// Where a version stands with its evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalStatus {
    /// Its prompt has no test set.
    None,
    /// A run is under way, or ended without a verdict.
    Pending,
    /// The gate is satisfied.
    Passed,
    /// The gate is not.
    Failed,
    /// Too close to call.
    ManualReview,
}

/// What happened to a version since it was written. It changes; the version does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionState {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The version's number.
    pub number: u32,
    /// The version's id.
    pub version_id: VersionId,
    /// Counts the changes of this state.
    pub revision: u64,
    /// Where the evaluation stands.
    pub eval_status: EvalStatus,
    /// The average score of the run that decided, 0 to 1.
    pub eval_score: Option<f64>,
    /// The run that decides or decided.
    pub eval_run_id: Option<EvalRunId>,
    /// What the verdict rests on.
    pub evidence: Option<Evidence>,
    /// The newest run that measured it as it would run in production; it outlives verdicts.
    #[serde(default)]
    pub measured: Option<Evidence>,
    /// The run that is about to measure it, where one was asked for.
    #[serde(default)]
    pub measuring: Option<Evidence>,
    /// What a person decided about the run that was too close to call.
    #[serde(default)]
    pub review: Option<Review>,
    /// Who approved it, for which environment.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// The other models on which it passed, with the run that showed it.
    #[serde(default)]
    pub models_passed: BTreeMap<String, EvalRunId>,
    /// The newest run on each of the other models: it alone decides there.
    #[serde(default)]
    pub models_asked: BTreeMap<String, EvalRunId>,
    /// Set while it scores significantly worse in production than when it passed.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// The environments in which it was ever live.
    pub been_live: BTreeSet<Environment>,
}

/// What a verdict or a measurement rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The run.
    pub eval_run_id: EvalRunId,
    /// The test set.
    pub test_set_id: TestSetId,
    /// Its version.
    pub test_set_version: u32,
    /// The version in production that it was compared with; `None`: there was none.
    #[serde(default)]
    pub baseline: Option<VersionPointer>,
    /// How often each case was asked.
    #[serde(default = "once")]
    pub repeats: u32,
}

fn once() -> u32 {
    1
}

/// A person's decision about a run that was too close to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The run.
    pub eval_run_id: EvalRunId,
    /// Whether the version may go live.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A releaser's word that a version may go live somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Where.
    pub environment: Environment,
    /// Whose word.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A version that scores significantly worse today than when it passed: its prompt is the same, so the model changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The run that showed it.
    pub eval_run_id: EvalRunId,
    /// When.
    pub at: Timestamp,
    /// In words.
    pub reason: String,
}

impl Evidence {
    /// What a run stands for.
    pub fn of(run: &EvalRun) -> Self {
        Self {
            eval_run_id: run.eval_run_id,
            test_set_id: run.test_set_id,
            test_set_version: run.test_set_version,
            baseline: run.baseline.map(|baseline| baseline.version),
            repeats: run.repeats,
        }
    }
}

impl VersionState {
    /// The state of a version just written.
    pub fn new(version: &Version, run: Option<EvalRunId>) -> Self {
        Self {
            prompt_id: version.prompt_id,
            number: version.number,
            version_id: version.version_id,
            revision: 1,
            eval_status: if run.is_some() { EvalStatus::Pending } else { EvalStatus::None },
            eval_score: None,
            eval_run_id: run,
            evidence: None,
            measured: None,
            measuring: None,
            review: None,
            approvals: Vec::new(),
            models_passed: BTreeMap::new(),
            models_asked: BTreeMap::new(),
            drift: None,
            been_live: BTreeSet::new(),
        }
    }

    /// The state after a new run was queued: what the former run found no longer counts.
    #[must_use]
    pub fn queued(&self, run: EvalRunId) -> Self {
        Self {
            revision: self.revision + 1,
            eval_status: EvalStatus::Pending,
            eval_score: None,
            eval_run_id: Some(run),
            evidence: None,
            review: None,
            ..self.clone()
        }
    }

    /// The state after a run on another model was queued: from then on that run decides there.
    #[must_use]
    pub fn queued_on(&self, model_id: &str, run: EvalRunId) -> Self {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        next.models_asked.insert(model_id.to_owned(), run);
        next
    }

    /// Whether a run on another model decides there; each does where none was noted when it was queued.
    pub fn is_decided_by(&self, model_id: &str, run: EvalRunId) -> bool {
        self.models_asked.get(model_id).is_none_or(|newest| *newest == run)
    }

    /// The state while a run measures it for another to be compared with.
    #[must_use]
    pub fn measured_by(&self, run: &EvalRun) -> Self {
        let measuring = Some(Evidence::of(run));
        Self { revision: self.revision + 1, measuring, ..self.clone() }
    }

    /// The state once the version went live in an environment.
    #[must_use]
    pub fn live_in(&self, environment: &Environment) -> Self {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        next.been_live.insert(environment.clone());
        next
    }
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
