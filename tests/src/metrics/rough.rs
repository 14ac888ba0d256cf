//! A rough way to be counted: the table does what AWS does at its worst, and workers are killed.

use std::time::Duration;

use rollup::App;
use serde_json::Value;
use testkit::{
    event_source::Failure,
    fault::{Fault, Rule},
};

use super::road::Road;
use crate::Dice;

/// What a step of the queue came to.
#[derive(Debug, Clone, Copy)]
pub struct Stepped {
    /// How many messages were handed over.
    pub messages: usize,
    /// How many workers were killed.
    pub killed: usize,
}

impl Road {
    /// Lets the table do what it does between and inside transactions: as often as in the worst hour, times `share`.
    pub fn add_faults(&self, dice: &Dice, share: f64) {
        let rule = |operation, fault, probability: f64| {
            let seed = u64::try_from(dice.below(1_000_000)).expect("at most 64 bits");
            self.world.faults().add(Rule::on(operation, fault).with_probability(share * probability, seed));
        };
        for (fault, probability) in [
            (Fault::Conflict, 0.1),
            (Fault::Exception("ProvisionedThroughputExceededException"), 0.02),
            // That is worth no second try: the messages come again, and those with bad luck are given up.
            (Fault::Exception("AccessDeniedException"), 0.25),
            (Fault::DropBefore, 0.01),
            (Fault::DropAfter, 0.02),
            (Fault::Duplicate, 0.05),
        ] {
            rule("TransactWriteItems", fault, probability);
        }
        rule("BatchGetItem", Fault::Exception("AccessDeniedException"), 0.02);
    }

    /// Steps the queue with workers of which every tenth is killed: what it does ends between any two awaits.
    pub async fn count_roughly(&self, dice: &Dice) -> Stepped {
        let app = self.world.rollup();
        let killed = std::cell::Cell::new(0);
        let handle = |event| {
            let doomed = dice.once_in(10).then(|| Duration::from_millis(1 + dice.below(50) as u64));
            let (app, killed): (App, _) = (app.clone(), &killed);
            async move {
                let work = rollup::handle(event, &app);
                let Some(patience) = doomed else { return work.await.map_err(Failure::from) };
                let done = tokio::time::timeout(patience, work).await;
                killed.set(killed.get() + usize::from(done.is_err()));
                done.map_err(Failure::from)?.map_err(Failure::from)
            }
        };
        let stepped = self.world.metrics_source().drain_once(&self.world.clients.sqs, handle).await;
        Stepped { messages: stepped.expect("the queue drains"), killed: killed.get() }
    }

    /// Moves what was given up back into the queue, and says how many messages that were.
    pub async fn redrive(&self) -> usize {
        let dead: Vec<Value> = self.world.take_dead_metrics().await;
        self.world.send_metrics(&dead).await;
        dead.len()
    }
}
