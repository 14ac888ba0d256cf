//! Strata that closed long ago are compacted: no figure changes, whoever else counts or compacts, and a tick reads little
//! of a trial however old it is.

use std::{sync::Arc, time::Duration};

use domain::{
    experiment::{Feedback, NewSettings},
    measure::Measure,
    trial::TrialId,
};
use e2e::{Dice, World, any_seed, text};
use serde_json::{Value, json};
use store::keys::COMPACTED;
use testkit::fault::{Fault, Rule};

use crate::{
    stage::{HOUR, Stage, event},
    twins::{STRATA, Spot, Twins, UNITS, all_values},
};

/// How many items one transaction takes away, and one call.
const TAKEN: [usize; 2] = [33, 132];

fn about(primary: Measure) -> NewSettings {
    NewSettings { primary_metric: Some(primary), ..NewSettings::default() }
}

/// A fault of reading a page of a trial's counters.
fn on_page(fault: Fault) -> Rule {
    Rule::on("Query", fault).when(|query| query["TableName"] == "cuecard-telemetry")
}

/// Counts from now on the pages that are read of a trial's counters.
fn pages(world: &World) -> Arc<Rule> {
    world.faults().add(on_page(Fault::Delay(Duration::ZERO)))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_figure_changes_whenever_strata_are_compacted_and_whatever_comes_late() {
    let dice = Dice::new(any_seed());
    let implicit = NewSettings { feedback: Some(Feedback::ImplicitNegative), ..about(Measure::Success) };
    let fading = NewSettings { continuous: true, ..about(Measure::LatencyMs) };
    for (settings, keys) in
        [(about(Measure::UserRating), &["A", "B"][..]), (implicit, &["A", "B#1", "#"]), (fading, &["A", "B"])]
    {
        let twins = Twins::start(settings, keys).await;
        let mut taken = 0;
        for _ in 0..8 {
            twins.tell_any(&dice, 25).await;
            if !dice.once_in(3) {
                taken += twins.compact(twins.any_spot(&dice).allocation_version).await;
            }
            twins.agree().await;
        }
        taken += twins.compact_all().await;
        assert!(taken > 100, "{taken}");
        twins.agree().await;
        twins.tell_any(&dice, 25).await;
        twins.agree().await;
        assert!(twins.compact_all().await > 0, "what came late is compacted too");
        twins.agree().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_returns_to_a_compacted_stratum_is_known_and_its_rating_is_replaced() {
    let twins = Twins::start(about(Measure::UserRating), &["A", "B"]).await;
    let spot = Spot { allocation_version: 2, arm: 1, unit: 7 };
    twins.tell(&[(spot, all_values())]).await;
    assert_eq!(twins.compact_all().await, 10, "nine measures, and who met the arm");
    twins.pass(Duration::from_secs(1));
    let mut again = all_values();
    (again.user_rating, again.error) = (Some(1), Some(true));
    twins.tell(&[(spot, again.clone()), (spot, again)]).await;
    twins.agree().await;
    let counters = twins.compacted.registry().store.trial_counters(twins.id()).await.unwrap();
    let met = counters.exposures.iter().map(|met| [met.exposures, met.new_units, met.units, met.error_units]);
    assert_eq!(met.fold([0; 4], |sum, met| std::array::from_fn(|at| sum[at] + met[at])), [1, 1, 1, 1]);
    let ratings =
        counters.cells.iter().filter(|at| at.measure == Measure::UserRating).map(|at| at.cell.ratings);
    let ratings = ratings.fold([0; 5], |sum, more| std::array::from_fn(|at| sum[at] + more[at]));
    assert_eq!(ratings, [1, 0, 0, 0, 0], "one user, and their last word");
    twins.compact_all().await;
    twins.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_compact_at_once_while_others_count_and_the_table_refuses_lose_nothing() {
    let seed = any_seed();
    let dice = Dice::new(seed);
    let twins = Twins::start(about(Measure::UserRating), &["A", "B", "C"]).await;
    twins.tell_any(&dice, 80).await;
    let faults = [(Fault::Conflict, 1), (Fault::DropAfter, 2), (Fault::Duplicate, 3)].map(|(fault, salt)| {
        let rule = Rule::on("TransactWriteItems", fault).with_probability(0.1, seed ^ salt);
        twins.compacted.faults().add(rule)
    });
    let other = twins.compacted.another_process().await;
    let (one, two) = (&twins.compacted.registry().store, &other.release.registry.store);
    let now = twins.compacted.registry().sources.now();
    for _ in 0..10 {
        // Who gets no answer at all fails, and the next minute looks again.
        let _ = tokio::join!(
            one.compact(twins.id(), STRATA - 1, now),
            two.compact(twins.id(), STRATA - 1, now),
            twins.tell_any(&dice, 3)
        );
        twins.agree().await;
    }
    assert!(faults.iter().map(|fault| fault.injected()).sum::<u64>() > 0);
    twins.compacted.faults().clear();
    twins.compact_all().await;
    twins.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_between_the_look_and_the_write_stops_that_write_alone() {
    let dice = Dice::new(any_seed());
    let twins = Twins::start(about(Measure::UserRating), &["A", "B"]).await;
    let first = |unit| (Spot { allocation_version: 1, arm: 0, unit }, all_values());
    twins.tell(&[first(0)]).await;
    while items(&twins).await < TAKEN[1] {
        twins.tell_any(&dice, 20).await;
    }
    let look = twins.compacted.faults().add(on_page(Fault::Hold));
    let late = async {
        look.has_held(1).await;
        twins.tell(&[first(UNITS)]).await;
        look.end();
    };
    let (taken, ()) = tokio::join!(twins.compact(STRATA - 1), late);
    assert_eq!(taken, TAKEN[1] - TAKEN[0], "the first transaction would have lost what came between");
    twins.agree().await;
    twins.compact_all().await;
    twins.agree().await;
}

/// How many items of closed strata there are, in both worlds.
async fn items(twins: &Twins) -> usize {
    let counters = twins.plain.registry().store.trial_counters(twins.id()).await.unwrap();
    let cells = counters.cells.iter().filter(|at| at.allocation_version < STRATA).count();
    cells + counters.exposures.iter().filter(|at| at.allocation_version < STRATA).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_between_whose_pages_strata_are_compacted_reads_again_and_in_the_end_one_page_is_all() {
    let keys = ["A", "B", "C"].map(|letter| letter.repeat(900));
    let twins = Twins::start(about(Measure::UserRating), &keys.each_ref().map(String::as_str)).await;
    let spots = (1..=STRATA).flat_map(|allocation_version| {
        (0..3).map(move |arm| (Spot { allocation_version, arm, unit: arm }, all_values()))
    });
    twins.tell(&spots.collect::<Vec<_>>()).await;
    let wanted = twins.observed(&twins.plain).await;
    let read = pages(&twins.plain);
    assert_eq!(twins.observed(&twins.plain).await, wanted);
    assert_eq!(read.injected(), 2);
    let held = twins.compacted.faults().add(on_page(Fault::Hold).times(1));
    let read = pages(&twins.compacted);
    let meanwhile = async {
        held.has_held(1).await;
        let taken = twins.compact(STRATA - 1).await;
        held.end();
        taken
    };
    let (observed, taken) = tokio::join!(twins.observed(&twins.compacted), meanwhile);
    assert_eq!(observed, wanted);
    assert!(read.injected() > 2, "after the other page and that of the compaction it began anew");
    twins.compacted.faults().clear();
    let taken = taken + twins.compact_all().await;
    assert_eq!(taken, 10 * 3 * (usize::try_from(STRATA).unwrap() - 1));
    let read = pages(&twins.compacted);
    assert_eq!(twins.observed(&twins.compacted).await, wanted);
    assert_eq!(read.injected(), 1);
    twins.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_compacts_what_closed_three_days_ago_though_two_are_at_it() {
    let dice = Dice::new(any_seed());
    let stage = Stage::new(2).await;
    let other = stage.world.another_process().await;
    let made = stage.experiment(&json!({ "primary_metric": "user_rating" })).await;
    let id = text(&made["experiment_id"]);
    let trial: TrialId = id.parse().unwrap();
    for day in 1..=6 {
        let mut events = Vec::new();
        for user in 0..30 {
            let answer = stage.resolve(&format!("user-{user}")).await;
            events.push(event(&answer, &json!({ "user_rating": 1 + dice.below(5), "latency_ms": 300 })));
        }
        stage.report(&events).await;
        stage.world.clock.advance(24 * HOUR);
        let path = format!("/api/experiments/{id}");
        let before = stage.get(&path).await;
        let (one, two) = tokio::join!(stage.world.release().steer_trials(), other.release.steer_trials());
        assert_eq!(one.unwrap() + two.unwrap(), 1, "a day has passed: other weights, by one of them");
        let after = stage.get(&path).await;
        assert_eq!(after["variants"], before["variants"], "day {day}");
        let exposures = after["variants"].as_array().unwrap().iter().map(|arm| &arm["exposures"]);
        assert_eq!(exposures.filter_map(Value::as_i64).sum::<i64>(), 30 * day);
        // The stratum of a day closes at its end: after four days the first one has been closed for three.
        let counters = stage.world.registry().store.trial_counters(trial).await.unwrap();
        let whole = counters.cells.iter().filter(|at| at.cell.buckets.iter().any(|bucket| bucket.n > 0));
        let whole: Vec<u64> = whole.map(|at| at.allocation_version).filter(|at| *at != COMPACTED).collect();
        assert_eq!(whole.iter().min(), Some(&u64::try_from((day - 3).max(0) + 1).unwrap()), "day {day}");
    }
}
