//! Promotions and rollbacks, and which version an answer may therefore hold.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use e2e::{ADMIN, Answer, Call};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval},
};

use crate::{resolves::Read, stage::Desk};

/// How many moves are under way at most, each of another prompt.
const MOVERS: usize = 2;
/// The time between two of a mover's.
const BEAT: Duration = Duration::from_millis(400);
/// Of so many rounds through its prompts a mover's last goes back: each prompt moves forth twice and back once.
const ROUNDS: usize = 3;

/// A prompt, and what its answers hold.
pub(crate) struct Prompt {
    number: usize,
    pub(crate) id: String,
    /// The ids of its versions, in their order.
    pub(crate) versions: Vec<String>,
}

impl Prompt {
    /// How many there are; moves go round them.
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
    /// How long it took to tell the cache; `None`: it did not answer.
    told_ms: Option<u64>,
}

/// How many moves there were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moves {
    pub(crate) asked: usize,
    /// How many of them were acknowledged.
    pub(crate) made: usize,
    /// How many of these began while something was broken.
    pub(crate) meanwhile: usize,
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
            told_ms: None,
        };
        let moves = revisions.iter().map(|live| live.iter().enumerate().map(made).collect());
        Self(Mutex::new(moves.collect()))
    }

    fn moves(&self) -> MutexGuard<'_, Vec<Vec<Move>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begun(&self, prompt: usize, version: usize, reason: &str) {
        let (reason, began) = (reason.to_owned(), Instant::now());
        self.moves()[prompt].push(Move { version, reason, began, acknowledged: None, told_ms: None });
    }

    fn acknowledged(&self, prompt: usize, answer: &Answer) {
        let (now, body) = (Instant::now(), answer.json());
        if let Some(last) = self.moves()[prompt].last_mut() {
            last.acknowledged = Some((now, body["revision"].as_u64().unwrap_or_default()));
            last.told_ms = body["cache_invalidation_ms"].as_u64();
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

    /// How many moves there were, where something was broken for this time.
    pub(crate) fn told(&self, broken: &Range<Instant>) -> Moves {
        let moves = self.moves();
        let all = || moves.iter().flatten().filter(|one| !one.reason.is_empty());
        let made = || all().filter(|one| one.acknowledged.is_some());
        let meanwhile = made().filter(|one| broken.contains(&one.began)).count();
        Moves { asked: all().count(), made: made().count(), meanwhile }
    }

    /// How many acknowledged moves begun since then the cache was told of so late, or not at all.
    pub(crate) fn untold(&self, since: Instant, late: Duration) -> u64 {
        let is_late = |ms| Duration::from_millis(ms) >= late;
        let moves = self.moves();
        let made = moves.iter().flatten().filter(|one| one.acknowledged.is_some() && one.began >= since);
        made.map(|one| u64::from(one.told_ms.is_none_or(is_late))).sum()
    }

    /// How many of a prompt's moves were acknowledged and are not among these reasons.
    pub(crate) fn lost(&self, prompt: usize, found: &HashSet<String>) -> usize {
        let moves = self.moves();
        let acknowledged = moves[prompt].iter().filter(|one| one.acknowledged.is_some());
        acknowledged.filter(|one| !one.reason.is_empty() && !found.contains(&one.reason)).count()
    }
}

/// Moves prompts at a steady pace until it is over, each forth twice and back once.
pub(crate) fn keep_moving(desk: &Arc<Desk>, over: &watch::Sender<bool>) -> JoinSet<()> {
    let mut movers = JoinSet::new();
    for mover in 0..MOVERS {
        movers.spawn(move_some(desk.clone(), over.subscribe(), mover));
    }
    movers
}

async fn move_some(desk: Arc<Desk>, over: watch::Receiver<bool>, mover: usize) {
    let mut beats = interval(BEAT);
    let mut live = vec![Prompt::VERSIONS - 1; desk.prompts.len()];
    let own: Vec<_> = (0..desk.prompts.len()).filter(|place| place % MOVERS == mover).collect();
    for (number, &place) in own.iter().cycle().enumerate() {
        beats.tick().await;
        if *over.borrow() {
            return;
        }
        let (prompt, back) = (&desk.prompts[place], number / own.len() % ROUNDS == ROUNDS - 1);
        live[place] = (live[place] + if back { Prompt::VERSIONS - 1 } else { 1 }) % Prompt::VERSIONS;
        let (act, member) = if back { ("rollback", "target_version_id") } else { ("promote", "version_id") };
        let reason = format!("move {number} of mover {mover}");
        let body = json!({
            "environment": "production", "reason": reason, member: prompt.versions[live[place]],
        });
        desk.ledger.begun(place, live[place], &reason);
        let call = Call::post(format!("/api/prompts/{}/{act}", prompt.id), &body).key(ADMIN);
        if let Some(answer) = desk.ask(call).await.filter(|answer| answer.status == 200) {
            desk.ledger.acknowledged(place, &answer);
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
            told_ms: Some(began),
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
        assert_eq!(ledger.told(&(at(150)..at(400))), Moves { asked: 3, made: 2, meanwhile: 1 });
        let untold = |since, late| ledger.untold(at(since), Duration::from_millis(late));
        assert_eq!((untold(50, 100), untold(50, 300), untold(150, 100), untold(50, 400)), (2, 1, 1, 0));
        assert_eq!((ledger.lost(0, &HashSet::new()), ledger.lost(0, &["why".to_owned()].into())), (2, 0));
    }
}
