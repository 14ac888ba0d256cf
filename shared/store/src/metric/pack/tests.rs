//! What is written for which entries, and how much of it.

use std::collections::BTreeSet;

use domain::{
    PromptId, TeamId, VersionId,
    measure::Measure,
    metric::{Count, Delta, Entry, Histogram, Hour, Observation, Placement, Reading, Tally},
    name::production,
};

use super::*;
use crate::{
    keys::{TelemetryKey, parse_arm},
    metric::sums::{Sums, lacking},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_158_000_000);
const HOUR: i64 = 3_600_000;

fn team() -> TeamId {
    "support".parse().unwrap()
}

fn delta(version: u8, hour: Hour) -> Delta {
    let counts = [(Count::Calls, 5), (Count::Errors, 1)].into_iter().collect();
    Delta {
        prompt_id: PromptId::from_bytes([version; 16]),
        version_id: VersionId::from_bytes([version; 16]),
        environment: production(),
        hour,
        tally: Tally { counts, latency: Histogram::of(100.0) },
    }
}

fn folded(mark: &str, versions: u8) -> Entry {
    let deltas = (0..versions).map(|version| delta(version, Hour::of(NOW))).collect();
    Entry { marks: vec![mark.to_owned()], deltas, observations: Vec::new() }
}

fn told(mark: &str, nonce: u64, unit64: u64, after: i64, readings: &[(Measure, f64)]) -> Entry {
    let placement = Placement {
        trial: "exp_01JD0000000000000000000000".parse().unwrap(),
        iteration: 1,
        allocation_version: 3,
        arm: "B#1".to_owned(),
        unit64,
        nonce,
        issued_at: NOW,
    };
    let seen = Observation {
        prompt_id: PromptId::from_bytes([1; 16]),
        version_id: VersionId::from_bytes([1; 16]),
        environment: production(),
        placement,
        at: Timestamp::from_millis(NOW.as_millis() + after),
        readings: readings.iter().map(|&(measure, value)| Reading { measure, value }).collect(),
    };
    Entry { marks: vec![mark.to_owned()], deltas: Vec::new(), observations: vec![seen] }
}

fn packed<'a>(entries: &'a [Entry], team_id: &'a TeamId, known: Known) -> Packed<'a> {
    let task = |(message, entry)| Task { message, team_id, entry, alone: false };
    pack(&entries.iter().enumerate().map(task).collect::<Vec<_>>(), known, NOW)
}

/// What is remembered after the plans.
fn remembered(plans: &[Plan<'_>]) -> Known {
    let writes = plans.iter().flat_map(|plan| &plan.writes);
    let kept = writes.filter_map(|(place, write)| match &write.write {
        Write::Keep { after, .. } => Some((place.clone(), *after)),
        Write::Add(_) | Write::Take(_) => None,
    });
    kept.collect()
}

/// What the plans add, by place.
fn added(plans: &[Plan<'_>]) -> Vec<((String, String), Sums)> {
    let mut all = Writes::new();
    for (place, write) in plans.iter().flat_map(|plan| &plan.writes) {
        if matches!(write.write, Write::Add(_)) {
            join(&mut all, place.clone(), write.clone());
        }
    }
    let sums = all.into_iter().filter_map(|(place, write)| match write.write {
        Write::Add(sums) if !sums.is_empty() => Some((place, sums)),
        _ => None,
    });
    sums.collect()
}

/// What entries add that come one after another, each applied before the next.
fn one_by_one(entries: &[Entry]) -> Vec<((String, String), Sums)> {
    let (team, mut known, mut all) = (team(), Known::new(), Vec::new());
    for entry in entries {
        let plans = packed(std::slice::from_ref(entry), &team, known.clone()).plans;
        known.extend(remembered(&plans));
        all.extend(plans.into_iter().map(|plan| Plan { tasks: Vec::new(), ..plan }));
    }
    added(&all)
}

#[test]
fn a_million_events_in_batches_of_100_over_20_versions_take_less_than_20_000_writes() {
    let entries: Vec<Entry> = (0..600).map(|batch| folded(&batch.to_string(), 20)).collect();
    let team = team();
    let plans = packed(&entries, &team, Known::new()).plans;
    let writes: usize = plans.iter().map(|plan| plan.writes.len()).sum();
    let per_million = writes * 10_000 / entries.len();
    println!("{per_million} writes for a million events: {writes} in {} transactions", plans.len());
    assert!(per_million < 20_000, "{per_million}");
    assert!(plans.iter().all(|plan| plan.writes.len() <= MOST_WRITES));
}

#[test]
fn the_largest_entry_fits_into_a_transaction() {
    let days = 4_u8;
    let mut entry = folded("m", 40);
    for (at, delta) in (0_u8..).zip(&mut entry.deltas) {
        delta.hour = Hour::of(Timestamp::from_millis(NOW.as_millis() - i64::from(at % days) * 24 * HOUR));
    }
    let all: Vec<(Measure, f64)> = Measure::ALL.iter().map(|measure| (*measure, 1.0)).collect();
    let other: Vec<(Measure, f64)> = Measure::ALL.iter().map(|measure| (*measure, 0.5)).collect();
    // Each value was given in another hour before, and the new one is older still.
    let before: Vec<Entry> = (0_i64..)
        .zip(&other)
        .map(|(at, one)| told(&at.to_string(), 1, 1, (at - 20) * HOUR, &[*one]))
        .collect();
    let (team, known) = (team(), remembered(&packed(&before, &team(), Known::new()).plans));
    for (entry, known) in [(entry, Known::new()), (told("x", 1, 1, -30 * HOUR, &all), known)] {
        let plans = packed(std::slice::from_ref(&entry), &team, known).plans;
        assert!(plans[0].writes.len() <= MOST_WRITES, "{}", plans[0].writes.len());
    }
}

#[test]
fn what_was_added_is_left_out_and_a_copy_waits_for_what_becomes_of_the_first() {
    let team = team();
    let entries = [folded("a", 1), folded("b", 1), folded("a", 1)];
    let first = packed(&entries, &team, Known::new());
    assert_eq!((first.plans.len(), first.plans[0].tasks.len(), first.deferred.len()), (1, 2, 1));
    let again = packed(&entries, &team, remembered(&first.plans));
    assert!(again.plans.is_empty() && again.deferred.is_empty());
}

#[test]
fn an_entry_that_spoils_others_gets_a_transaction_of_its_own() {
    let team_id = &team();
    let entries = [folded("a", 1), folded("b", 1), folded("c", 1)];
    let task = |(at, entry)| Task { message: at, team_id, entry, alone: at == 1 };
    let tasks: Vec<Task<'_>> = entries.iter().enumerate().map(task).collect();
    let plans = pack(&tasks, Known::new(), NOW).plans;
    assert_eq!(plans.iter().map(|plan| plan.tasks.len()).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_rating_edited_from_5_to_1_to_5_leaves_every_counter_as_it_was() {
    let rated = |mark, after, rating| told(mark, 1, 7, after, &[(Measure::UserRating, rating)]);
    let once = one_by_one(&[rated("a", 0, 5.0)]);
    let edited = [rated("a", 0, 5.0), rated("b", HOUR, 1.0), rated("c", 2 * HOUR, 5.0)];
    assert_eq!(one_by_one(&edited), once);
    assert_eq!(added(&packed(&edited, &team(), Known::new()).plans), once, "in one transaction too");
    assert_ne!(one_by_one(&edited[..2]), once);
}

#[test]
fn the_later_value_counts_in_whichever_order_they_arrive() {
    let said = |mark: &str, after, value| told(mark, 1, 7, after, &[(Measure::Quality, value)]);
    let values = [said("a", 0, 0.25), said("b", HOUR, 0.5), said("c", 2 * HOUR, 0.75)];
    let expected = one_by_one(&values);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(one_by_one(&order.map(|at| values[at].clone())), expected, "{order:?}");
    }
}

#[test]
fn units_and_errors_count_once() {
    let error = &[(Measure::Error, 1.0)];
    let entries = [
        told("a", 1, 7, 0, &[(Measure::Error, 0.0)]),
        told("b", 2, 7, 1, error),
        told("c", 3, 7, 2, error),
        told("d", 4, 8, 3, error),
        told("e", 4, 8, 4, &[(Measure::UserRating, 5.0)]),
    ];
    let exposures =
        TelemetryKey::Exposures("exp_01JD0000000000000000000000".parse().unwrap(), 3, "B#1".to_owned());
    let met = |all: Vec<((String, String), Sums)>| {
        all.into_iter().find(|(at, _)| *at == place(&exposures)).unwrap().1
    };
    let met_by = [("b07_n", 3), ("b08_n", 1), ("n", 4), ("new_units", 2), ("units", 2), ("error_units", 2)];
    let expected: Sums = met_by.map(|(name, n)| (name.to_owned(), n)).into();
    assert_eq!(met(one_by_one(&entries)), expected);
    assert_eq!(met(added(&packed(&entries, &team(), Known::new()).plans)), expected);
}

#[test]
fn whatever_is_counted_of_an_arm_is_known_to_who_takes_its_items_away() {
    let all: Vec<(Measure, f64)> = Measure::ALL.iter().map(|measure| (*measure, 1.0)).collect();
    let entries: Vec<Entry> = (0..40).map(|at| told(&at.to_string(), at, at, 0, &all)).collect();
    let names = lacking(&Sums::new()).len();
    for ((_, sk), sums) in one_by_one(&entries).into_iter().filter(|((_, sk), _)| parse_arm(sk).is_some()) {
        assert_eq!(sums.len() + lacking(&sums).len(), names, "{sk}");
    }
}

#[test]
fn what_cost_nothing_is_in_no_mean_of_logarithms() {
    let free = one_by_one(&[told("a", 1, 7, 0, &[(Measure::CostUsd, 0.0)])]);
    assert!(!free.iter().any(|((_, sk), _)| sk.contains("cost_usd")), "{free:?}");
    let priced_later =
        [told("a", 1, 7, 0, &[(Measure::CostUsd, 0.0)]), told("b", 1, 7, 1, &[(Measure::CostUsd, 0.5)])];
    assert_eq!(one_by_one(&priced_later), one_by_one(&[told("b", 1, 7, 1, &[(Measure::CostUsd, 0.5)])]));
}

#[test]
fn however_entries_are_cut_into_transactions_the_sums_are_equal() {
    let mut entries: Vec<Entry> = (0..30).map(|batch| folded(&format!("f{batch}"), 7)).collect();
    entries.extend((0..90_u32).map(|at| {
        let reading = (Measure::UserRating, f64::from(1 + at % 5));
        told(&format!("t{at}"), u64::from(at % 40), u64::from(at % 13), i64::from(at) * HOUR, &[reading])
    }));
    let team = team();
    let plans = packed(&entries, &team, Known::new()).plans;
    assert!(plans.len() > 1);
    assert_eq!(added(&plans), one_by_one(&entries));
    let places: BTreeSet<_> = plans.iter().flat_map(|plan| plan.writes.keys()).collect();
    assert!(places.len() > MOST_WRITES);
}
