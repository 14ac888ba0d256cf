//! Promotions and rollbacks, and which version an answer may therefore hold.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use e2e::{ADMIN, Call};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, interval},
};

use crate::{resolves::Read, stage::Desk};

/// How many moves are under way at most, each of another prompt.
const MOVERS: usize = 2;
/// The time between two of a mover's.
const BEAT: Duration = Duration::from_millis(400);

/// A prompt, and what its answers hold.
pub(crate) struct Prompt {
    number: usize,
    pub(crate) id: String,
    /// The ids of its versions, in their order.
    pub(crate) versions: Vec<String>,
}

impl Prompt {
    /// How many there are: as many moves away is a version's last time from its next.
    pub(crate) const VERSIONS: usize = 6;

    pub(crate) fn new(number: usize, id: &str) -> Self {
        Self { number, id: id.to_owned(), versions: Vec::new() }
    }

    /// What a version of it says.
    pub(crate) fn template(&self, version: usize) -> String {
        format!("prompt {}, version {version}, for {{{{ name }}}}", self.number)
    }

    /// What it says to Ada.
    pub(crate) fn text(&self, version: usize) -> String {
        format!("prompt {}, version {version}, for Ada", self.number)
    }
}

/// A version that went live, or was to.
struct Move {
    version: usize,
    /// Unique among all moves.
    reason: String,
    began: Instant,
    /// When it was acknowledged, and under which revision; of others nobody knows whether they were made.
    acknowledged: Option<(Instant, u64)>,
}

/// Whether a move may have been made under this revision too, which it was not acknowledged under: nobody knows of it,
/// or it was made once more after its answer was lost.
fn may_be(made: &Move, revision: u64) -> bool {
    made.acknowledged.is_none_or(|(_, acknowledged)| acknowledged > revision)
}

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It holds a version that was live, overtaken so long before it was asked for.
    Right(Duration),
    /// It holds what was never live, or not under this revision, or not yet.
    Wrong,
}

/// Every move of every prompt, in their order.
pub(crate) struct Ledger(Mutex<Vec<Vec<Move>>>);

impl Ledger {
    /// One in which each version of each prompt was live under these revisions.
    pub(crate) fn begin(revisions: &[Vec<u64>]) -> Self {
        let now = Instant::now();
        let made = |(version, revision): (usize, &u64)| Move {
            version,
            reason: String::new(),
            began: now,
            acknowledged: Some((now, *revision)),
        };
        let moves = revisions.iter().map(|live| live.iter().enumerate().map(made).collect());
        Self(Mutex::new(moves.collect()))
    }

    fn moves(&self) -> MutexGuard<'_, Vec<Vec<Move>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self, prompt: usize, version: usize, reason: &str) {
        let reason = reason.to_owned();
        self.moves()[prompt].push(Move { version, reason, began: Instant::now(), acknowledged: None });
    }

    fn acknowledged(&self, prompt: usize, revision: u64) {
        if let Some(last) = self.moves()[prompt].last_mut() {
            last.acknowledged = Some((Instant::now(), revision));
        }
    }

    /// What an answer was.
    pub(crate) fn judge(&self, read: &Read) -> Judgement {
        let moves = self.moves();
        let moves = &moves[read.prompt];
        let under = |one: &&Move| one.acknowledged.is_some_and(|(_, revision)| revision == read.revision);
        let may_hold = |one: &Move| Some(one.version) == read.version && one.began <= read.answered;
        let is_right = match moves.iter().find(under) {
            Some(made) => may_hold(made),
            None => moves.iter().any(|one| may_hold(one) && may_be(one, read.revision)),
        };
        if !is_right {
            return Judgement::Wrong;
        }
        let newer = moves.iter().filter_map(|one| one.acknowledged);
        let overtaken = newer.filter(|(_, revision)| *revision > read.revision).map(|(at, _)| at).min();
        Judgement::Right(overtaken.map_or(Duration::ZERO, |at| read.sent.saturating_duration_since(at)))
    }

    /// How many moves there were, and how many of them nobody acknowledged.
    pub(crate) fn told(&self) -> (usize, usize) {
        let moves = self.moves();
        let all = || moves.iter().flatten().filter(|one| !one.reason.is_empty());
        (all().count(), all().filter(|one| one.acknowledged.is_none()).count())
    }

    /// How many of a prompt's moves were acknowledged and are not among these reasons.
    pub(crate) fn lost(&self, prompt: usize, found: &HashSet<String>) -> usize {
        let moves = self.moves();
        let acknowledged = moves[prompt].iter().filter(|one| one.acknowledged.is_some());
        acknowledged.filter(|one| !one.reason.is_empty() && !found.contains(&one.reason)).count()
    }
}

/// Moves prompts at a steady pace until it is over, two forth and one back.
pub(crate) async fn keep_moving(desk: Arc<Desk>, over: watch::Receiver<bool>) {
    let movers = (0..MOVERS).map(|mover| tokio::spawn(move_some(desk.clone(), over.clone(), mover)));
    for mover in movers.collect::<Vec<_>>() {
        // One that panicked has acknowledged nothing.
        let _ = mover.await;
    }
}

async fn move_some(desk: Arc<Desk>, over: watch::Receiver<bool>, mover: usize) {
    let mut beats = interval(BEAT);
    let mut live = vec![Prompt::VERSIONS - 1; desk.prompts.len()];
    for (number, place) in (0..desk.prompts.len()).filter(|at| at % MOVERS == mover).cycle().enumerate() {
        beats.tick().await;
        if *over.borrow() {
            return;
        }
        let (prompt, back) = (&desk.prompts[place], number % 3 == 2);
        live[place] = (live[place] + if back { Prompt::VERSIONS - 1 } else { 1 }) % Prompt::VERSIONS;
        let (act, member) = if back { ("rollback", "target_version_id") } else { ("promote", "version_id") };
        let reason = format!("move {number} of mover {mover}");
        let body = json!({
            "environment": "production", "reason": reason, member: prompt.versions[live[place]],
        });
        desk.ledger.begun(place, live[place], &reason);
        let call = Call::post(format!("/api/prompts/{}/{act}", prompt.id), &body).key(ADMIN);
        if let Some(answer) = desk.ask(call).await.filter(|answer| answer.status == 200) {
            desk.ledger.acknowledged(place, answer.json()["revision"].as_u64().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_hold_what_was_live_or_may_have_been_and_no_other() {
        let ledger = Ledger::begin(&[vec![1, 2]]);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let made = |version, began, acknowledged: Option<(u64, u64)>| Move {
            version,
            reason: "why".to_owned(),
            began: at(began),
            acknowledged: acknowledged.map(|(ms, revision)| (at(ms), revision)),
        };
        ledger.moves()[0].extend([
            made(2, 100, Some((110, 3))),
            made(3, 200, None),
            made(4, 300, Some((310, 5))),
        ]);
        let judge = |revision, version, sent, answered| {
            let version = Some(version);
            let (sent, answered) = (at(sent), at(answered));
            ledger.judge(&Read {
                prompt: 0,
                revision,
                version,
                sent,
                answered,
                age_ms: 0,
                source: String::new(),
            })
        };
        assert_eq!(judge(2, 1, 0, 50), Judgement::Right(Duration::ZERO));
        assert_eq!(judge(2, 1, 150, 160), Judgement::Right(Duration::from_millis(40)));
        assert_eq!(judge(3, 2, 50, 99), Judgement::Wrong, "nobody had begun it");
        assert_eq!(judge(3, 1, 150, 160), Judgement::Wrong, "another version is of this revision");
        assert_eq!(judge(4, 3, 250, 260), Judgement::Right(Duration::ZERO), "it may have been made");
        assert_eq!(judge(4, 3, 330, 340), Judgement::Right(Duration::from_millis(20)));
        assert_eq!(judge(4, 2, 250, 260), Judgement::Wrong, "nobody asked for that");
        assert_eq!(ledger.told(), (3, 1));
        assert_eq!((ledger.lost(0, &HashSet::new()), ledger.lost(0, &["why".to_owned()].into())), (2, 0));
    }
}
