//! One consumer's way through a stream: what is read, what is handed over, what is behind it.

use std::{collections::VecDeque, time::Duration};

use aws_lambda_events::event::{
    dynamodb::{Event, EventRecord},
    streams::DynamoDbEventResponse,
};
use aws_sdk_dynamodbstreams::{
    Client,
    types::{Shard, ShardIteratorType},
};

use super::{StreamSource, checkpoint, record};
use crate::event_source::{Failure, chain};

/// What one batch came to.
pub(super) enum Step {
    /// So many records are behind the consumer; the next batch is due after this time.
    Handled(usize, Duration),
    /// There is no record now.
    Empty,
}

/// One consumer's way through the stream.
pub(super) struct Reader<'a> {
    source: &'a StreamSource,
    streams: &'a Client,
    iterator: Option<String>,
    /// Records that were read and not handled yet.
    pending: VecDeque<EventRecord>,
    /// The size of the next batch: 1 after a failure until `pending` is empty, so that a bad record does not use up
    /// the tries of its neighbours.
    limit: usize,
    /// How often the first pending record failed.
    failures: u32,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a StreamSource, streams: &'a Client) -> Self {
        let pending = VecDeque::new();
        Self { source, streams, iterator: None, pending, limit: source.batch_size, failures: 0 }
    }

    /// Hands over one batch.
    pub(super) async fn step<H, F, E>(&mut self, handler: &H) -> Result<Step, Failure>
    where
        H: Fn(Event) -> F,
        F: Future<Output = Result<DynamoDbEventResponse, E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        if self.pending.is_empty() && !self.fetch().await? {
            return Ok(Step::Empty);
        }
        let mut event = Event::default();
        event.records = self.pending.iter().take(self.limit).cloned().collect();
        let size = event.records.len();
        let verdict = hand_over(handler(event)).await.and_then(|answer| self.done(size, &answer));
        let (done, blames_one) = match verdict {
            Ok(done) => (done, true),
            Err(error) => {
                let (table, consumer) = (&self.source.table, &self.source.consumer);
                tracing::warn!(table, consumer, error = chain(&*error), size, "a batch failed");
                (0, size == 1)
            }
        };
        if done > 0 {
            self.pass(done).await?;
        }
        if done == size {
            return Ok(Step::Handled(done, Duration::ZERO));
        }
        self.limit = 1;
        self.failures += u32::from(blames_one);
        if self.failures >= self.source.attempts {
            self.give_up();
            self.pass(1).await?;
            return Ok(Step::Handled(done + 1, Duration::ZERO));
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        Ok(Step::Handled(done, self.source.backoff * 2_u32.pow(doublings)))
    }

    /// How many records at the head of the batch are done: those before the first that is reported as failed.
    fn done(&self, size: usize, answer: &DynamoDbEventResponse) -> Result<usize, Failure> {
        let mut done = size;
        for failure in &answer.batch_item_failures {
            let number = &failure.item_identifier;
            let mut batch = self.pending.iter().take(size);
            let place = batch.position(|record| record.change.sequence_number == *number);
            done = done.min(place.ok_or("the handler reports a record that is not in its batch")?);
        }
        Ok(done)
    }

    /// Puts so many records behind the consumer.
    async fn pass(&mut self, records: usize) -> Result<(), Failure> {
        self.failures = 0;
        let last = self.pending.drain(..records).next_back();
        let after = last.and_then(|record| record.change.sequence_number);
        checkpoint::save(&self.source.checkpoint, after.unwrap_or_default()).await
    }

    fn give_up(&self) {
        let Some(record) = self.pending.front() else {
            return;
        };
        let number = record.change.sequence_number.as_deref();
        let (table, consumer) = (&self.source.table, &self.source.consumer);
        let keys = &record.change.keys;
        tracing::error!(
            table,
            consumer,
            number,
            event = record.event_name,
            ?keys,
            "dead letter: a record is given up"
        );
    }

    /// Reads on; false when there was nothing.
    async fn fetch(&mut self) -> Result<bool, Failure> {
        self.limit = self.source.batch_size;
        loop {
            let iterator = match self.iterator.take() {
                Some(iterator) => iterator,
                None => self.open().await?,
            };
            let page = self.streams.get_records().shard_iterator(iterator).send().await?;
            self.iterator = page.next_shard_iterator;
            let records = page.records.unwrap_or_default();
            let Some(last) = records.last() else {
                return Ok(false);
            };
            let after = last.dynamodb().and_then(|change| change.sequence_number.clone());
            self.pending = records.into_iter().filter_map(record::changed).collect();
            if !self.pending.is_empty() {
                return Ok(true);
            }
            // Nothing but what expired: it must not be read again at each start.
            checkpoint::save(&self.source.checkpoint, after.unwrap_or_default()).await?;
        }
    }

    /// An iterator after the checkpoint; at the oldest record when there is none or the stream does not know it.
    async fn open(&self) -> Result<String, Failure> {
        let table = &self.source.table;
        let listed = self.streams.list_streams().table_name(table).send().await?;
        let arn = listed.streams().last().and_then(|stream| stream.stream_arn());
        let arn = arn.ok_or_else(|| format!("the table {table} has no stream"))?;
        let described = self.streams.describe_stream().stream_arn(arn).send().await?;
        let stream = described.stream_description.ok_or("the stream has no description")?;
        let shard = stream.shards().first().and_then(Shard::shard_id).ok_or("the stream has no shard")?;
        let call = self.streams.get_shard_iterator().stream_arn(arn).shard_id(shard);
        if let Some(after) = checkpoint::load(&self.source.checkpoint).await {
            let call = call.clone().shard_iterator_type(ShardIteratorType::AfterSequenceNumber);
            match call.sequence_number(after).send().await {
                Ok(found) => return Ok(found.shard_iterator.unwrap_or_default()),
                Err(error) if error.as_service_error().is_none() => return Err(error.into()),
                Err(error) => {
                    let (consumer, error) = (&self.source.consumer, chain(&error));
                    tracing::warn!(table, consumer, error, "the checkpoint is not in the stream");
                }
            }
        }
        let call = call.shard_iterator_type(ShardIteratorType::TrimHorizon);
        Ok(call.send().await?.shard_iterator.unwrap_or_default())
    }
}

async fn hand_over<F, E>(handling: F) -> Result<DynamoDbEventResponse, Failure>
where
    F: Future<Output = Result<DynamoDbEventResponse, E>> + Send + 'static,
    E: Into<Failure> + Send + 'static,
{
    // A task of its own, so that a panic is a failure and does not end the loop.
    tokio::spawn(handling).await?.map_err(Into::into)
}
