//! A queue, as Lambda polls one.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    },
};
use tokio::{
    task::{JoinError, JoinSet},
    time::sleep,
};

use super::{Failure, REST, chain};
use crate::engines::{ACCOUNT, REGION};

/// The most messages that one poll brings.
const POLL: i32 = 10;

/// How long an empty poll waits for a message, in seconds. A message that arrives ends the wait.
const WAIT: i32 = 2;

/// How a queue is polled.
#[derive(Debug, Clone)]
pub struct QueueSource {
    /// The queue.
    pub queue_url: String,
    /// The most messages in one event, from 1 to 10.
    pub batch_size: i32,
    /// The most events that are handled at one time.
    pub concurrency: usize,
    /// How long a message stays hidden while it is handled; whole seconds.
    pub visibility: Duration,
    /// How long a failed message stays hidden before it comes again; whole seconds.
    pub retry_after: Duration,
}

impl QueueSource {
    /// Batches of 10, 2 at one time, hidden for 60 s, failures again after 1 s.
    pub fn new(queue_url: impl Into<String>) -> Self {
        Self {
            queue_url: queue_url.into(),
            batch_size: 10,
            concurrency: 2,
            visibility: Duration::from_mins(1),
            retry_after: Duration::from_secs(1),
        }
    }

    /// Polls until `stop` resolves. What the handler did not report as failed is deleted.
    ///
    /// The messages of a handler that panicked come again after their visibility time.
    pub async fn run<H, F, E>(&self, sqs: &Client, stop: impl Future<Output = ()>, handler: H)
    where
        H: Fn(SqsEvent) -> F,
        F: Future<Output = Result<SqsBatchResponse, E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let mut stop = pin!(stop);
        let source = Arc::new(self.clone());
        let mut in_flight = JoinSet::new();
        loop {
            while let Some(ended) = in_flight.try_join_next() {
                log(ended);
            }
            while in_flight.len() >= self.concurrency {
                // Not beside the poll: a poll that is given up may have taken messages with it.
                if let Some(ended) = in_flight.join_next().await {
                    log(ended);
                }
            }
            let free = i32::try_from(self.concurrency - in_flight.len()).unwrap_or(POLL);
            let most = free.saturating_mul(self.batch_size).min(POLL);
            let received = tokio::select! {
                biased;
                () = &mut stop => break,
                received = self.receive(sqs, most, WAIT) => received,
            };
            match received {
                Ok(messages) => {
                    for batch in messages.chunks(usize::try_from(self.batch_size).unwrap_or(1)) {
                        let (source, sqs, batch) = (source.clone(), sqs.clone(), batch.to_vec());
                        let answer = handler(source.event(&batch));
                        in_flight.spawn(async move {
                            let failed = source.settle(&sqs, &batch, answer.await).await?;
                            source.show(&sqs, &failed, source.retry_after).await
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(queue = self.name(), error = chain(&*error), "the queue does not answer");
                    tokio::select! { () = &mut stop => break, () = sleep(REST) => {} }
                }
            }
        }
        while let Some(ended) = in_flight.join_next().await {
            log(ended);
        }
    }

    /// Handles every message that is visible now, each once, one batch at a time, and returns how many there were.
    ///
    /// Failed messages are visible again when it returns.
    pub async fn drain_once<H, F, E>(&self, sqs: &Client, handler: H) -> Result<usize, Failure>
    where
        H: Fn(SqsEvent) -> F,
        F: Future<Output = Result<SqsBatchResponse, E>>,
        E: Into<Failure>,
    {
        let mut count = 0;
        let mut failed = Vec::new();
        loop {
            let messages = self.receive(sqs, self.batch_size, 0).await?;
            if messages.is_empty() {
                break;
            }
            count += messages.len();
            let answer = handler(self.event(&messages)).await;
            failed.extend(self.settle(sqs, &messages, answer).await?);
        }
        for batch in failed.chunks(10) {
            self.show(sqs, batch, Duration::ZERO).await?;
        }
        Ok(count)
    }

    /// How many messages wait or are worked on.
    pub async fn left(&self, sqs: &Client) -> Result<usize, Failure> {
        let [waiting, hidden] = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let call = sqs.get_queue_attributes().queue_url(&self.queue_url);
        let counts = call.attribute_names(waiting).attribute_names(hidden).send().await?.attributes;
        let counts = counts.unwrap_or_default();
        counts.values().map(|count| Ok(count.parse::<usize>()?)).sum()
    }

    async fn receive(&self, sqs: &Client, most: i32, wait: i32) -> Result<Vec<Message>, Failure> {
        let call = sqs.receive_message().queue_url(&self.queue_url).wait_time_seconds(wait);
        let call = call.max_number_of_messages(most).visibility_timeout(seconds(self.visibility));
        let call = call.message_system_attribute_names(MessageSystemAttributeName::All);
        Ok(call.message_attribute_names("All").send().await?.messages.unwrap_or_default())
    }

    /// Deletes what was handled and returns the receipts of what failed.
    async fn settle<E: Into<Failure>>(
        &self,
        sqs: &Client,
        messages: &[Message],
        answer: Result<SqsBatchResponse, E>,
    ) -> Result<Vec<String>, Failure> {
        let failed = match answer {
            Ok(answer) => failures(answer, messages),
            Err(error) => {
                let (queue, error) = (self.name(), chain(&*error.into()));
                tracing::warn!(queue, error, messages = messages.len(), "a batch failed");
                ids(messages)
            }
        };
        let (failed, done): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| message.message_id().is_some_and(|id| failed.contains(id)));
        let mut call = sqs.delete_message_batch().queue_url(&self.queue_url);
        for (place, message) in done.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
            call = call.entries(entry.set_receipt_handle(message.receipt_handle.clone()).build()?);
        }
        if !done.is_empty() {
            call.send().await?;
        }
        Ok(failed.into_iter().filter_map(|message| message.receipt_handle.clone()).collect())
    }

    /// Makes up to 10 messages visible after this time.
    async fn show(&self, sqs: &Client, receipts: &[String], after: Duration) -> Result<(), Failure> {
        if receipts.is_empty() {
            return Ok(());
        }
        let mut call = sqs.change_message_visibility_batch().queue_url(&self.queue_url);
        for (place, receipt) in receipts.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(place.to_string());
            let entry = entry.receipt_handle(receipt).visibility_timeout(seconds(after));
            call = call.entries(entry.build()?);
        }
        call.send().await?;
        Ok(())
    }

    fn event(&self, messages: &[Message]) -> SqsEvent {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.name());
        let mut event = SqsEvent::default();
        event.records = messages.iter().map(|message| record(message, &arn)).collect();
        event
    }

    fn name(&self) -> &str {
        self.queue_url.rsplit('/').next().unwrap_or_default()
    }
}

/// The messages that the handler reports as failed. To name one that is not in the batch fails all of them.
fn failures(answer: SqsBatchResponse, messages: &[Message]) -> HashSet<String> {
    let known = ids(messages);
    let failed = answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier);
    let failed: HashSet<String> = failed.collect();
    if failed.is_subset(&known) { failed } else { known }
}

fn ids(messages: &[Message]) -> HashSet<String> {
    messages.iter().filter_map(|message| message.message_id.clone()).collect()
}

fn record(message: &Message, arn: &str) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record.body.clone_from(&message.body);
    record.md5_of_body.clone_from(&message.md5_of_body);
    let attributes = message.attributes.iter().flatten();
    record.attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    let attributes = message.message_attributes.iter().flatten();
    record.message_attributes = attributes.map(|(name, value)| (name.clone(), attribute(value))).collect();
    record.event_source = Some("aws:sqs".to_owned());
    record.event_source_arn = Some(arn.to_owned());
    record.aws_region = Some(REGION.to_owned());
    record
}

/// An attribute that is a text or a number; nothing here sends a binary one.
fn attribute(value: &MessageAttributeValue) -> SqsMessageAttribute {
    let mut attribute = SqsMessageAttribute::default();
    attribute.data_type = Some(value.data_type.clone());
    attribute.string_value.clone_from(&value.string_value);
    attribute
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

fn log(ended: Result<Result<(), Failure>, JoinError>) {
    if let Err(error) = ended.map_err(Failure::from).flatten() {
        tracing::error!(error = chain(&*error), "a batch was not settled and comes again");
    }
}

#[cfg(test)]
mod tests;
