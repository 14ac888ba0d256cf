//! Running one case: render, ask, score.

use std::sync::Arc;

use domain::{
    Error, EvalRun, Result,
    assertion::CaseScore,
    content::Content,
    eval_run::{CaseMessage, CaseOutcome, CaseResult, average},
    model::ModelEntry,
    money::Usd,
    template::{Rendered, Values},
    test_set::Case,
};
use futures_util::future::join_all;

use crate::{
    App,
    answer::{Answer, Failure},
    former::Question,
    transient,
};

/// A case on its way, with all that it is asked with.
pub(crate) struct Subject<'a> {
    pub(crate) run: &'a EvalRun,
    pub(crate) case: Arc<Case>,
    pub(crate) content: &'a Content,
    pub(crate) model: &'a ModelEntry,
    pub(crate) rendered: &'a Rendered,
}

impl App {
    /// Runs a case; `None` when it was sent again because the provider, or the model's budget, asks for patience.
    pub(crate) async fn run_case(&self, run: &EvalRun, message: &CaseMessage) -> Result<Option<CaseResult>> {
        let case = Arc::new(self.case(run, message).await?);
        let blank = blank(message.number, &case);
        let errored = |error: &Error| CaseResult { error: Some(describe(error)), ..blank.clone() };
        let version = self.registry.cache.version(run.prompt_id, run.version.number).await?;
        let version = version.ok_or_else(|| Error::internal(format!("{} is missing", run.version.id)))?;
        let rendered =
            Values::parse(case.document.vars.as_str()).and_then(|values| version.compiled.render(&values));
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Some(errored(&error))),
        };
        let model = match self.registry.model(&run.model_id).await {
            Err(error) if error.retryable() => return Err(error),
            Err(error) => return Ok(Some(errored(&error))),
            Ok(model) => model,
        };
        let content = &version.version.content;
        let subject = Subject { run, case, content, model: &model, rendered: &rendered };
        let question = Question::of(&subject, &self.judges);
        if let Some(former) = self.former_result(&subject, question.as_ref(), &blank).await? {
            return Ok(Some(former));
        }
        let answers = join_all((0..run.repeats).map(|_| self.answer(&subject))).await;
        match answers.into_iter().collect::<Result<Vec<Answer>, Failure>>() {
            Ok(answers) => {
                let result = together(blank, &answers);
                self.note_answer(run, question.as_ref(), &result).await?;
                Ok(Some(result))
            }
            Err(Failure::Ours(error)) => Err(error),
            Err(Failure::OverBudget) => {
                self.queue.send(&[*message], transient::BUDGET_PAUSE).await?;
                Ok(None)
            }
            Err(Failure::Theirs { error, says_nothing, .. }) if !says_nothing => Ok(Some(errored(&error))),
            Err(Failure::Theirs { error, retry_after, again, .. }) => {
                if let Some(next) = transient::next(message, again) {
                    self.queue.send(&[next], transient::delay(message.attempt, retry_after)).await?;
                    return Ok(None);
                }
                Ok(Some(CaseResult { provider_error: true, ..errored(&error) }))
            }
        }
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

/// One observation, however often the case was asked.
fn together(blank: CaseResult, answers: &[Answer]) -> CaseResult {
    let scores: Vec<CaseScore> = answers.iter().map(|answer| answer.scored.clone()).collect();
    let Some(score) = average(&scores) else { return blank };
    // What went wrong is more use than what went well.
    let telling = answers.iter().find(|answer| !answer.scored.passed).or(answers.first());
    let times = u64::try_from(answers.len()).unwrap_or(u64::MAX);
    CaseResult {
        outcome: if score.passed { CaseOutcome::Passed } else { CaseOutcome::Failed },
        score: Some(score),
        output: telling.map(|answer| answer.output.clone()),
        latency_ms: Some(answers.iter().map(|answer| answer.latency_ms).sum::<u64>() / times.max(1)),
        input_tokens: answers.iter().map(|answer| answer.input_tokens).sum(),
        output_tokens: answers.iter().map(|answer| answer.output_tokens).sum(),
        cost_usd: answers.iter().map(|answer| answer.cost_usd).sum(),
        ..blank
    }
}

/// A case without an output.
pub(crate) fn blank(number: u32, case: &Case) -> CaseResult {
    CaseResult {
        critical: case.is_critical(),
        content_sha256: case.content_sha256(),
        ..unread(number, case.case_id.clone())
    }
}

/// A case that nobody could read.
pub(crate) fn unread(number: u32, case_id: String) -> CaseResult {
    CaseResult {
        number,
        case_id,
        content_sha256: String::new(),
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
        reused_from: None,
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
