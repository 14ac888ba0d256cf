//! Metrics are added to their counters, exactly once.
//!
//! A transaction adds whole entries together with their marks; an entry that has a mark already was added
//! before. So a message may come twice, two workers may hold the same one, and whoever dies in between leaves
//! either all of an entry or nothing. The additions of all entries of a transaction are merged: one write for
//! each item.
//!
//! Of a trial, what closed long ago is compacted (`compact`): its counters then take less room, and no figure
//! changes.

mod commit;
mod compact;
mod effect;
mod known;
mod pack;
mod read;
mod sums;

use std::time::Duration;

use commit::Refused;
use domain::{
    Error, ErrorKind, Result, Sources, TeamId,
    metric::{Entry, Message},
};
use pack::{Packed, Plan, pack};
pub use read::{ArmCell, ArmExposures, PromptDay, TrialCounters};

use crate::Store;

/// How often what lost against somebody else is tried.
const ROUNDS: u32 = 10;

/// The longest wait before the second round; it doubles with each.
const PAUSE: Duration = Duration::from_millis(20);

/// What came of a batch of messages.
#[derive(Debug)]
pub struct Applied {
    /// For each message, in their order: whether all of it is counted. One that is not may come again.
    pub outcomes: Vec<Result<()>>,
    /// How many items were written.
    pub writes: usize,
}

/// An entry that waits to be added.
#[derive(Clone, Copy)]
struct Task<'a> {
    /// Which message it is of.
    message: usize,
    team_id: &'a TeamId,
    entry: &'a Entry,
    /// Whether it gets a transaction of its own, since one that it was part of can never be written.
    alone: bool,
}

impl Store {
    /// Adds messages to the counters: each entry once, whoever else does the same.
    pub async fn apply(&self, messages: &[Message], sources: &Sources) -> Applied {
        let mut applied = Applied { outcomes: messages.iter().map(|_| Ok(())).collect(), writes: 0 };
        let mut waiting: Vec<Task<'_>> = Vec::new();
        for (message, Message { team_id, entries, .. }) in messages.iter().enumerate() {
            waiting.extend(entries.iter().map(|entry| Task { message, team_id, entry, alone: false }));
        }
        for round in 0..ROUNDS {
            if waiting.is_empty() {
                return applied;
            }
            if round > 0 {
                tokio::time::sleep(sources.jitter(Duration::ZERO, PAUSE * 2_u32.pow(round))).await;
            }
            let known = match self.known(&waiting).await {
                Ok(known) => known,
                Err(error) => {
                    applied.refuse(&waiting, &error);
                    return applied;
                }
            };
            let Packed { plans, deferred } = pack(&waiting, known, sources.now());
            waiting = deferred;
            for plan in plans {
                waiting.extend(self.carry_out(plan, &mut applied).await);
            }
        }
        let busy = "Too many write the counters at once. Send the message again.";
        applied.refuse(&waiting, &Error::new(ErrorKind::Contended, busy));
        applied
    }

    /// Writes a plan, and returns what of it is worth another try.
    async fn carry_out<'a>(&self, plan: Plan<'a>, applied: &mut Applied) -> Vec<Task<'a>> {
        match self.write(&plan.writes).await {
            Ok(()) => {
                applied.writes += plan.writes.len();
                Vec::new()
            }
            Err(Refused::Lost) => plan.tasks,
            // One entry that cannot be written must not keep the others from being so.
            Err(Refused::Never(_)) if plan.tasks.len() > 1 => {
                plan.tasks.into_iter().map(|task| Task { alone: true, ..task }).collect()
            }
            Err(Refused::Never(error) | Refused::Failed(error)) => {
                applied.refuse(&plan.tasks, &error);
                Vec::new()
            }
        }
    }
}

impl Applied {
    fn refuse(&mut self, tasks: &[Task<'_>], error: &Error) {
        if tasks.is_empty() {
            return;
        }
        tracing::warn!(error = error.chain(), entries = tasks.len(), "metrics are not counted yet");
        for task in tasks {
            if let Some(outcome) = self.outcomes.get_mut(task.message) {
                *outcome = Err(Error::new(error.kind(), error.detail()));
            }
        }
    }
}
