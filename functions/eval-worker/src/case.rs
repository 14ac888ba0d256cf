//! Running one case: render, ask, score.

use std::{sync::Arc, time::Duration};

use domain::{
    Error, EvalRun, Result,
    assertion::CaseScore,
    content::Content,
    eval_run::{CaseMessage, CaseOutcome, CaseResult, Draft, average},
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
    /// When models and judges have had their time, by the monotonic clock.
    pub(crate) until: Duration,
}

/// What came of a case.
pub(crate) struct Done {
    pub(crate) result: CaseResult,
    /// The question that it answers, where that answer may stand for others.
    pub(crate) question: Option<Question>,
}

impl App {
    /// Runs a case; `None` when it was sent again because the provider, or the model's budget, asks for patience.
    pub(crate) async fn run_case(&self, run: &EvalRun, message: &CaseMessage) -> Result<Option<Done>> {
        let until = self.registry.sources.clock.monotonic() + transient::CASE_TIME;
        let case = Arc::new(self.case(run, message).await?);
        let blank = blank(message.number, &case);
        let done = |result: CaseResult| Ok(Some(Done { result, question: None }));
        let version = self.registry.cache.version(run.prompt_id, run.version.number).await?;
        let version = version.ok_or_else(|| Error::internal(format!("{} is missing", run.version.id)))?;
        let rendered =
            Values::parse(case.document.vars.as_str()).and_then(|values| version.compiled.render(&values));
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return done(errored(blank, &error)),
        };
        let model = match self.registry.model(&run.model_id).await {
            Err(error) if error.retryable() => return Err(error),
            Err(error) => return done(errored(blank, &error)),
            Ok(model) => model,
        };
        let content = &version.version.content;
        let subject = Subject { run, case, content, model: &model, rendered: &rendered, until };
        let question = Question::of(&subject, &self.judges);
        if let Some(former) = self.former_result(&subject, question.as_ref(), &blank).await? {
            return done(former);
        }
        match self.answers(&subject, message.number).await {
            Ok(answers) => Ok(Some(Done { result: together(blank, &answers), question })),
            Err(Failure::Ours(error)) => Err(error),
            Err(Failure::OverBudget) => self.send_again(*message, transient::BUDGET_PAUSE).await,
            Err(Failure::Theirs { error, says_nothing, .. }) if !says_nothing => done(errored(blank, &error)),
            Err(Failure::Theirs { error, retry_after, again, .. }) => match transient::next(message, again) {
                Some(next) => self.send_again(next, transient::delay(message.attempt, retry_after)).await,
                None => done(CaseResult { provider_error: true, ..errored(blank, &error) }),
            },
        }
    }

    /// Asks as often as the run wants. Where that fails, what is known by then is kept for when the case comes again.
    async fn answers(&self, subject: &Subject<'_>, number: u32) -> Result<Vec<Answer>, Failure> {
        let (store, run) = (&self.registry.store, subject.run);
        let before = store.drafts(run.eval_run_id, number).await.map_err(Failure::Ours)?;
        let before: Vec<Draft> =
            (0..run.repeats).map(|repeat| before.get(&repeat).cloned().unwrap_or_default()).collect();
        let mut drafts = before.clone();
        let answers = join_all(drafts.iter_mut().map(|draft| self.answer(subject, draft))).await;
        let answers = answers.into_iter().collect::<Result<Vec<Answer>, Failure>>();
        if answers.is_err() {
            let now = self.registry.sources.now();
            for (repeat, (draft, before)) in (0..).zip(drafts.into_iter().zip(&before)) {
                let put = store.put_draft(run.eval_run_id, number, repeat, draft.beyond(before), now);
                put.await.map_err(Failure::Ours)?;
            }
        }
        answers
    }

    /// Sends a case again, and notes that it is not lost.
    async fn send_again(&self, message: CaseMessage, delay: Duration) -> Result<Option<Done>> {
        let now = self.registry.sources.now();
        self.registry.store.note_alive(message.eval_run_id, message.number, now).await?;
        self.queue.send(&[message], delay).await?;
        Ok(None)
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

/// A case that an error keeps from having an output.
fn errored(blank: CaseResult, error: &Error) -> CaseResult {
    CaseResult { error: Some(describe(error)), ..blank }
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
