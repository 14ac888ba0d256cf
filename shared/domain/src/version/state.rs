//! What happened to a version since it was written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Version, VersionPointer};
use crate::{Environment, EvalRun, EvalRunId, PromptId, TestSetId, Timestamp, VersionId};

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
    /// The runs on the other models that were too close to call and that nobody has decided yet.
    #[serde(default)]
    pub models_waiting: BTreeMap<String, EvalRunId>,
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
            models_waiting: BTreeMap::new(),
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

    /// The state of which nobody knows any more what runs found: none counts.
    #[must_use]
    pub fn undecided(&self) -> Self {
        Self {
            revision: self.revision + 1,
            eval_status: EvalStatus::None,
            eval_score: None,
            eval_run_id: None,
            evidence: None,
            measuring: None,
            review: None,
            models_passed: BTreeMap::new(),
            models_asked: BTreeMap::new(),
            models_waiting: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// The state after a run on another model was queued: from then on that run decides there.
    #[must_use]
    pub fn queued_on(&self, model_id: &str, run: EvalRunId) -> Self {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        next.models_asked.insert(model_id.to_owned(), run);
        next.models_waiting.remove(model_id);
        next
    }

    /// The runs that wait for somebody to decide.
    pub fn waiting(&self) -> impl Iterator<Item = EvalRunId> {
        let own = self.eval_run_id.filter(|_| self.eval_status == EvalStatus::ManualReview);
        own.into_iter().chain(self.models_waiting.values().copied())
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
