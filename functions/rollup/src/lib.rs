//! `rollup`: adds what `ingest` sent to the counters, exactly once.
//!
//! A batch is added together, since the additions of many messages to one counter are one write.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::{Result, Sources, metric::Message};
use runtime::log::traced;
use store::Store;

/// What the handler needs.
#[derive(Clone)]
pub struct App {
    /// The counters.
    pub store: Store,
    /// Time, and the waits of those who meet.
    pub sources: Sources,
}

/// Handles a batch of messages. Those that are not counted come again; what of them was counted is not counted twice.
pub async fn handle(event: SqsEvent, app: &App) -> Result<SqsBatchResponse> {
    let add = |messages: Vec<Message>| async move {
        let outcomes = app.store.apply(&messages, &app.sources).await.outcomes;
        for (message, _) in messages.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            traced(message.trace_id, "metrics are counted", message.id);
        }
        outcomes
    };
    Ok(runtime::batch::together(event, add).await)
}
