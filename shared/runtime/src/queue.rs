//! Sending to a queue.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use domain::{Error, Result};
use serde::Serialize;

use crate::aws::Aws;

/// The most messages of one call.
const BATCH: usize = 10;

/// The most bytes of one call, as the smallest of SQS's limits has been.
const BATCH_BYTES: usize = 256 * 1024;

/// What does not answer, as a caller is told.
const WHAT: &str = "The queue";

/// The longest delay that SQS knows.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// A queue that we send to.
#[derive(Debug, Clone)]
pub struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(aws: &Aws, url: &str) -> Self {
        Self { sqs: aws.sqs(), url: url.to_owned() }
    }

    /// Makes a queue whose messages go to a dead-letter queue after so many receipts. On AWS the template does this.
    /// Returns both queues' URLs.
    pub async fn create(aws: &Aws, name: &str, visibility: Duration, tries: u32) -> Result<(String, String)> {
        let sqs = aws.sqs();
        let dead = sqs.create_queue().queue_name(format!("{name}-dlq")).send().await.map_err(unavailable)?;
        let dead = dead.queue_url.unwrap_or_default();
        let attributes = sqs
            .get_queue_attributes()
            .queue_url(&dead)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .map_err(unavailable)?;
        let arn = attributes.attributes.and_then(|all| all.get(&QueueAttributeName::QueueArn).cloned());
        let redrive = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": tries });
        let attributes = HashMap::from([
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
            (QueueAttributeName::VisibilityTimeout, visibility.as_secs().to_string()),
        ]);
        let queue = sqs
            .create_queue()
            .queue_name(name)
            .set_attributes(Some(attributes))
            .send()
            .await
            .map_err(unavailable)?;
        Ok((queue.queue_url.unwrap_or_default(), dead))
    }

    /// Sends messages, all of them or an error: then some may have been sent, and all have to be sent again.
    pub async fn send<T: Serialize>(&self, messages: &[T], delay: Duration) -> Result<()> {
        let delay = i32::try_from(delay.min(LONGEST_DELAY).as_secs()).unwrap_or(i32::MAX);
        let bodies = messages.iter().map(|message| serde_json::to_string(message).map_err(Error::internal));
        let bodies = bodies.collect::<Result<Vec<_>>>()?;
        for call in calls(&bodies) {
            let entries = call.iter().enumerate().map(|(at, body)| {
                SendMessageBatchRequestEntry::builder()
                    .id(at.to_string())
                    .delay_seconds(delay)
                    .message_body(body)
                    .build()
                    .map_err(Error::internal)
            });
            let entries = entries.collect::<Result<Vec<_>>>()?;
            let sent =
                self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            if let Some(failed) = sent.map_err(unavailable)?.failed.first() {
                return Err(Error::unavailable(WHAT, format!("it refused: {}", failed.code)));
            }
        }
        Ok(())
    }
}

/// Divides messages among calls that take so many and so much of them.
fn calls(bodies: &[String]) -> Vec<&[String]> {
    let (mut calls, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (at, body) in bodies.iter().enumerate() {
        if at > begin && (at - begin == BATCH || bytes + body.len() > BATCH_BYTES) {
            calls.push(&bodies[begin..at]);
            (begin, bytes) = (at, 0);
        }
        bytes += body.len();
    }
    if begin < bodies.len() {
        calls.push(&bodies[begin..]);
    }
    calls
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable(WHAT, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_ten_messages_and_so_many_bytes() {
        let sizes = |bytes: &[usize]| {
            let bodies: Vec<_> = bytes.iter().map(|bytes| "x".repeat(*bytes)).collect();
            calls(&bodies).iter().map(|call| call.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[BATCH_BYTES / 2, BATCH_BYTES / 2, 1, BATCH_BYTES, BATCH_BYTES + 1]), [2, 1, 1, 1]);
    }
}
