//! What has to be written when, and what is lost when nothing can be.

use std::sync::Arc;

use domain::{Environment, Error, Prompt, PromptId, reference::Mover};
use testkit::TestClock;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A millisecond less than [`KEEP`].
const ALMOST: Duration = Duration::from_millis(59_999);

/// Counts of a process, and its clock.
struct Scene {
    unwritten: Unwritten,
    sources: Sources,
    clock: Arc<TestClock>,
}

fn start() -> Scene {
    let (sources, clock) = testkit::sources(1);
    Scene { unwritten: Unwritten::default(), sources, clock }
}

fn reference(environment: &Environment) -> Ref {
    let now = domain::Timestamp::from_millis(0);
    let id = PromptId::from_bytes([1; 16]);
    let prompt = Prompt::new(id, "greeter".parse().unwrap(), "support".parse().unwrap(), "me", now);
    Ref::empty(&prompt, environment.clone(), Mover { by: "me", at: now })
}

impl Scene {
    /// Counts resolves of so many versions, one each.
    fn count(&mut self, versions: usize) {
        let reference = reference(&domain::name::production());
        for version in 0..versions {
            let id = VersionId::from_bytes(u128::try_from(version).unwrap().to_be_bytes());
            self.unwritten.count(&reference, id, &self.sources);
        }
    }

    /// How many resolves a request that comes now has to write.
    fn due(&mut self) -> (Vec<Message>, i64) {
        let due = self.unwritten.due(&self.sources);
        let all = due.iter().map(resolves).sum();
        (due, all)
    }

    /// Writes until nothing is due any more, and says how many resolves that were.
    fn write(&mut self) -> i64 {
        let mut written = 0;
        loop {
            let (due, all) = self.due();
            if due.is_empty() {
                return written;
            }
            let deltas = due.iter().flat_map(|message| &message.entries).map(|entry| entry.deltas.len());
            assert!(deltas.sum::<usize>() <= MAX_DELTAS, "one transaction holds it");
            written += all;
            self.settle(&due, true);
        }
    }

    fn settle(&mut self, tried: &[Message], written: bool) {
        let outcome = || if written { Ok(()) } else { Err(Error::internal("no")) };
        let outcomes: Vec<_> = tried.iter().map(|_| outcome()).collect();
        self.unwritten.settle(tried, &outcomes);
    }
}

#[test]
fn what_is_old_enough_is_due_once() {
    let mut scene = start();
    scene.clock.advance(100 * KEEP);
    assert_eq!(scene.due().1, 0, "there is nothing");
    scene.count(2);
    scene.clock.advance(ALMOST);
    scene.count(1);
    assert_eq!(scene.due().1, 0);
    scene.clock.advance(MS);
    let (due, all) = scene.due();
    assert_eq!(all, 3);
    assert_eq!(scene.due().1, 0, "somebody else is at it");
    scene.settle(&due, true);
    scene.clock.advance(100 * KEEP);
    assert_eq!(scene.due().1, 0, "it is written");
    scene.count(1);
    scene.clock.advance(KEEP);
    assert_eq!(scene.due().1, 1);
}

#[test]
fn what_failed_or_was_broken_off_is_tried_again_after_a_while_under_the_same_ids() {
    let mut scene = start();
    scene.count(3);
    scene.clock.advance(KEEP);
    let (first, _) = scene.due();
    scene.settle(&first, false);
    scene.count(2);
    scene.clock.advance(ALMOST);
    assert_eq!(scene.due().1, 0);
    scene.clock.advance(MS);
    assert_eq!(scene.due().0, first);
    // Nobody hears what becomes of the second try. What was counted meanwhile comes after it.
    scene.clock.advance(KEEP);
    let (third, all) = scene.due();
    assert_eq!((&third, all), (&first, 3));
    scene.settle(&third, true);
    assert_eq!(scene.write(), 2);
}

#[test]
fn many_counters_are_due_at_once_and_written_a_transaction_at_a_time() {
    let mut scene = start();
    scene.count(MOST_COUNTERS - 1);
    assert_eq!(scene.due().1, 0);
    scene.count(MOST_COUNTERS);
    assert_eq!(scene.write(), i64::try_from(MOST_COUNTERS).unwrap() * 2 - 1);
}

#[test]
fn an_outage_makes_no_messages_of_the_same_few_counters_and_drops_the_oldest_of_very_many() {
    let mut scene = start();
    for _ in 0..1000 {
        scene.count(3);
        scene.clock.advance(KEEP);
        scene.due();
    }
    assert_eq!(scene.unwritten.waiting.len(), 1);
    // Each round closes ten messages of 40 counters.
    let rounds = MOST_WAITING / (MOST_COUNTERS / MAX_DELTAS) + 7;
    for _ in 0..rounds {
        scene.count(MOST_COUNTERS);
    }
    assert_eq!(scene.unwritten.waiting.len(), MOST_WAITING);
    let kept = MOST_WAITING * MAX_DELTAS + scene.unwritten.counted.counters();
    scene.clock.advance(KEEP);
    assert_eq!(scene.write(), i64::try_from(kept).unwrap());
}
