//! `dispatch`: reads the registry's stream, sends a queued evaluation run out as one message per case, and queues what
//! webhooks are to be told.

use std::time::Duration;

use aws_lambda_events::event::{dynamodb::Event, streams::DynamoDbEventResponse};
use domain::{AuditId, EvalRunId, PromptId, Result, eval_run::CaseMessage};
use registry::{Registry, evaluation::CasePlace};
use runtime::{Queue, batch::Written, log::traced};
use store::keys::Key;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub registry: Registry,
    /// The queue of cases.
    pub queue: Queue,
    /// The queue of what webhooks are told.
    pub webhooks: Queue,
}

/// Handles a batch of records.
pub async fn handle(event: Event, app: &App) -> Result<DynamoDbEventResponse> {
    let handle = |written: Written| async move {
        match written.key {
            Some(Key::Run(prompt, run)) if !written.removed => app.dispatch(prompt, run).await,
            Some(Key::PromptAudit(prompt, entry)) if !written.removed => app.tell(prompt, entry).await,
            _ => Ok(()),
        }
    };
    Ok(runtime::batch::records(event, handle).await)
}

impl App {
    /// Sends the cases of a run that asks for it. Whether it still does is read from the table: records come late,
    /// twice, and in any order.
    async fn dispatch(&self, prompt_id: PromptId, eval_run_id: EvalRunId) -> Result<()> {
        let claim = u64::from_be_bytes(self.registry.sources.bytes());
        let sent = self.send_out(prompt_id, eval_run_id, claim).await;
        if sent.is_err() {
            // The claim may stand all the same, and then the record would ask for nothing when it comes again. Should
            // this fail too, the sweep of `steer` finds the run.
            self.registry.give_back(prompt_id, eval_run_id, claim).await?;
        }
        sent
    }

    async fn send_out(&self, prompt_id: PromptId, eval_run_id: EvalRunId, claim: u64) -> Result<()> {
        let Some(claimed) = self.registry.claim_run(prompt_id, eval_run_id, claim).await? else {
            return Ok(());
        };
        let message = |case: &CasePlace| CaseMessage {
            prompt_id,
            eval_run_id,
            number: case.number,
            offset: case.offset,
            length: case.length,
            attempt: 1,
            failures: 0,
        };
        let messages: Vec<CaseMessage> = claimed.cases.iter().map(message).collect();
        self.queue.send(&messages, Duration::ZERO).await?;
        traced(claimed.run.trace_id, "cases are sent out", eval_run_id);
        Ok(())
    }

    /// Queues one message for each webhook that asked for what this entry is. A record that comes twice queues them
    /// twice, under the same ids.
    async fn tell(&self, prompt_id: PromptId, audit_id: AuditId) -> Result<()> {
        let notices = self.registry.notices(prompt_id, audit_id).await?;
        self.webhooks.send(&notices, Duration::ZERO).await
    }
}
