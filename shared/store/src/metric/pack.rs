//! Entries are packed into transactions, and their additions merged.

use domain::{Timestamp, metric::Mark};

use super::{
    Task,
    effect::{Expiring, Write, Writes, effect, join},
    known::{Known, place},
};
use crate::keys::TelemetryKey;

/// The most items that a transaction writes.
pub(super) const MOST_WRITES: usize = 100;

/// A transaction in the making.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Whose entries it adds.
    pub(super) tasks: Vec<Task<'a>>,
    /// What it writes.
    pub(super) writes: Writes,
}

/// Entries in transactions.
pub(super) struct Packed<'a> {
    /// One after another: a later one counts on what an earlier one remembers.
    pub(super) plans: Vec<Plan<'a>>,
    /// Copies of entries that are packed: worth a look once it is known what became of those.
    pub(super) deferred: Vec<Task<'a>>,
}

/// Packs entries, except those that were added before.
pub(super) fn pack<'a>(tasks: &[Task<'a>], mut known: Known, now: Timestamp) -> Packed<'a> {
    let (mut plans, mut deferred) = (Vec::new(), Vec::new());
    let mut plan = Plan::default();
    let added = known.clone();
    for task in tasks {
        let marked = |known: &Known| task.entry.marks.iter().any(|mark| known.contains_key(&of_mark(mark)));
        if marked(&added) {
            continue;
        }
        if marked(&known) {
            deferred.push(*task);
            continue;
        }
        let writes = effect(task, &known, now);
        let full = plan.size_with(&writes) > MOST_WRITES;
        if !plan.tasks.is_empty() && (full || task.alone) {
            plans.push(std::mem::take(&mut plan));
        }
        plan.take(*task, writes, &mut known);
        if task.alone {
            plans.push(std::mem::take(&mut plan));
        }
    }
    if !plan.tasks.is_empty() {
        plans.push(plan);
    }
    Packed { plans, deferred }
}

fn of_mark(mark: &Mark) -> (String, String) {
    place(&TelemetryKey::Mark(mark.clone()))
}

impl<'a> Plan<'a> {
    fn size_with(&self, more: &Writes) -> usize {
        self.writes.len() + more.keys().filter(|place| !self.writes.contains_key(*place)).count()
    }

    fn take(&mut self, task: Task<'a>, writes: Writes, known: &mut Known) {
        self.tasks.push(task);
        for (place, write) in writes {
            if let Expiring { write: Write::Keep { after, .. }, .. } = &write {
                known.insert(place.clone(), *after);
            }
            join(&mut self.writes, place, write);
        }
    }
}

#[cfg(test)]
mod tests;
