//! Which resolves this process has counted and not written yet, and when a request has to write some of them.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use domain::{
    MessageId, Ref, Result, Sources, VersionId,
    metric::{Count, Message, Resolves, fold::MAX_DELTAS},
};

/// How old the first of what is counted gets before a request writes it, and how long nobody tries after a failure.
pub(crate) const KEEP: Duration = Duration::from_mins(1);

/// With how many counters they are put into messages whatever their age.
const MOST_COUNTERS: usize = 400;

/// The most messages that wait.
const MOST_WAITING: usize = 500;

/// Counts and messages of a process; the latter only while the table takes none, or where many prompts are resolved.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    counted: Resolves,
    /// When the first of them was, on the monotonic clock.
    since: Option<Duration>,
    /// Under ids that they keep, for the table may have some of them already; the oldest is first.
    waiting: VecDeque<Message>,
    /// When the next try may be, on the monotonic clock.
    next_try: Duration,
}

impl Unwritten {
    /// Counts a resolve that this version served.
    pub(crate) fn count(&mut self, reference: &Ref, version_id: VersionId, sources: &Sources) {
        self.counted.count(reference, version_id, sources.now());
        self.since.get_or_insert_with(|| sources.clock.monotonic());
        if self.counted.counters() >= MOST_COUNTERS {
            self.enqueue(sources);
        }
    }

    /// What a request that comes now has to write: nothing, most of the time. It is as much as one transaction holds.
    ///
    /// All of it stays here until [`Unwritten::settle`] hears that it is written, so a request that breaks off loses
    /// nothing. Until then, or for some time, no other request has to write.
    pub(crate) fn due(&mut self, sources: &Sources) -> Vec<Message> {
        let now = sources.clock.monotonic();
        let old = self.since.is_some_and(|since| now.saturating_sub(since) >= KEEP);
        let something = old || !self.waiting.is_empty();
        if now < self.next_try || !something {
            return Vec::new();
        }
        self.next_try = now + KEEP;
        // While older ones wait, counting goes on: that is one counter for a version and an hour, not one for each try.
        if self.waiting.is_empty() {
            self.enqueue(sources);
        }
        let mut deltas = 0;
        let fits = |message: &&Message| {
            deltas += message.entries.iter().map(|entry| entry.deltas.len()).sum::<usize>();
            deltas <= MAX_DELTAS
        };
        self.waiting.iter().take_while(fits).cloned().collect()
    }

    /// Forgets what was written. If that is all that was tried, the next request may go on with what is left.
    pub(crate) fn settle(&mut self, tried: &[Message], outcomes: &[Result<()>]) {
        let written = tried.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
        let written: BTreeSet<MessageId> = written.map(|(message, _)| message.id).collect();
        self.waiting.retain(|message| !written.contains(&message.id));
        if written.len() == tried.len() {
            self.next_try = Duration::ZERO;
        }
    }

    /// Puts what is counted into messages, and drops the oldest of them beyond the bound.
    fn enqueue(&mut self, sources: &Sources) {
        self.since = None;
        self.waiting.extend(self.counted.take(sources));
        let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
        let dropped: i64 = self.waiting.drain(..surplus).map(|message| resolves(&message)).sum();
        if dropped > 0 {
            tracing::warn!(resolves = dropped, "the oldest counts of resolves were dropped");
        }
    }
}

/// How many resolves a message counts.
fn resolves(message: &Message) -> i64 {
    let deltas = message.entries.iter().flat_map(|entry| &entry.deltas);
    deltas.map(|delta| delta.tally.counts.get(Count::Resolves)).sum()
}

#[cfg(test)]
mod tests;
