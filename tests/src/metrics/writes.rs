//! What events cost: items that are written of them.

use std::{
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::metric::Message;
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use super::road::{Road, call_values};
use crate::Dice;

/// How many events applications are thought to send at once.
pub const BATCH: usize = 100;

/// As many messages as Lambda hands over at once (template.yaml).
pub const MESSAGES: usize = 200;

/// What was written of events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Written {
    /// How many events there were.
    pub events: usize,
    /// How many messages they became.
    pub messages: usize,
    /// How many items were written.
    pub items: usize,
}

impl Written {
    /// Items for a million events.
    pub fn of_a_million(self) -> usize {
        self.items * 1_000_000 / self.events.max(1)
    }
}

impl AddAssign for Written {
    fn add_assign(&mut self, more: Self) {
        self.events += more.events;
        self.messages += more.messages;
        self.items += more.items;
    }
}

impl Road {
    /// Reports so many batches of calls of versions that are drawn, and counts them as Lambda would: as many messages
    /// at once as it hands over.
    pub async fn written_of(&self, dice: &Dice, batches: usize, version: impl Fn() -> usize) -> Written {
        for _ in 0..batches {
            let event = |_| self.of_version(version(), call_values(dice));
            let events: Vec<Value> = (0..BATCH).map(event).collect();
            let id = format!("{}", self.world.registry().sources.id::<domain::id::MessageEntity>());
            self.accept(&json!({ "batch_id": id, "events": events })).await;
        }
        let items = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&items);
        // A rule that never fires sees every call.
        let look = move |body: &Value| {
            counter.fetch_add(body["TransactItems"].as_array().map_or(0, Vec::len), Ordering::Relaxed);
            false
        };
        self.world.faults().add(Rule::on("TransactWriteItems", Fault::Conflict).when(look));
        let messages = self.world.take_metrics().await;
        for together in messages.chunks(MESSAGES) {
            let answer = rollup::handle(handed_over(together), &self.world.rollup()).await;
            let failed = answer.expect("rollup answers").batch_item_failures;
            assert!(failed.is_empty(), "nothing kept them from being counted");
        }
        self.world.faults().clear();
        let items = items.load(Ordering::Relaxed);
        Written { events: batches * BATCH, messages: messages.len(), items }
    }
}

/// Messages as Lambda hands them over.
fn handed_over(messages: &[Message]) -> SqsEvent {
    let record = |(at, message): (usize, &Message)| {
        let mut record = SqsMessage::default();
        record.message_id = Some(at.to_string());
        record.body = Some(serde_json::to_string(message).expect("messages are JSON"));
        record
    };
    let mut event = SqsEvent::default();
    event.records = messages.iter().enumerate().map(record).collect();
    event
}
