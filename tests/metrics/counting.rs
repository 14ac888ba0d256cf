//! However events are sent, lost, doubled and counted: the counters equal a recount.

use std::{collections::BTreeMap, time::Duration};

use domain::metric::{Count, Counts, Hour, Tally};
use e2e::{Dice, any_seed};
use serde_json::Value;
use testkit::{
    event_source::Failure,
    fault::{Fault, Rule},
};

use crate::{
    crowd::{crowd, requests, shuffle},
    recount::{Recount, recount},
    road::Road,
};

const EVENTS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counters_of_20_000_events_equal_a_recount_whatever_happens_to_them() {
    let dice = Dice::new(any_seed());
    let road = Road::start(2, 3).await;
    let crowd = crowd(&dice, EVENTS, road.versions.len());
    for request in requests(&road, &dice, &crowd).await {
        road.accept(&request).await;
    }
    // Each message is there twice, and none where it belongs.
    let mut messages = road.world.take_metrics().await;
    messages.extend(messages.clone());
    shuffle(&dice, &mut messages);
    road.world.send_metrics(&messages).await;
    println!("{} messages", messages.len());
    add_faults(&road, &dice);
    let mut given_up = 0;
    for round in 0.. {
        while count(&road, &dice).await > 0 {}
        let dead: Vec<Value> = road.world.take_dead_metrics().await;
        if dead.is_empty() {
            break;
        }
        given_up += dead.len();
        road.world.send_metrics(&dead).await;
        if round == 1 {
            road.world.faults().clear();
        }
    }
    println!("{given_up} messages were given up, and sent again");
    assert!(given_up > 0, "a run without dead letters shows nothing of them");
    holds(&road, &recount(&crowd, road.world.registry().sources.now())).await;
}

/// What the table does between and inside transactions.
fn add_faults(road: &Road, dice: &Dice) {
    for (fault, probability) in [
        (Fault::Conflict, 0.1),
        (Fault::Exception("ProvisionedThroughputExceededException"), 0.02),
        // That is worth no second try: the messages come again, and those with bad luck are given up.
        (Fault::Exception("AccessDeniedException"), 0.25),
        (Fault::DropBefore, 0.01),
        (Fault::DropAfter, 0.02),
        (Fault::Duplicate, 0.05),
    ] {
        let seed = u64::try_from(dice.below(1_000_000)).unwrap();
        road.world.faults().add(Rule::on("TransactWriteItems", fault).with_probability(probability, seed));
    }
    let seed = u64::try_from(dice.below(1_000_000)).unwrap();
    let unread = Fault::Exception("AccessDeniedException");
    road.world.faults().add(Rule::on("BatchGetItem", unread).with_probability(0.02, seed));
}

/// Steps the queue with workers of which some are cut in the middle of what they do.
async fn count(road: &Road, dice: &Dice) -> usize {
    let app = road.world.rollup();
    let handle = |event| {
        let patience =
            Duration::from_millis(if dice.once_in(10) { 1 + dice.below(50) as u64 } else { 60_000 });
        let app = app.clone();
        async move {
            let done = tokio::time::timeout(patience, rollup::handle(event, &app)).await;
            done.map_err(Failure::from)?.map_err(Failure::from)
        }
    };
    road.world.metrics_source().drain_once(&road.world.clients.sqs, handle).await.unwrap()
}

async fn holds(road: &Road, wanted: &Recount) {
    let mut counted: BTreeMap<(usize, Hour), Counts> = BTreeMap::new();
    for version in 0..road.versions.len() {
        for (hour, Tally { counts, latency }) in road.hours(version).await {
            let latencies: i64 = latency.buckets().map(|(_, count)| count).sum();
            assert_eq!(latencies, counts.get(Count::LatencyGiven), "{version} {hour}");
            counted.insert((version, hour), counts);
        }
    }
    assert_eq!(counted, wanted.hours);
    let trial = road.trial().await;
    let cells = trial.cells.iter().map(|at| {
        let (buckets, total) = (&at.cell.buckets, &at.cell.total);
        assert_eq!(buckets.iter().map(|bucket| bucket.n).sum::<i64>(), total.n, "{at:?}");
        assert_eq!(buckets.iter().map(|bucket| bucket.s).sum::<i128>(), total.s1, "{at:?}");
        ((at.allocation_version, at.arm.clone(), at.measure), (total.n, total.s1, total.s2))
    });
    let cells: BTreeMap<_, _> = cells.collect();
    let wanted_cells = wanted
        .cells
        .iter()
        .map(|(((version, arm), measure), sums)| ((*version, (*arm).to_owned(), *measure), *sums));
    assert_eq!(cells, wanted_cells.collect());
    let exposures = trial.exposures.iter().map(|at| {
        assert_eq!(at.new_units, at.units, "each unit is new once");
        ((at.allocation_version, at.arm.clone()), [at.exposures, at.units, at.error_units])
    });
    let wanted_exposures = wanted.exposures.iter().map(|((version, arm), counts)| {
        ((*version, (*arm).to_owned()), counts.map(|count| i64::try_from(count).unwrap()))
    });
    assert_eq!(exposures.collect::<BTreeMap<_, _>>(), wanted_exposures.collect());
    holds_by_day(road, wanted).await;
}

/// The team's days are the sums of their hours.
async fn holds_by_day(road: &Road, wanted: &Recount) {
    let (from, to) = ("2026-11-19".parse().unwrap(), "2026-11-21".parse().unwrap());
    let days = road.world.registry().store.team_days(&"support".parse().unwrap(), from, to).await.unwrap();
    for shown in [Count::Calls, Count::Errors, Count::CostNanos, Count::InputTokens, Count::RatingSum] {
        let of_days: i64 = days.iter().map(|day| day.counts.get(shown)).sum();
        let of_hours: i64 = wanted.hours.values().map(|counts| counts.get(shown)).sum();
        assert_eq!(of_days, of_hours, "{shown:?}");
    }
}
