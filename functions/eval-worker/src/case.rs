//! Running one case.

use domain::{
    Error, EvalRun, Result,
    assertion::score,
    content::Content,
    eval_run::{CaseMessage, CaseOutcome, CaseResult},
    model::ModelEntry,
    money::Usd,
    template::Values,
    test_set::Case,
};
use models::{CallError, Completion, Request};

use crate::{App, transient};

impl App {
    /// Runs a case; `None` when it was sent again because the provider asks for patience.
    pub(crate) async fn run_case(&self, run: &EvalRun, message: &CaseMessage) -> Result<Option<CaseResult>> {
        let case = self.case(run, message).await?;
        let critical = case.is_critical();
        let failed = |error: &Error| CaseResult {
            critical,
            error: Some(describe(error)),
            ..errored(message.number, case.case_id.clone())
        };
        let version = self.registry.cache.version(run.prompt_id, run.version.number).await?;
        let version = version.ok_or_else(|| Error::internal(format!("{} is missing", run.version.id)))?;
        let rendered =
            Values::parse(case.document.vars.as_str()).and_then(|values| version.compiled.render(&values));
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Some(failed(&error))),
        };
        let model = match self.registry.model(&run.model_id).await {
            Err(error) if error.retryable() => return Err(error),
            Err(error) => return Ok(Some(failed(&error))),
            Ok(model) => model,
        };
        let content = &version.version.content;
        let started = self.registry.sources.clock.monotonic();
        let called = self.registry.models.call(&model, &request(content, &rendered.messages)).await;
        let took = self.registry.sources.clock.monotonic().saturating_sub(started);
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match called {
            Ok(completion) => judge(case, message.number, &model, completion, latency_ms).await.map(Some),
            Err(error) => self.failed_call(message, error, failed).await,
        }
    }

    /// A transient failure is tried again later, as a new message: returned to the queue it would count as a crash.
    async fn failed_call(
        &self,
        message: &CaseMessage,
        error: CallError,
        failed: impl FnOnce(&Error) -> CaseResult,
    ) -> Result<Option<CaseResult>> {
        let provider_error = error.transient();
        if provider_error && message.attempt < transient::MAX_ATTEMPTS {
            let delay = transient::delay(message.attempt, &error);
            let again = CaseMessage { attempt: message.attempt + 1, ..*message };
            self.queue.send(&[again], delay).await?;
            return Ok(None);
        }
        Ok(Some(CaseResult { provider_error, ..failed(&Error::from(error)) }))
    }

    /// Reads a case; `NotFound` when its test set was deleted.
    pub(crate) async fn case(&self, run: &EvalRun, message: &CaseMessage) -> Result<Case> {
        let store = &self.registry.store;
        let set = store.test_set_version(run.test_set_id, run.test_set_version).await?;
        let set = set.ok_or_else(|| {
            Error::internal(format!("{} has no version {}", run.test_set_id, run.test_set_version))
        })?;
        let bytes = store.dataset_range(&set, message.offset, message.length).await?;
        Case::parse(&bytes, usize::try_from(message.number).unwrap_or(usize::MAX))
    }
}

fn request<'a>(content: &'a Content, messages: &'a [domain::content::ChatMessage]) -> Request<'a> {
    Request {
        messages,
        temperature: content.temperature,
        max_tokens: content.max_tokens,
        params: &content.params,
    }
}

/// Scores an output. A test set's author chooses the expressions, so they run beside the other cases, not before
/// them.
async fn judge(
    case: Case,
    number: u32,
    model: &ModelEntry,
    completion: Completion,
    latency_ms: u64,
) -> Result<CaseResult> {
    let Completion { output, input_tokens, output_tokens, .. } = completion;
    let scoring = tokio::task::spawn_blocking(move || {
        let scored = score(&case, &output);
        (case, output, scored)
    });
    let (case, output, scored) = scoring.await.map_err(Error::internal)?;
    Ok(CaseResult {
        number,
        critical: case.is_critical(),
        outcome: if scored.passed { CaseOutcome::Passed } else { CaseOutcome::Failed },
        case_id: case.case_id,
        score: Some(scored),
        output: Some(output),
        error: None,
        provider_error: false,
        latency_ms: Some(latency_ms),
        input_tokens,
        output_tokens,
        cost_usd: model.cost(input_tokens, output_tokens),
    })
}

/// A case without an output.
pub(crate) fn errored(number: u32, case_id: String) -> CaseResult {
    CaseResult {
        number,
        case_id,
        outcome: CaseOutcome::Errored,
        critical: false,
        score: None,
        output: None,
        error: None,
        provider_error: false,
        latency_ms: None,
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: Usd::default(),
    }
}

/// An error with the places that it names, in one line.
fn describe(error: &Error) -> String {
    let places: Vec<String> =
        error.problems().iter().map(|problem| format!("{}: {}", problem.pointer, problem.detail)).collect();
    if places.is_empty() {
        error.detail().to_owned()
    } else {
        format!("{} ({})", error.detail(), places.join("; "))
    }
}
