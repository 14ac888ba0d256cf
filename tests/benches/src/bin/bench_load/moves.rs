//! Promotions and rollbacks under load, and which versions an answer may therefore hold.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use benches::Outcome;
use e2e::Dice;
use serde_json::json;
use tokio::time::{Instant, interval};

use crate::workspace::{Admin, Prompt};

/// How late the version before may still be seen (targets.md).
const BOUND: Duration = Duration::from_secs(1);

/// A version that went live: when the move began, and when it was answered.
struct Move {
    began: Instant,
    answered: Option<Instant>,
    version: u64,
}

/// What was live when.
#[derive(Default)]
pub(crate) struct History {
    /// By prompt; before its first move the second version was live.
    moves: Mutex<HashMap<usize, Vec<Move>>>,
    /// Which version each user of a prompt that is tried got first.
    assigned: Mutex<HashMap<(usize, usize), u64>>,
}

impl History {
    /// Whether an answer to a user of a prompt holds a version of it, and the right one.
    pub(crate) fn is_right(
        &self,
        prompts: &[Prompt],
        (prompt, user): (usize, usize),
        answer: &[u8],
        (sent, answered): (Instant, Instant),
    ) -> bool {
        let Some(version) = prompts[prompt].version_in(answer) else { return false };
        if prompts[prompt].is_tried {
            self.keeps(prompt, user, version)
        } else {
            self.allows(prompt, version, sent, answered)
        }
    }

    /// Whether an answer may hold that version: it was live at some time between sending and answer, or was replaced
    /// less than the bound ago.
    fn allows(&self, prompt: usize, version: u64, sent: Instant, answered: Instant) -> bool {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = moves.get(&prompt).map_or(&[][..], Vec::as_slice);
        let ended =
            |next: Option<&Move>| next.is_none_or(|next| next.answered.is_none_or(|at| at + BOUND > sent));
        let first = version == 2 && ended(moves.first());
        first
            || moves
                .iter()
                .enumerate()
                .any(|(at, one)| one.version == version && one.began <= answered && ended(moves.get(at + 1)))
    }

    /// Whether a user of a prompt that is tried got the version that it got before.
    fn keeps(&self, prompt: usize, user: usize, version: u64) -> bool {
        let mut assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        *assigned.entry((prompt, user)).or_insert(version) == version
    }

    /// How many moves were answered, and how long the slowest took. Without any, whatever was resolved proves nothing.
    pub(crate) fn told(&self) -> Outcome<(usize, Duration)> {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let took = || moves.values().flatten().filter_map(|one| Some(one.answered? - one.began));
        Ok((took().count(), took().max().ok_or("nothing moved meanwhile")?))
    }

    fn begun(&self, prompt: usize, version: u64) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        moves.entry(prompt).or_default().push(Move { began: Instant::now(), answered: None, version });
    }

    fn answered(&self, prompt: usize) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = moves.get_mut(&prompt).and_then(|moves| moves.last_mut()) {
            last.answered = Some(Instant::now());
        }
    }
}

/// Moves a prompt that is not tried at each beat, back to its first version and forth again, until it is dropped.
pub(crate) async fn keep_moving(
    admin: Admin,
    prompts: Arc<Vec<Prompt>>,
    history: Arc<History>,
    beat: Duration,
    dice: Dice,
) {
    let mut beats = interval(beat);
    let mut live = HashMap::new();
    loop {
        beats.tick().await;
        let number = dice.below(prompts.len());
        let prompt = &prompts[number];
        if prompt.is_tried {
            continue;
        }
        let live = live.entry(number).or_insert(2);
        *live = 3 - *live;
        history.begun(number, *live);
        let answer = if *live == 1 {
            let body = json!({ "environment": "production" });
            admin.post(format!("/api/prompts/{}/rollback", prompt.id), &body).await
        } else {
            let body = json!({ "version_id": prompt.versions[1], "environment": "production" });
            admin.post(format!("/api/prompts/{}/promote", prompt.id), &body).await
        };
        answer.expect(200);
        history.answered(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_hold_what_was_live_while_it_was_made_and_no_other() {
        let history = History::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!(history.allows(0, 2, at(0), at(1)) && !history.allows(0, 1, at(0), at(1)));
        let back = Move { began: at(100), answered: Some(at(110)), version: 1 };
        history.moves.lock().unwrap().insert(0, vec![back]);
        assert!(!history.allows(0, 1, at(90), at(99)), "nobody knew of it yet");
        assert!(history.allows(0, 1, at(90), at(101)) && history.allows(0, 2, at(90), at(101)));
        assert!(history.allows(0, 2, at(1109), at(1111)) && !history.allows(0, 2, at(1110), at(1111)));
        assert!(history.keeps(1, 1, 2) && history.keeps(1, 2, 1) && !history.keeps(1, 1, 1));
    }

    #[test]
    fn an_answer_of_another_prompt_is_wrong_whatever_its_number() {
        let prompt = |name: &str, is_tried| {
            let versions = [1, 2].map(|number| format!("{name}-{number}"));
            Prompt { id: name.to_owned(), versions, is_tried }
        };
        let (history, prompts) = (History::default(), [prompt("moved", false), prompt("tried", true)]);
        let now = Instant::now();
        let is_right = |at: usize, id: &str, number: u64| {
            let answer = json!({ "version_id": id, "version_number": number }).to_string();
            history.is_right(&prompts, (at, 0), answer.as_bytes(), (now, now))
        };
        assert!(is_right(0, "moved-2", 2) && is_right(1, "tried-2", 2));
        assert!(!is_right(0, "tried-2", 2) && !is_right(1, "moved-2", 2));
        assert!(!is_right(0, "moved-1", 2) && !is_right(1, "tried-1", 2), "the number is another version's");
        assert!(!history.is_right(&prompts, (0, 0), b"no answer", (now, now)));
    }

    #[test]
    fn a_load_under_which_nothing_moved_tells_nothing() {
        let history = History::default();
        history.begun(0, 1);
        assert!(history.told().is_err(), "no move was answered");
        history.answered(0);
        assert_eq!(history.told().unwrap().0, 1);
    }
}
