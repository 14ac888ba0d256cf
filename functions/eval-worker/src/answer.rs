//! One answer of a model to a case, judged.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    Error, ErrorKind, Result,
    assertion::{Answered, CaseScore, Judgement, score},
    eval_run::{Draft, Said},
    model::ModelEntry,
    money::Usd,
};
use models::{CallError, Completion, Request};

use crate::{
    App,
    case::Subject,
    transient::{self, Again},
};

/// What came of asking once.
pub(crate) struct Answer {
    pub(crate) scored: CaseScore,
    pub(crate) output: String,
    /// Of the model alone, judges apart.
    pub(crate) latency_ms: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    /// Judges included.
    pub(crate) cost_usd: Usd,
}

/// Why there is no answer, or no judgement of it.
pub(crate) enum Failure {
    /// A model's doing.
    Theirs {
        /// In words.
        error: Error,
        /// How long the provider asks us to wait.
        retry_after: Option<Duration>,
        /// Whether the same call may succeed later.
        again: Again,
        /// Whether the prompt has no part in it.
        says_nothing: bool,
    },
    /// A model's budget is used up: nobody's failure.
    OverBudget,
    /// Ours: the message comes again.
    Ours(Error),
}

impl Failure {
    pub(crate) fn of_call(error: CallError, says_nothing: bool) -> Self {
        let says_nothing = says_nothing || error.says_nothing();
        let retry_after = error.retry_after();
        let again = match &error {
            CallError::Throttled { .. } => Again::Asked,
            error if error.transient() => Again::Perhaps,
            _ => Again::Never,
        };
        Self::Theirs { error: error.into(), retry_after, again, says_nothing }
    }

    /// The case has had its time.
    fn late() -> Self {
        let seconds = transient::CASE_TIME.as_secs();
        let detail = format!("The models were not done with this case in the {seconds} s that it may take.");
        let error = Error::new(ErrorKind::Provider, detail);
        Self::Theirs { error, retry_after: None, again: Again::Perhaps, says_nothing: true }
    }

    /// A judge that fails says nothing about the prompt, and never lets it pass.
    pub(crate) fn of_judge(error: Error) -> Self {
        let again = if error.retryable() { Again::Perhaps } else { Again::Never };
        Self::Theirs { error, retry_after: None, again, says_nothing: true }
    }
}

impl App {
    /// Asks the model once, and has its answer judged. What is in the draft is not asked for; what is not is added
    /// as soon as it is known.
    pub(crate) async fn answer(&self, subject: &Subject<'_>, draft: &mut Draft) -> Result<Answer, Failure> {
        let said = match &draft.said {
            Some(said) => said.clone(),
            None => draft.said.insert(self.said(subject).await?).clone(),
        };
        self.judge(subject, &said.output, &mut draft.judged).await?;
        let judging_usd = draft.judged.values().map(|judged| judged.cost_usd);
        let cost_usd = std::iter::once(said.cost_usd).chain(judging_usd).sum();
        let judgements = draft.judged.iter().map(|(at, judged)| (*at, judged.judgement.clone())).collect();
        let Said { latency_ms, input_tokens, output_tokens, .. } = said;
        let (scored, output) = scored(subject, said, judgements).await?;
        Ok(Answer { scored, output, latency_ms, input_tokens, output_tokens, cost_usd })
    }

    async fn said(&self, subject: &Subject<'_>) -> Result<Said, Failure> {
        let Subject { model, content, rendered, until, .. } = subject;
        let request = Request {
            messages: &rendered.messages,
            temperature: content.temperature,
            max_tokens: content.max_tokens,
            params: &content.params,
        };
        let calling = self.registry.models.call(model, &request);
        let (called, took) = self.within_budget(model, *until, calling).await?;
        let completion = called.map_err(|error| Failure::of_call(error, false))?;
        let Completion { output, input_tokens, output_tokens, .. } = completion;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let cost_usd = model.cost(input_tokens, output_tokens);
        Ok(Said { output, latency_ms, input_tokens, output_tokens, cost_usd })
    }

    /// Calls once the model's budget has room, and says how long the call itself took. Past the case's time nobody is
    /// called, and who is then still thinking is cut short.
    pub(crate) async fn within_budget<T>(
        &self,
        model: &ModelEntry,
        until: Duration,
        call: impl Future<Output = T>,
    ) -> Result<(T, Duration), Failure> {
        let clock = &self.registry.sources.clock;
        let left = || until.saturating_sub(clock.monotonic());
        let patience = left().min(transient::BUDGET_PATIENCE);
        if patience.is_zero() {
            return Err(Failure::late());
        }
        let leave = self.registry.leave(model, patience).await.map_err(Failure::Ours)?;
        let leave = leave.ok_or(Failure::OverBudget)?;
        let started = clock.monotonic();
        let called = tokio::time::timeout(left(), call).await;
        let took = clock.monotonic().saturating_sub(started);
        self.registry.return_leave(leave).await;
        Ok((called.map_err(|_| Failure::late())?, took))
    }
}

/// Scores an output. A test set's author chooses the expressions, so they run beside the other cases, not before
/// them.
async fn scored(
    subject: &Subject<'_>,
    said: Said,
    judgements: BTreeMap<usize, Judgement>,
) -> Result<(CaseScore, String), Failure> {
    let case = Arc::clone(&subject.case);
    let scoring = tokio::task::spawn_blocking(move || {
        let Said { output, latency_ms, cost_usd, .. } = said;
        let answered = Answered { output: &output, latency_ms, cost_usd };
        score(&case, &answered, &judgements).map(|scored| (scored, output))
    });
    let scored = scoring.await.map_err(|error| Failure::Ours(Error::internal(error)))?;
    scored.map_err(Failure::Ours)
}
