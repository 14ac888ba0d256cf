//! What is said of a fault.

use std::{ops::Range, sync::Arc, time::Duration};

use cache::WORST_AGE;
use e2e::report::{line, word};
use tokio::time::Instant;

use crate::{
    faults::Fault,
    moves::{Judgement, Moves},
    resolves::{Read, Seen},
    stage::Desk,
};

/// How many of 10,000 resolves have to be answered right (targets.md).
const RIGHT: usize = 9_999;

/// What came of a fault.
pub(crate) struct Verdict {
    /// How often the fault was met.
    pub(crate) met: u64,
    pub(crate) seen: Seen,
    /// How many resolves ended with their instance, and were made again.
    pub(crate) again: u64,
    pub(crate) desk: Arc<Desk>,
    /// How long the fault lasted.
    pub(crate) broken: Range<Instant>,
    /// How many events were acknowledged.
    pub(crate) reported: u64,
    /// How many calls the counters know.
    pub(crate) counted: u64,
    /// How many moves were acknowledged and are not in the history.
    pub(crate) lost: usize,
    /// How many messages came back from the dead letters.
    pub(crate) redriven: usize,
    /// Whether everything became as it was: each instance serves the newest, the archive has it, all is counted and
    /// nothing comes again.
    pub(crate) healed: bool,
}

/// What the answers were.
struct Judged {
    wrong: usize,
    too_old: usize,
    oldest: Duration,
    marked: usize,
}

/// The heading of [`Verdict::tell`].
pub(crate) fn heading() {
    line(&format!(
        "\n{:<48} {:>6} {:>8} {:>6} {:>5} {:>7} {:>9} {:>7} {:>6} {:>21} {:>5} {:>15} {:>9}",
        "",
        "met",
        "answered",
        "failed",
        "wrong",
        "too old",
        "oldest ms",
        "\"stale\"",
        "again",
        "moves, made, under it",
        "lost",
        "events, counted",
        "healed ms"
    ));
    line(&format!(
        "{:<48} {:>6} {:>8} {:>6} {:>5} {:>7} {:>9} {:>7} {:>6} {:>21} {:>5} {:>15} {:>9}",
        "bounds",
        "1",
        "",
        "0.01 %",
        "0",
        "0",
        WORST_AGE.as_millis(),
        "",
        "",
        "1",
        "0",
        "all",
        ""
    ));
}

impl Verdict {
    /// Prints the figures; says whether all bounds hold.
    pub(crate) fn tell(&self, fault: &Fault) -> bool {
        let (judged, moves) = (self.judged(), self.desk.ledger.told(&self.broken));
        self.print(fault.name, &judged, &moves);
        let Seen { reads, failed, .. } = &self.seen;
        let right = reads.len() - judged.wrong - judged.too_old;
        let served = right * 10_000 >= (reads.len() + failed.len()) * RIGHT;
        let kept = self.lost == 0 && self.counted == self.reported;
        let goes_on = moves.meanwhile > 0 || !fault.moves;
        let met = served && judged.wrong == 0 && judged.too_old == 0 && kept && self.healed && goes_on;
        if !met {
            let left = if self.healed { "" } else { ": it is not as it was" };
            let still = if goes_on { "" } else { ": no move was acknowledged meanwhile" };
            line(&format!("  {}{left}{still}", word(met)));
        }
        met
    }

    fn judged(&self) -> Judged {
        let reads = &self.seen.reads;
        let judged: Vec<_> = reads.iter().map(|read| (read, self.desk.ledger.judge(read))).collect();
        Judged {
            wrong: judged.iter().filter(|(_, judged)| *judged == Judgement::Wrong).count(),
            too_old: judged.iter().filter(|(read, judged)| is_too_old(read, *judged)).count(),
            oldest: judged.iter().map(|(_, judged)| overtaken(*judged)).max().unwrap_or_default(),
            marked: reads.iter().filter(|read| is_marked(read)).count(),
        }
    }

    /// How long after the fault's end the last resolve failed, or was answered with what may be outdated.
    fn healed_after(&self) -> Duration {
        let marked = self.seen.reads.iter().filter(|read| is_marked(read)).map(|read| &read.answered);
        let last = marked.chain(&self.seen.failed).max();
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(self.broken.end))
    }

    fn print(&self, name: &str, judged: &Judged, moves: &Moves) {
        let Judged { wrong, too_old, oldest, marked } = judged;
        line(&format!(
            "{name:<48} {:>6} {:>8} {:>6} {wrong:>5} {too_old:>7} {:>9} {marked:>7} {:>6} {:>21} {:>5} {:>15} {:>9}",
            self.met,
            self.seen.reads.len(),
            self.seen.failed.len(),
            oldest.as_millis(),
            self.again,
            format!("{}, {}, {}", moves.asked, moves.made, moves.meanwhile),
            self.lost,
            format!("{}, {}", self.reported, self.counted),
            self.healed_after().as_millis(),
        ));
        if let Some(failure) = &self.seen.failure {
            line(&format!("  the first failure: {failure}"));
        }
        if self.redriven > 0 {
            line(&format!("  {} redriven", self.redriven));
        }
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
