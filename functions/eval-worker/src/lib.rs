//! `eval-worker`: one case of an evaluation at a time. It renders, calls the model, scores, and stores the result;
//! then it counts the case, and whoever counts the last one closes the run.
//!
//! It also reads its own dead-letter queue: a case whose workers crashed becomes an errored one, so a run always ends.

mod answer;
mod case;
mod former;
mod judging;
mod transient;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::{
    Caller, ErrorKind, EvalRun, Result,
    eval_run::{CaseMessage, CaseResult},
};
use registry::{Registry, evaluation::Ending};
use runtime::{Queue, log::traced};
use store::Progress;

use crate::{case::Done, former::Question};

pub use judging::Judges;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub registry: Registry,
    /// The queue of cases.
    pub queue: Queue,
    /// Who judges where an assertion names nobody.
    pub judges: Judges,
}

/// How the names of dead-letter queues end.
const DEAD_LETTERS: &str = "-dlq";

/// Handles a batch of cases, from the queue or from its dead-letter queue.
pub async fn handle(event: SqsEvent, app: &App) -> Result<SqsBatchResponse> {
    let source = event.records.first().and_then(|message| message.event_source_arn.as_deref());
    if source.is_some_and(|arn| arn.ends_with(DEAD_LETTERS)) {
        let handle = |message: CaseMessage| async move { app.give_up(message).await };
        return Ok(runtime::batch::messages(event, handle).await);
    }
    let handle = |message: CaseMessage| async move { app.work(message).await };
    Ok(runtime::batch::messages(event, handle).await)
}

impl App {
    /// Works on a case. A case that has its result is only counted again: the model is not called twice.
    async fn work(&self, message: CaseMessage) -> Result<()> {
        let Some(run) = self.open_run(&message).await? else { return Ok(()) };
        let store = &self.registry.store;
        if let Some(result) = store.case_result(run.eval_run_id, message.number).await? {
            return self.count(&run, &result).await;
        }
        match self.run_case(&run, &message).await {
            Ok(Some(Done { result, question })) => self.keep(&run, result, question.as_ref()).await,
            Ok(None) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.end(&run, Ending::without_cases()).await
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a case whose workers crashed an errored one.
    async fn give_up(&self, message: CaseMessage) -> Result<()> {
        let Some(run) = self.open_run(&message).await? else { return Ok(()) };
        let blank = match self.case(&run, &message).await {
            Ok(case) => case::blank(message.number, &case),
            Err(error) if error.retryable() => return Err(error),
            // A case that cannot be read at all has no more than its position.
            Err(_) => case::unread(message.number, format!("case-{:05}", message.number)),
        };
        let error = "No worker survived this case: it was tried three times.".to_owned();
        let result = CaseResult { error: Some(error), ..blank };
        self.keep(&run, result, None).await
    }

    async fn open_run(&self, message: &CaseMessage) -> Result<Option<EvalRun>> {
        let run = self.registry.store.run(message.prompt_id, message.eval_run_id).await?;
        Ok(run.filter(|run| run.status.is_open()))
    }

    /// Keeps what came of a case, with the question that it answers for runs to come.
    async fn keep(&self, run: &EvalRun, result: CaseResult, question: Option<&Question>) -> Result<()> {
        let now = self.registry.sources.now();
        let stored = self.registry.store.put_case_result(run.eval_run_id, result, now).await?;
        traced(run.trace_id, "a case has its result", format_args!("{} {}", run.eval_run_id, stored.number));
        if let Some(question) = question {
            self.note_answer(question, run.eval_run_id, &stored).await?;
        }
        self.count(run, &stored).await
    }

    async fn count(&self, run: &EvalRun, result: &CaseResult) -> Result<()> {
        let now = self.registry.sources.now();
        let progress = self.registry.store.count_case(run, result.number, result.outcome, now).await?;
        match progress {
            Progress::Complete => self.end(run, Ending::Complete).await,
            Progress::Going => Ok(()),
        }
    }

    async fn end(&self, run: &EvalRun, ending: Ending) -> Result<()> {
        self.registry.end_run(&Caller::system("eval-worker"), run.prompt_id, run.eval_run_id, ending).await?;
        traced(run.trace_id, "a run ends", run.eval_run_id);
        Ok(())
    }
}
