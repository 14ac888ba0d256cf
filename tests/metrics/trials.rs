//! What resolves of a trial come to: a second value takes the place of the first, in whichever order they come.

use std::time::Duration;

use domain::{
    Timestamp,
    counter::Cell,
    measure::Measure,
    metric::{Count, Hour},
};
use e2e::metrics::{Road, Spot};
use serde_json::{Value, json};
use store::metric::TrialCounters;

const SPOT: Spot = Spot { allocation_version: 3, arm: "B", unit: 77, nonce: 1 };

/// Reports an event of the spot and counts it; each a second after the one before.
async fn tell(road: &Road, values: Value) {
    road.accept(&json!({ "events": [road.of_spot(0, SPOT, values).await] })).await;
    road.count().await;
    road.world.clock.advance(Duration::from_secs(1));
}

fn cell(trial: &TrialCounters, measure: Measure) -> Cell {
    let found = trial.cells.iter().find(|at| at.measure == measure);
    found.map(|at| at.cell.clone()).unwrap_or_default()
}

fn rated(stars: f64) -> Cell {
    let mut cell = Cell::default();
    cell.add(Measure::UserRating, stars, SPOT.unit);
    cell
}

#[tokio::test]
async fn a_rating_that_goes_from_5_to_1_and_back_counts_as_one_5() {
    let road = Road::start(1, 1).await;
    for stars in [5, 1, 5] {
        tell(&road, json!({ "user_rating": stars })).await;
    }
    let trial = road.trial().await;
    assert_eq!(trial.cells.len(), 1);
    assert_eq!((trial.cells[0].allocation_version, trial.cells[0].arm.as_str()), (3, "B"));
    assert_eq!(cell(&trial, Measure::UserRating), rated(5.0));
    let total = road.total(0).await;
    let ratings = [Count::RatingGiven, Count::RatingSum, Count::Rating1, Count::Rating5];
    assert_eq!(ratings.map(|count| total.counts.get(count)), [1, 5, 0, 1]);
}

#[tokio::test]
async fn the_second_value_replaces_the_first_for_every_measure() {
    let road = Road::start(1, 1).await;
    let call = |latency: u32, cost: f64, error: bool| json!({ "latency_ms": latency, "cost_usd": cost, "error": error, "quality": 0.2, "success": !error });
    tell(&road, call(900, 0.5, true)).await;
    tell(&road, call(120, 0.25, false)).await;
    let trial = road.trial().await;
    for (measure, value) in [
        (Measure::LatencyMs, 120.0),
        (Measure::CostUsd, 0.25),
        (Measure::Error, 0.0),
        (Measure::Quality, 0.2),
        (Measure::Success, 1.0),
    ] {
        let mut wanted = Cell::default();
        wanted.add(measure, value, SPOT.unit);
        assert_eq!(cell(&trial, measure), wanted, "{measure:?}");
    }
    let met = &trial.exposures[..];
    assert_eq!(met.len(), 1);
    // The unit did meet an error, whatever became of the call.
    assert_eq!((met[0].exposures, met[0].units, met[0].error_units), (1, 1, 1));
    let total = road.total(0).await;
    let counts = [Count::LatencyGiven, Count::LatencyMs, Count::CostNanos, Count::Errors, Count::Successes];
    assert_eq!(counts.map(|count| total.counts.get(count)), [1, 120, 250_000_000, 0, 1]);
    let latencies: i64 = total.latency.buckets().map(|(_, count)| count).sum();
    assert_eq!(latencies, 1);
}

#[tokio::test]
async fn feedback_that_comes_before_its_call_is_an_exposure_and_counts_once() {
    let road = Road::start(1, 1).await;
    let now = road.world.registry().sources.now();
    let later = Timestamp::from_millis(now.as_millis() + 60_000);
    tell(&road, json!({ "user_rating": 4, "timestamp": later })).await;
    assert_eq!(road.trial().await.exposures[0].exposures, 1);
    tell(&road, json!({ "latency_ms": 300, "timestamp": now })).await;
    // What was said before the rating does not take its place, though it comes behind it.
    tell(&road, json!({ "user_rating": 1, "timestamp": now })).await;
    let trial = road.trial().await;
    let exposures = &trial.exposures[0];
    assert_eq!((exposures.exposures, exposures.units, exposures.new_units), (1, 1, 1));
    assert_eq!(cell(&trial, Measure::UserRating), rated(4.0));
    assert_eq!(cell(&trial, Measure::LatencyMs).total.n, 1);
    let hours = road.hours(0).await;
    assert_eq!(hours.keys().copied().collect::<Vec<_>>(), [Hour::of(now)]);
    assert_eq!(hours[&Hour::of(now)].counts.get(Count::Calls), 1);
}

#[tokio::test]
async fn feedback_is_booked_to_the_weights_that_the_token_names() {
    let road = Road::start(1, 1).await;
    let former = Spot { allocation_version: 2, nonce: 2, ..SPOT };
    let late = road.of_spot(0, former, json!({ "user_rating": 2 })).await;
    tell(&road, json!({ "user_rating": 5 })).await;
    road.world.clock.advance(Duration::from_hours(30 * 24));
    road.accept(&json!({ "events": [late] })).await;
    road.count().await;
    let trial = road.trial().await;
    let cells = trial.cells.iter().map(|at| (at.allocation_version, at.cell.clone()));
    assert_eq!(cells.collect::<Vec<_>>(), [(2, rated(2.0)), (3, rated(5.0))]);
}
