//! Answers of former runs that may stand for new ones: where nothing that the answer depends on has changed, and the
//! model answers the same question alike.

use domain::{
    EvalRunId, Result,
    eval_run::{CaseOutcome, CaseResult},
    model::ModelEntry,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{App, Judges, case::Subject};

/// A question, by all that its answer depends on.
pub(crate) struct Question(String);

impl Question {
    /// The question that a case is; `None` where the same question may have another answer.
    pub(crate) fn of(subject: &Subject<'_>, judges: &Judges) -> Option<Self> {
        let Subject { run, case, content, model, .. } = subject;
        // What the parameters say is what the model is sent.
        let temperature = match content.params.get("temperature") {
            Some(temperature) => temperature.as_f64(),
            None => Some(content.temperature),
        };
        if run.repeats > 1 || temperature != Some(0.0) {
            return None;
        }
        let ModelEntry { provider, base_url, api_model, model_id, .. } = model;
        let parts = json!([
            content.sha256(),
            [provider.to_string()],
            base_url,
            api_model,
            model_id,
            case.content_sha256(),
            judges.judge_model,
            judges.embedding_model,
        ]);
        Some(Self(hex::encode(Sha256::digest(parts.to_string()))))
    }
}

impl App {
    /// What a former run was answered, where this one may have that. It says whose answer it is.
    pub(crate) async fn former_result(
        &self,
        subject: &Subject<'_>,
        question: Option<&Question>,
        blank: &CaseResult,
    ) -> Result<Option<CaseResult>> {
        let Some(question) = question.filter(|_| subject.run.reuse) else { return Ok(None) };
        let former = self.registry.store.former_answer(&question.0).await?;
        // A worker may have died over it, after it was noted.
        let former = former.filter(|(_, former)| former.outcome != CaseOutcome::Errored);
        Ok(former.map(|(run, former)| CaseResult {
            number: blank.number,
            case_id: blank.case_id.clone(),
            critical: blank.critical,
            reused_from: Some(former.reused_from.unwrap_or(run)),
            ..former
        }))
    }

    /// Notes an answer for runs to come, once it is kept.
    pub(crate) async fn note_answer(
        &self,
        question: &Question,
        run: EvalRunId,
        kept: &CaseResult,
    ) -> Result<()> {
        if kept.outcome == CaseOutcome::Errored {
            return Ok(());
        }
        let now = self.registry.sources.now();
        self.registry.store.note_answer(&question.0, run, kept.number, now).await
    }
}
