//! What a version looks like.

use std::collections::BTreeMap;

use domain::{
    EvalStatus,
    content::{Body, FewShotExample, MessageTemplate, TemplateFormat, Variable},
    version::{Approval, Drift, Review},
};
use registry::version::VersionDetails;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::evals::EvalView;

/// What a version says: it never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentView {
    version_id: String,
    prompt_id: String,
    version_number: u32,
    content_sha256: String,
    template_text: Option<String>,
    system_prompt: Option<String>,
    #[schema(value_type = Vec<Object>)]
    few_shot_examples: Vec<FewShotExample>,
    #[schema(value_type = Option<Vec<Object>>)]
    messages: Option<Vec<MessageTemplate>>,
    #[schema(value_type = String)]
    template_format: TemplateFormat,
    #[schema(value_type = Vec<Object>)]
    variables: Vec<Variable>,
    model_id: String,
    temperature: f64,
    max_tokens: u32,
    #[schema(schema_with = web::schema::any_object)]
    params: Map<String, Value>,
    #[schema(schema_with = web::schema::any_object)]
    config: Map<String, Value>,
    note: Option<String>,
    created_by: String,
    created_at: String,
}

/// A version with where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    #[serde(flatten)]
    content: ContentView,
    /// `none`, `pending`, `passed`, `failed` or `manual_review`.
    eval_status: String,
    eval_score: Option<f64>,
    eval_run_id: Option<String>,
    /// What a person decided about a run that was too close to call: `{eval_run_id, approved, by, at, reason}`.
    #[schema(value_type = Option<Object>)]
    review: Option<Review>,
    /// `{environment, by, at, reason}`.
    #[schema(value_type = Vec<Object>)]
    approvals: Vec<Approval>,
    /// The models on which it passed, its own among them: `{model_id: eval_run_id}`.
    #[schema(value_type = Object)]
    models_passed: BTreeMap<String, String>,
    /// Set while it scores significantly worse than when it passed: `{eval_run_id, at, reason}`.
    #[schema(value_type = Option<Object>)]
    drift: Option<Drift>,
    /// The environments in which it was ever live.
    been_live: Vec<String>,
    /// Present, and true, when the newest version says the same already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) unchanged: bool,
    /// The run that a request waited for in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) eval_run: Option<EvalView>,
}

impl ContentView {
    pub(super) fn new(version: domain::Version) -> Self {
        let content = version.content;
        let (template_text, system_prompt, few_shot_examples, messages) = match content.body {
            Body::Text { template_text, system_prompt, few_shot_examples } => {
                (Some(template_text), system_prompt, few_shot_examples, None)
            }
            Body::Messages(messages) => (None, None, Vec::new(), Some(messages)),
        };
        Self {
            version_id: version.version_id.to_string(),
            prompt_id: version.prompt_id.to_string(),
            version_number: version.number,
            content_sha256: version.content_sha256,
            template_text,
            system_prompt,
            few_shot_examples,
            messages,
            template_format: content.template_format,
            variables: content.variables,
            model_id: content.model_id,
            temperature: content.temperature,
            max_tokens: content.max_tokens,
            params: content.params,
            config: content.config,
            note: version.note,
            created_by: version.created_by,
            created_at: version.created_at.to_string(),
        }
    }
}

impl VersionView {
    pub(crate) fn new(details: VersionDetails) -> Self {
        let VersionDetails { version, state } = details;
        let own = state.evidence.filter(|_| state.eval_status == EvalStatus::Passed);
        let own = own.map(|evidence| (version.content.model_id.clone(), evidence.eval_run_id));
        let models_passed = state.models_passed.into_iter().chain(own);
        Self {
            content: ContentView::new(version),
            eval_status: status_name(state.eval_status).to_owned(),
            eval_score: state.eval_score,
            eval_run_id: state.eval_run_id.map(|id| id.to_string()),
            review: state.review,
            approvals: state.approvals,
            models_passed: models_passed.map(|(model, run)| (model, run.to_string())).collect(),
            drift: state.drift,
            been_live: state.been_live.iter().map(ToString::to_string).collect(),
            unchanged: false,
            eval_run: None,
        }
    }
}

fn status_name(status: EvalStatus) -> &'static str {
    match status {
        EvalStatus::None => "none",
        EvalStatus::Pending => "pending",
        EvalStatus::Passed => "passed",
        EvalStatus::Failed => "failed",
        EvalStatus::ManualReview => "manual_review",
    }
}
