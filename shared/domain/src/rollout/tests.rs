//! Canaries grow, hold, and are taken back.

mod simulated;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    ErrorKind, VersionId, allocation::CANARY, counter::Sums, experiment::estimate::Stratum, measure::Measure,
};

fn version(number: u32) -> VersionPointer {
    VersionPointer { number, id: VersionId::from_bytes(u128::from(number).to_be_bytes()) }
}

fn minutes(count: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_mins(count))
}

/// One that begins at minute 0 with this stage.
fn rollout(stage: usize, plan: Plan) -> Rollout {
    Rollout {
        rollout_id: RolloutId::from_bytes([1; 16]),
        prompt_id: PromptId::from_bytes([2; 16]),
        environment: "production".parse().unwrap(),
        control: version(1),
        canary: version(2),
        state: State::begin(&plan, stage, minutes(0)),
        plan,
        flags: BTreeSet::new(),
        status: Status::Active,
        reasons: Vec::new(),
        created_by: "key_test".to_owned(),
        started_at: minutes(0),
        ended_at: None,
        revision: 1,
    }
}

fn begun() -> Rollout {
    rollout(0, Plan::default())
}

fn errors((failed_c, served_c): (u64, u64), (failed_0, served_0): (u64, u64)) -> BTreeMap<Measure, Compared> {
    let canary = Units { served: served_c, failed: failed_c };
    [(Measure::Error, Compared { canary, control: Units { served: served_0, failed: failed_0 } })].into()
}

/// What is seen of a canary in this stage after so many requests, where nothing is wrong.
fn fine(of: &Rollout, requests: u64) -> Observed {
    let allocation_version = of.state.allocation_version;
    let failures = errors((0, requests), (0, 99 * requests));
    Observed { allocation_version, requests, labels: requests, failures, ..Observed::default() }
}

fn failing(of: &Rollout, canary: (u64, u64), control: (u64, u64)) -> Observed {
    Observed { failures: errors(canary, control), ..fine(of, canary.1) }
}

fn at(of: &Rollout, observed: &Observed, minute: u64) -> Tick {
    tick(of, observed, minutes(minute)).unwrap()
}

#[test]
fn a_stage_ends_with_its_bake_and_its_counts() {
    let first = begun();
    assert_eq!(at(&first, &fine(&first, 50), 14).decision, Decision::Hold, "the bake is not over");
    assert_eq!(at(&first, &fine(&first, 49), 15).decision, Decision::Hold, "a request is missing");
    let next = at(&first, &fine(&first, 50), 15);
    assert_eq!((next.decision, next.rollout.share()), (Decision::Advance(1), 0.05));
    assert_eq!(next.rollout.state.allocation_version, 2);
    let third = rollout(2, Plan::default());
    let unlabelled = Observed { labels: 29, ..fine(&third, 500) };
    assert_eq!(at(&third, &unlabelled, 60).decision, Decision::Hold);
    assert_eq!(at(&third, &Observed { labels: 30, ..unlabelled }, 60).decision, Decision::Advance(3));
}

#[test]
fn a_fifth_of_twenty_users_with_errors_stops_at_once() {
    let canary = begun();
    let stopped = at(&canary, &failing(&canary, (5, 20), (4, 100)), 1);
    assert_eq!((stopped.decision, stopped.rollout.share()), (Decision::Abort, 0.0));
    assert_eq!((stopped.rollout.allocation(), stopped.rollout.ended_at), (None, Some(minutes(1))));
    // Evidence alone would not do yet: 2.4 times as often.
    let lax = rollout(0, Plan { guardrails: Vec::new(), ..Plan::default() });
    assert_eq!(at(&lax, &failing(&lax, (5, 20), (4, 100)), 1).decision, Decision::Abort);
    for held in [
        failing(&lax, (4, 19), (4, 100)),
        failing(&lax, (4, 20), (4, 100)),
        failing(&lax, (5, 20), (5, 100)),
        failing(&lax, (10, 40), (15, 100)),
    ] {
        assert_eq!(at(&lax, &held, 30).decision, Decision::Hold, "{held:?}");
    }
}

#[test]
fn both_arms_failing_freezes_and_rolls_nothing_back() {
    let canary = begun();
    for outage in [failing(&canary, (50, 100), (950, 1900)), failing(&canary, (100, 100), (600, 1900))] {
        let frozen = at(&canary, &outage, 30);
        assert_eq!((frozen.decision, frozen.rollout.share()), (Decision::Freeze, 0.01));
        assert_eq!(frozen.rollout.flags, [Flag::Frozen].into());
    }
    let over = at(&at(&canary, &failing(&canary, (5, 20), (30, 100)), 30).rollout, &fine(&canary, 100), 31);
    assert!(over.rollout.flags.is_empty(), "{over:?}");
}

#[test]
fn few_but_telling_errors_stop_a_canary() {
    let canary = begun();
    assert_eq!(at(&canary, &failing(&canary, (4, 100), (12, 1900)), 1).decision, Decision::Hold, "17.7");
    let stopped = at(&canary, &failing(&canary, (7, 100), (12, 1900)), 1);
    assert_eq!(stopped.decision, Decision::Abort);
    assert!(stopped.reasons[0].contains("7 of 100 users"), "{:?}", stopped.reasons);
}

#[test]
fn no_errors_at_all_and_none_of_the_control() {
    let canary = begun();
    assert_eq!(at(&canary, &failing(&canary, (0, 0), (0, 0)), 1).decision, Decision::Hold);
    assert_eq!(at(&canary, &failing(&canary, (0, 60), (0, 0)), 15).decision, Decision::Advance(1));
    let three = at(&canary, &failing(&canary, (3, 60), (0, 600)), 1);
    assert!(three.rollout.state.processes[0].ln_e().is_finite());
}

#[test]
fn means_that_are_worse_by_more_than_the_margin_stop_a_canary() {
    let canary = begun();
    // Of 200 latencies each with a deviation of .6, the logarithms of the canary's lower by `gap`, times the
    // sign.
    let slower = |gap: f64, n: f64| {
        let sums = |mean: f64, n: f64| Sums { n, s1: n * mean, s2: n * (mean * mean + 0.36) };
        let arms = vec![sums(0.0, 20_000.0), sums(-gap, n)];
        let mean = Mean { strata: vec![Stratum { allocation_version: 1, arms }], design_effect: 1.0 };
        Observed { means: [(Measure::LatencyMs, mean)].into(), ..fine(&canary, 10) }
    };
    let stopped = at(&canary, &slower(1.5_f64.ln(), 200.0), 1);
    assert_eq!(stopped.decision, Decision::Abort);
    assert!(stopped.reasons[0].contains("50 % longer"), "{:?}", stopped.reasons);
    for held in [slower(1.1_f64.ln(), 5000.0), slower(-1.0, 200.0), slower(2.0, 29.0)] {
        assert_eq!(at(&canary, &held, 1).decision, Decision::Hold, "{held:?}");
    }
    let mut correlated = slower(1.5_f64.ln(), 200.0);
    correlated.means.get_mut(&Measure::LatencyMs).unwrap().design_effect = 10.0;
    assert_eq!(at(&canary, &correlated, 1).decision, Decision::Hold, "users who answer alike tell less");
}

#[test]
fn counters_that_cannot_be_are_an_error() {
    let canary = begun();
    let arms = vec![Sums { n: f64::NAN, s1: 0.0, s2: 0.0 }; 2];
    let mean = Mean { strata: vec![Stratum { allocation_version: 1, arms }], design_effect: 1.0 };
    let observed = Observed { means: [(Measure::CostUsd, mean)].into(), ..fine(&canary, 10) };
    assert_eq!(tick(&canary, &observed, minutes(1)).unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn without_automatic_rollback_a_breach_holds_until_a_person_decides() {
    let canary = rollout(0, Plan { auto_rollback: false, ..Plan::default() });
    let held = at(&canary, &failing(&canary, (60, 100), (0, 1900)), 60);
    assert_eq!((held.decision, held.rollout.share()), (Decision::Hold, 0.01));
    assert_eq!(held.rollout.flags, [Flag::Breached].into());
}

#[test]
fn without_data_nothing_advances_and_a_stage_without_traffic_stalls() {
    let canary = begun();
    let seen = at(&canary, &fine(&canary, 60), 10).rollout;
    assert_eq!(at(&seen, &fine(&seen, 60), 12).decision, Decision::Hold, "it bakes");
    assert_eq!(at(&seen, &fine(&seen, 60), 16).decision, Decision::Hold, "silent for six minutes");
    assert_eq!(at(&seen, &fine(&seen, 61), 16).decision, Decision::Advance(1));
    let stalled = at(&seen, &fine(&seen, 60), 24 * 60);
    assert_eq!((stalled.decision, stalled.rollout.share()), (Decision::Stall, 0.01));
    assert_eq!(stalled.rollout.flags, [Flag::Stalled].into());
    let again = at(&stalled.rollout, &fine(&seen, 61), 24 * 60 + 1);
    assert_eq!((again.decision, again.rollout.flags.len()), (Decision::Advance(1), 0));
    let large = rollout(2, Plan::default());
    assert_eq!(at(&large, &fine(&large, 0), 47 * 60).decision, Decision::Hold, "it may wait for 48 hours");
}

#[test]
fn two_who_look_at_once_find_the_same_and_looking_again_changes_nothing() {
    let canary = begun();
    for observed in [
        failing(&canary, (4, 100), (12, 1900)),
        failing(&canary, (0, 60), (1, 600)),
        failing(&canary, (60, 100), (0, 1900)),
        failing(&canary, (50, 100), (950, 1900)),
    ] {
        let once = at(&canary, &observed, 15);
        assert_eq!(at(&canary, &observed, 15), once);
        let again = at(&once.rollout, &observed, 15);
        assert_eq!(again.rollout, once.rollout, "{:?}", once.decision);
        let settled = matches!(once.decision, Decision::Advance(_) | Decision::Abort);
        assert_eq!(again.decision, if settled { Decision::Hold } else { once.decision });
    }
}

#[test]
fn to_abort_twice_is_to_abort_once() {
    let once = begun().abort("looks odd", minutes(3)).unwrap();
    assert_eq!((once.decision, &*once.reasons), (Decision::Abort, &["looks odd".to_owned()][..]));
    let twice = once.rollout.abort("again", minutes(4)).unwrap();
    assert_eq!(
        (twice.decision, &twice.rollout, &twice.reasons),
        (Decision::Hold, &once.rollout, &once.reasons)
    );
    assert_eq!(once.rollout.advance(minutes(4)).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(once.rollout.pause(minutes(4)).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn another_version_begins_at_the_first_stage_with_nothing_known() {
    let started = begun();
    let bad = at(&started, &failing(&started, (2, 60), (1, 600)), 14).rollout;
    let second = bad.advance(minutes(15)).unwrap().rollout;
    assert!(second.state.processes[0].ln_e() > 1.0 && second.state.requests == 60);
    let again = second.replaced(version(3), minutes(20)).unwrap();
    let fresh = State { iteration: 2, allocation_version: 3, ..State::begin(&again.plan, 0, minutes(20)) };
    assert_eq!((again.canary, again.state.clone(), again.share()), (version(3), fresh, 0.01));
    assert_eq!(at(&again, &fine(&second, 1000), 60).decision, Decision::Hold, "counters of the former one");
}

#[test]
fn evidence_goes_on_from_stage_to_stage_and_counts_begin_anew() {
    let started = begun();
    let first = at(&started, &failing(&started, (4, 100), (12, 1900)), 1).rollout;
    let second = first.advance(minutes(2)).unwrap().rollout;
    assert!((second.state.processes[0].ln_e() - 17.672_297_f64.ln()).abs() < 1e-6);
    let stopped = at(&second, &failing(&second, (3, 50), (3, 950)), 3);
    assert_eq!(stopped.decision, Decision::Abort, "{stopped:?}");
}

#[test]
fn a_pause_holds_the_weights_counts_for_nothing_and_disarms_nothing() {
    let paused = begun().pause(minutes(10)).unwrap();
    assert_eq!(paused.pause(minutes(11)).unwrap(), paused);
    assert_eq!(at(&paused, &fine(&paused, 500), 72 * 60).decision, Decision::Hold);
    assert_eq!(at(&paused, &failing(&paused, (60, 100), (0, 1900)), 20).decision, Decision::Abort);
    let resumed = paused.resume(minutes(1000)).unwrap();
    assert_eq!(
        at(&resumed, &fine(&resumed, 500), 1004).decision,
        Decision::Hold,
        "five minutes of bake are left"
    );
    assert_eq!(at(&resumed, &fine(&resumed, 500), 1005).decision, Decision::Advance(1));
    assert_eq!(resumed.resume(minutes(1001)).unwrap(), resumed);
}

#[test]
fn a_person_may_advance_to_the_promotion_and_no_further() {
    let mut canary = begun().pause(minutes(0)).unwrap();
    for (minute, decision) in
        (1..).zip([Decision::Advance(1), Decision::Advance(2), Decision::Advance(3), Decision::Promote])
    {
        let tick = canary.advance(minutes(minute)).unwrap();
        assert_eq!((tick.decision, tick.rollout.state.paused_at), (decision, None));
        canary = tick.rollout;
    }
    assert_eq!(canary.advance(minutes(9)).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(canary.replaced(version(3), minutes(9)).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(canary.abort("no", minutes(9)).unwrap().decision, Decision::Abort);
}

#[test]
fn a_clock_behind_is_the_beginning() {
    let late = Rollout { state: State::begin(&Plan::default(), 0, minutes(100)), ..begun() };
    assert_eq!(at(&late, &fine(&late, 500), 1).decision, Decision::Hold);
}

#[test]
fn the_ref_is_told_who_serves_whom() {
    let allocation = begun().allocation().unwrap();
    assert_eq!((allocation.arms[1].key.as_str(), allocation.arms[1].weight), (CANARY, 0.01));
    assert_eq!((allocation.arms[0].version, allocation.arms[1].version), (version(1), version(2)));
    let json = serde_json::to_string(&begun()).unwrap();
    assert_eq!(serde_json::from_str::<Rollout>(&json).unwrap(), begun());
}
