//! What is said of a fault.

use std::{sync::Arc, time::Duration};

use cache::WORST_AGE;
use e2e::report::{line, word};
use tokio::time::Instant;

use crate::{
    moves::Judgement,
    resolves::{Read, Seen},
    stage::Desk,
};

/// How many of 10,000 resolves have to be answered right (targets.md).
const RIGHT: usize = 9_999;

/// What came of a fault.
pub(crate) struct Verdict {
    pub(crate) seen: Seen,
    pub(crate) desk: Arc<Desk>,
    /// When the fault ended.
    pub(crate) ended: Instant,
    /// How many events were acknowledged.
    pub(crate) reported: u64,
    /// How many calls the counters know.
    pub(crate) counted: u64,
    /// How many moves were acknowledged and are not in the history.
    pub(crate) lost: usize,
    /// How many pieces of work were killed.
    pub(crate) killed: usize,
    /// How many messages came back from the dead letters.
    pub(crate) redriven: usize,
    /// Whether everything became as it was: each instance serves the newest, the archive has it, all is counted.
    pub(crate) healed: bool,
}

/// The heading of [`Verdict::tell`].
pub(crate) fn heading() {
    line(&format!(
        "\n{:<48} {:>8} {:>6} {:>5} {:>7} {:>9} {:>7} {:>6} {:>11} {:>5} {:>15} {:>9}",
        "",
        "answered",
        "failed",
        "wrong",
        "too old",
        "oldest ms",
        "\"stale\"",
        "again",
        "moves, made",
        "lost",
        "events, counted",
        "healed ms"
    ));
    line(&format!(
        "{:<48} {:>8} {:>6} {:>5} {:>7} {:>9} {:>7} {:>6} {:>11} {:>5} {:>15} {:>9}",
        "bounds",
        "",
        "0.01 %",
        "0",
        "0",
        WORST_AGE.as_millis(),
        "",
        "",
        "",
        "0",
        "all",
        ""
    ));
}

impl Verdict {
    /// Prints the figures; says whether all bounds hold.
    pub(crate) fn tell(&self, name: &str) -> bool {
        let Seen { reads, failed, failure, again } = &self.seen;
        let judged: Vec<_> = reads.iter().map(|read| (read, self.desk.ledger.judge(read))).collect();
        let wrong = judged.iter().filter(|(_, judged)| *judged == Judgement::Wrong).count();
        let too_old = judged.iter().filter(|(read, judged)| is_too_old(read, *judged)).count();
        let oldest = judged.iter().map(|(_, judged)| overtaken(*judged)).max().unwrap_or_default();
        let marked = reads.iter().filter(|read| is_marked(read));
        let after = marked.clone().map(|read| &read.answered).chain(failed).max();
        let healed = after.map_or(Duration::ZERO, |last| last.saturating_duration_since(self.ended));
        let (moves, unacknowledged) = self.desk.ledger.told();
        line(&format!(
            "{name:<48} {:>8} {:>6} {wrong:>5} {too_old:>7} {:>9} {:>7} {again:>6} {:>11} {:>5} {:>15} {:>9}",
            reads.len(),
            failed.len(),
            oldest.as_millis(),
            marked.count(),
            format!("{moves}, {}", moves - unacknowledged),
            self.lost,
            format!("{}, {}", self.reported, self.counted),
            healed.as_millis(),
        ));
        if let Some(failure) = failure {
            line(&format!("  the first failure: {failure}"));
        }
        if self.killed + self.redriven > 0 {
            line(&format!("  {} killed, {} redriven", self.killed, self.redriven));
        }
        let right = reads.len() - wrong - too_old;
        let served = right * 10_000 >= (reads.len() + failed.len()) * RIGHT;
        let kept = self.lost == 0 && self.counted == self.reported;
        let met = served && wrong == 0 && too_old == 0 && kept && self.healed && moves > unacknowledged;
        if !met {
            let left = if self.healed { "" } else { ": it is not as it was" };
            line(&format!("  {}{left}", word(met)));
        }
        met
    }
}

fn overtaken(judged: Judgement) -> Duration {
    match judged {
        Judgement::Right(overtaken) => overtaken,
        Judgement::Wrong => Duration::ZERO,
    }
}

/// Whether it was overtaken longer ago than anything may be, or says that it is older and not why.
fn is_too_old(read: &Read, judged: Judgement) -> bool {
    let worst = u64::try_from(WORST_AGE.as_millis()).unwrap_or_default();
    overtaken(judged) > WORST_AGE || (!is_marked(read) && read.age_ms > worst)
}

/// Whether it says itself that it may be outdated, for nobody could be asked.
fn is_marked(read: &Read) -> bool {
    read.source == "stale"
}
