//! Whatever happens to events, the counters equal a recount.
//!
//! A worker is killed by dropping what it does: its calls to the table are under way or not sent yet, and whatever it
//! knew is gone, as with a process. The engine behind the proxy goes on, as AWS does.

use std::time::Duration;

use e2e::{
    Dice,
    metrics::{Batch, Counters, Crowd, Road, Spot},
};
use serde_json::json;

use crate::report::{Progress, line, target};

/// Over how many milliseconds the events are spread: six hours.
const SPREAD: usize = 6 * 3_600_000;

/// After so many events all are counted, so that the queue stays small.
const WAVE: usize = 10_000;

/// How much of the faults of the worst hour there is all the time.
const FAULTS: f64 = 0.3;

/// How many resolves are rated anew.
const RATED: u64 = 100;

/// What happened on the way.
#[derive(Default)]
struct Way {
    sent: usize,
    killed: usize,
    redriven: usize,
}

/// Counts so many events; says whether each counter is what it has to be.
pub(crate) async fn measure(events: usize, seed: u64) -> bool {
    let dice = Dice::new(seed);
    let road = Road::start(3, 2).await;
    let apart = i64::try_from((SPREAD / events).max(1)).unwrap_or(1);
    let crowd = Crowd::draw(&dice, events, road.versions.len(), apart);
    let batches = crowd.batches(&dice);
    let sent: usize = batches.iter().map(Batch::size).sum();
    let again = 100 * (sent - events) / events;
    line(&format!(
        "\nExactness: {events} events, {again} % of them twice, under their ids or their batches'"
    ));
    road.add_faults(&dice, FAULTS);
    let way = send_and_count(&road, &crowd, &batches, &dice).await;
    road.world.faults().clear();
    let wanted = crowd.recount(road.world.registry().sources.now());
    let differences = road.counters().await.differences(&wanted);
    for difference in differences.iter().take(10) {
        line(&format!("  {difference}"));
    }
    let right = wanted.len().saturating_sub(differences.len());
    let mut met = target(&format!("{right} counters equal a recount"), &wanted.len().to_string(), {
        differences.is_empty() && !wanted.is_empty()
    });
    let troubles = format!(
        "{} workers were killed, and {} messages redriven from the dead letters",
        way.killed, way.redriven
    );
    met &= target(&troubles, "some of both", way.killed > 0 && way.redriven > 0);
    met & edited(&road).await
}

/// Rates resolves with 5 stars, then with 1, then with 5 again; says whether the counters end as they were.
async fn edited(road: &Road) -> bool {
    let [first, lower, last] = [rated(road, 5).await, rated(road, 1).await, rated(road, 5).await];
    let changed = last.differences(&first).len();
    target(&format!("ratings edited from 5 to 1 and back change {changed} counters"), "0", {
        changed == 0 && lower != first
    })
}

/// The counters once resolves that nobody else speaks of are rated.
async fn rated(road: &Road, stars: u8) -> Counters {
    let mut events = Vec::new();
    for nonce in u64::MAX - RATED..u64::MAX {
        let spot = Spot { allocation_version: 1, arm: "A", unit: nonce, nonce };
        events.push(road.of_spot(0, spot, json!({ "user_rating": stars })).await);
    }
    road.accept(&json!({ "events": events })).await;
    road.count().await;
    // What comes later is what stays.
    road.world.clock.advance(Duration::from_secs(1));
    road.counters().await
}

async fn send_and_count(road: &Road, crowd: &Crowd, batches: &[Batch], dice: &Dice) -> Way {
    let (mut way, mut progress) = (Way::default(), Progress::begin());
    let signer = road.signer().await;
    let mut uncounted = 0;
    for batch in batches {
        road.accept(&crowd.body(road, &signer, batch)).await;
        (way.sent, uncounted) = (way.sent + batch.size(), uncounted + batch.size());
        if uncounted >= WAVE {
            uncounted = 0;
            count(road, dice, &mut way).await;
            progress.tell(|| {
                let Way { sent, killed, redriven } = &way;
                format!(
                    "{sent} events sent and counted, {killed} workers killed, {redriven} messages redriven"
                )
            });
        }
    }
    count(road, dice, &mut way).await;
    line(&format!("  {} events sent and counted in {:.0} s", way.sent, progress.took().as_secs_f64()));
    way
}

/// Counts all that is queued with two workers at once, and all that they give up too.
async fn count(road: &Road, dice: &Dice, way: &mut Way) {
    loop {
        let (one, other) = tokio::join!(road.count_roughly(dice), road.count_roughly(dice));
        way.killed += one.killed + other.killed;
        if one.messages + other.messages > 0 {
            continue;
        }
        let redriven = road.redrive().await;
        if redriven == 0 {
            return;
        }
        way.redriven += redriven;
    }
}
