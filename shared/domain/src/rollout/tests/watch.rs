//! The day after the promotion.

use super::*;

#[test]
fn after_the_last_stage_it_is_promoted_and_watched_for_a_day() {
    let last = rollout(3, Plan::default());
    let promoted = at(&last, &fine(&last, 1000), 120);
    assert_eq!(promoted.decision, Decision::Promote);
    let watched = promoted.rollout;
    assert_eq!((watched.share(), watched.allocation(), watched.status), (1.0, None, Status::Active));
    let later = at(&watched, &fine(&watched, 5000), 120 + 24 * 60 - 1);
    assert_eq!(later.decision, Decision::Hold);
    let done = at(&later.rollout, &fine(&watched, 5001), 120 + 24 * 60);
    assert_eq!(
        (done.decision, done.rollout.status, done.rollout.share()),
        (Decision::Complete, Status::Completed, 1.0)
    );
    let worse = failing(&watched, (30, 100), (1, 100));
    let back = at(&watched, &worse, 200);
    assert_eq!((back.decision, back.rollout.share()), (Decision::Abort, 0.0), "the watch is armed");
}

#[test]
fn the_watch_begins_without_the_evidence_of_the_stages() {
    // The evidence is 17.7 of 100. The hour of the promotion holds these calls once more.
    let (canary, control) = ((4, 100), (12, 1900));
    let last = rollout(3, Plan::default());
    let promoted = at(&last, &Observed { failures: errors(canary, control), ..fine(&last, 1000) }, 120);
    assert_eq!(promoted.decision, Decision::Promote);
    let watched = promoted.rollout;
    let same = at(&watched, &failing(&watched, canary, control), 121);
    assert_eq!((same.decision, same.rollout.share()), (Decision::Hold, 1.0));
    assert_eq!(at(&watched, &failing(&watched, (8, 200), (12, 1900)), 122).decision, Decision::Abort);
}
