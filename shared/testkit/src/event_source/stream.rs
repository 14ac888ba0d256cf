//! A table's stream, as Lambda polls one for one consumer.
//!
//! Written for the embedded engine, whose streams have one shard for ever.

mod checkpoint;
mod reader;
mod record;

use std::{
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use aws_lambda_events::event::{dynamodb::Event, streams::DynamoDbEventResponse};
use aws_sdk_dynamodbstreams::Client;
use tokio::time::sleep;

use self::reader::{Reader, Step};
use super::{Failure, REST, chain};

/// How a stream is polled for one consumer.
#[derive(Debug, Clone)]
pub struct StreamSource {
    /// The table.
    pub table: String,
    /// Who reads, for the log.
    pub consumer: String,
    /// The file that remembers how far the consumer has come.
    pub checkpoint: PathBuf,
    /// The most records in one event.
    pub batch_size: usize,
    /// How long to wait when there was nothing: nothing announces a record.
    pub idle: Duration,
    /// How often a record is tried before it goes to the log as a dead letter.
    pub attempts: u32,
    /// The wait before the second try; each further wait is twice as long.
    pub backoff: Duration,
}

impl StreamSource {
    /// Batches of 100, polls every 100 ms, 5 tries of a record over 3 s; the checkpoint is a file of its own in
    /// `folder`.
    pub fn new(table: &str, consumer: &str, folder: &Path) -> Self {
        Self {
            table: table.to_owned(),
            consumer: consumer.to_owned(),
            checkpoint: folder.join(format!("{table}.{consumer}.json")),
            batch_size: 100,
            idle: Duration::from_millis(100),
            attempts: 5,
            backoff: Duration::from_millis(200),
        }
    }

    /// Hands over records from the checkpoint on, or from the oldest one, until `stop` resolves.
    ///
    /// What expired is left out. A record that keeps failing holds up those after it, then is given up.
    pub async fn run<H, F, E>(&self, streams: &Client, stop: impl Future<Output = ()>, handler: H)
    where
        H: Fn(Event) -> F,
        F: Future<Output = Result<DynamoDbEventResponse, E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let mut stop = pin!(stop);
        let mut reader = Reader::new(self, streams);
        loop {
            let rest = match reader.step(&handler).await {
                Ok(Step::Handled(_, rest)) => rest,
                Ok(Step::Empty) => self.idle,
                Err(error) => {
                    let (table, consumer) = (&self.table, &self.consumer);
                    tracing::warn!(table, consumer, error = chain(&*error), "the stream cannot be followed");
                    REST
                }
            };
            tokio::select! { biased; () = &mut stop => return, () = sleep(rest) => {} }
        }
    }

    /// Hands over every record that is there now and returns how many there were, dead letters included.
    pub async fn drain<H, F, E>(&self, streams: &Client, handler: H) -> Result<usize, Failure>
    where
        H: Fn(Event) -> F,
        F: Future<Output = Result<DynamoDbEventResponse, E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let mut reader = Reader::new(self, streams);
        let mut count = 0;
        loop {
            match reader.step(&handler).await? {
                Step::Handled(records, rest) => {
                    count += records;
                    sleep(rest).await;
                }
                Step::Empty => return Ok(count),
            }
        }
    }
}

#[cfg(test)]
mod tests;
