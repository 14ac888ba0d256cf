//! Refs: which version is live in an environment. Small, mutable, and the only thing that has to be fresh.

mod overrides;

use serde::{Deserialize, Serialize};

pub use overrides::{Overrides, Settings};

use crate::{
    Environment, Prompt, PromptId, PromptName, TeamId, Timestamp, VersionId, VersionPointer,
    allocation::Allocation,
};

/// How many former versions a ref remembers for rolling back.
pub const UNDO_DEPTH: usize = 50;

/// The pointer of one environment.
///
/// **Invariant:** `revision` grows by one at each write; `moved_revision` is the revision of the last move, and is
/// what `If-Match` and `expected_revision` compare. Caches take a ref only if its revision is not lower than theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ref {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The prompt's name and team, so that the hot path reads nothing else: a rename writes every ref.
    pub prompt_name: PromptName,
    /// The team that owns the prompt.
    pub team_id: TeamId,
    /// The environment.
    pub environment: Environment,
    /// What is live; `None` where only a lock was put so far.
    pub version: Option<VersionPointer>,
    /// Counts all writes.
    pub revision: u64,
    /// The revision of the last move.
    pub moved_revision: u64,
    /// Versions that were live before and were not rolled back from; the newest is last.
    pub undo: Vec<VersionPointer>,
    /// Whether the prompt is archived: then resolving answers «gone».
    pub archived: bool,
    /// What stands here instead of the version's own settings, until the next move.
    #[serde(default)]
    pub overrides: Overrides,
    /// The experiment or canary that splits the traffic here; its control is the version that is live.
    #[serde(default)]
    pub allocation: Option<Allocation>,
    /// A person's freeze on promotions.
    pub lock: Option<Lock>,
    /// Set by a rollback, cleared by a person's promotion: until then nothing is promoted automatically.
    pub automation_held: bool,
    /// When it last moved.
    pub moved_at: Timestamp,
    /// Who moved it.
    pub moved_by: String,
}

/// A freeze on promotions in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who put it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it lapses by itself; `None`: never.
    pub until: Option<Timestamp>,
}

/// Who moves a ref, and when.
#[derive(Debug, Clone, Copy)]
pub struct Mover<'a> {
    /// The actor's id.
    pub by: &'a str,
    /// The moment.
    pub at: Timestamp,
}

impl Ref {
    /// An environment that holds nothing yet.
    pub fn empty(prompt: &Prompt, environment: Environment, mover: Mover<'_>) -> Self {
        Self {
            prompt_id: prompt.prompt_id,
            prompt_name: prompt.name.clone(),
            team_id: prompt.team_id.clone(),
            environment,
            version: None,
            revision: 0,
            moved_revision: 0,
            undo: Vec::new(),
            archived: prompt.archived_at.is_some(),
            overrides: Overrides::default(),
            allocation: None,
            lock: None,
            automation_held: false,
            moved_at: mover.at,
            moved_by: mover.by.to_owned(),
        }
    }

    /// The ref with `version` live. What was live before can be rolled back to.
    #[must_use]
    pub fn promoted(&self, version: VersionPointer, mover: Mover<'_>) -> Self {
        let mut next = self.moved(version, mover);
        next.automation_held = false;
        if let Some(former) = self.version.filter(|former| former.id != version.id) {
            next.undo.push(former);
            let surplus = next.undo.len().saturating_sub(UNDO_DEPTH);
            next.undo.drain(..surplus);
        }
        next
    }

    /// The version that a rollback without a target goes to: the newest that was live before the current one and
    /// was not itself rolled back from.
    pub fn rollback_target(&self) -> Option<VersionPointer> {
        self.undo.last().copied()
    }

    /// The ref after a rollback to `target`.
    ///
    /// The version that was live, and all that were live after `target`, leave the undo stack: a second rollback
    /// never brings back what the first one took away.
    #[must_use]
    pub fn rolled_back(&self, target: VersionPointer, mover: Mover<'_>) -> Self {
        let mut next = self.moved(target, mover);
        if let Some(at) = next.undo.iter().rposition(|former| former.id == target.id) {
            next.undo.truncate(at);
        }
        next.undo.retain(|former| Some(former.id) != self.version_id() && former.id != target.id);
        next.automation_held = true;
        next
    }

    /// The ref after a rollback that ended the trial here: its control stays, and counts as moved to.
    #[must_use]
    pub fn called_off(&self, control: VersionPointer, mover: Mover<'_>) -> Self {
        Self { automation_held: true, ..self.moved(control, mover) }
    }

    /// The ref with another lock; nothing moves.
    #[must_use]
    pub fn with_lock(&self, lock: Option<Lock>) -> Self {
        Self { lock, revision: self.revision + 1, ..self.clone() }
    }

    /// The ref with other overrides; nothing moves.
    #[must_use]
    pub fn with_overrides(&self, overrides: Overrides) -> Self {
        Self { overrides, revision: self.revision + 1, ..self.clone() }
    }

    /// The ref while a trial splits its traffic, or after it; nothing moves.
    #[must_use]
    pub fn with_allocation(&self, allocation: Option<Allocation>) -> Self {
        Self { allocation, revision: self.revision + 1, ..self.clone() }
    }

    /// The ref of a prompt that was renamed, archived or restored; nothing moves. A trial ends with its prompt.
    #[must_use]
    pub fn following(&self, prompt: &Prompt) -> Self {
        let archived = prompt.archived_at.is_some();
        Self {
            prompt_name: prompt.name.clone(),
            archived,
            allocation: self.allocation.clone().filter(|_| !archived),
            revision: self.revision + 1,
            ..self.clone()
        }
    }

    /// The lock, unless it lapsed.
    pub fn active_lock(&self, now: Timestamp) -> Option<&Lock> {
        self.lock.as_ref().filter(|lock| lock.until.is_none_or(|until| now < until))
    }

    /// The id of what is live.
    pub fn version_id(&self) -> Option<VersionId> {
        self.version.map(|version| version.id)
    }

    fn moved(&self, version: VersionPointer, mover: Mover<'_>) -> Self {
        let revision = self.revision + 1;
        Self {
            version: Some(version),
            revision,
            moved_revision: revision,
            // They were chosen for the version that goes, and what was tried beside it has ended.
            overrides: Overrides::default(),
            allocation: None,
            moved_at: mover.at,
            moved_by: mover.by.to_owned(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOVER: Mover<'static> = Mover { by: "key_test", at: Timestamp::from_millis(0) };

    fn version(number: u32) -> VersionPointer {
        let bytes = u128::from(number).to_be_bytes();
        VersionPointer { number, id: VersionId::from_bytes(bytes) }
    }

    fn with_live(numbers: &[u32]) -> Ref {
        let prompt = Prompt::new(
            PromptId::from_bytes([0; 16]),
            "a".parse().unwrap(),
            "t".parse().unwrap(),
            "key_test",
            MOVER.at,
        );
        let start = Ref::empty(&prompt, "production".parse().unwrap(), MOVER);
        numbers.iter().fold(start, |live, number| live.promoted(version(*number), MOVER))
    }

    fn live(reference: &Ref) -> Option<u32> {
        reference.version.map(|version| version.number)
    }

    fn roll_back(reference: &Ref) -> Option<Ref> {
        reference.rollback_target().map(|target| reference.rolled_back(target, MOVER))
    }

    #[test]
    fn rolling_back_walks_down_the_versions_that_were_live() {
        let first = roll_back(&with_live(&[1, 3, 7])).unwrap();
        assert_eq!(live(&first), Some(3));
        let second = roll_back(&first).unwrap();
        assert_eq!(live(&second), Some(1));
        assert_eq!(roll_back(&second), None, "nothing is left");
    }

    #[test]
    fn what_was_rolled_back_from_does_not_return_unless_promoted_again() {
        let after = roll_back(&with_live(&[1, 2, 1])).unwrap();
        assert_eq!((live(&after), roll_back(&after)), (Some(2), None), "1 was rolled back from");
        let again = roll_back(&with_live(&[1, 2])).unwrap().promoted(version(3), MOVER);
        assert_eq!(live(&roll_back(&again).unwrap()), Some(1), "2 was rolled back from");
    }

    #[test]
    fn a_target_cuts_the_stack_above_it() {
        let after = with_live(&[1, 2, 3, 4]).rolled_back(version(2), MOVER);
        assert_eq!(live(&roll_back(&after).unwrap()), Some(1));
        assert!(after.automation_held && !after.promoted(version(5), MOVER).automation_held);
    }

    #[test]
    fn overrides_last_until_the_next_move() {
        let cold = Overrides { temperature: Some(0.0), ..Overrides::default() };
        let overridden = with_live(&[1, 2]).with_overrides(cold.clone());
        assert_eq!(overridden.with_lock(None).overrides, cold);
        assert_eq!(overridden.promoted(version(3), MOVER).overrides, Overrides::default());
        assert_eq!(roll_back(&overridden).unwrap().overrides, Overrides::default());
    }

    #[test]
    fn a_lapsed_lock_holds_nothing() {
        let lock =
            Lock { by: "key_a".into(), reason: "freeze".into(), until: Some(Timestamp::from_millis(5)) };
        let locked = with_live(&[1]).with_lock(Some(lock));
        assert!(locked.active_lock(Timestamp::from_millis(4)).is_some());
        assert!(locked.active_lock(Timestamp::from_millis(5)).is_none());
    }

    proptest! {
        #[test]
        fn revisions_only_grow_and_the_live_version_is_never_on_top(moves in prop::collection::vec(0_u32..8, 1..60)) {
            let mut reference = with_live(&[]);
            for number in moves {
                let next = match number {
                    0 => roll_back(&reference).unwrap_or_else(|| reference.with_lock(None)),
                    number => reference.promoted(version(number), MOVER),
                };
                prop_assert_eq!(next.revision, reference.revision + 1);
                prop_assert!(next.moved_revision <= next.revision && next.undo.len() <= UNDO_DEPTH);
                prop_assert!(next.undo.last().copied() != next.version || next.version.is_none());
                reference = next;
            }
        }
    }
}
