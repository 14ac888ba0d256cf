//! However events are sent, lost, doubled and counted: the counters equal a recount.

use e2e::{
    Dice, any_seed,
    metrics::{Crowd, Road},
};

const EVENTS: usize = 20_000;

/// So that they fill some hours.
const MILLIS_APART: i64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counters_of_20_000_events_equal_a_recount_whatever_happens_to_them() {
    let dice = Dice::new(any_seed());
    let road = Road::start(2, 3).await;
    let crowd = Crowd::draw(&dice, EVENTS, road.versions.len(), MILLIS_APART);
    let signer = road.signer().await;
    for batch in crowd.batches(&dice) {
        road.accept(&crowd.body(&road, &signer, &batch)).await;
    }
    // Each message is there twice, and none where it belongs.
    let mut messages = road.world.take_metrics().await;
    messages.extend(messages.clone());
    dice.shuffle(&mut messages);
    road.world.send_metrics(&messages).await;
    println!("{} messages", messages.len());
    road.add_faults(&dice, 1.0);
    let mut given_up = 0;
    for round in 0.. {
        while road.count_roughly(&dice).await.messages > 0 {}
        let dead = road.redrive().await;
        if dead == 0 {
            break;
        }
        given_up += dead;
        if round == 1 {
            road.world.faults().clear();
        }
    }
    println!("{given_up} messages were given up, and sent again");
    assert!(given_up > 0, "a run without dead letters shows nothing of them");
    let wanted = crowd.recount(road.world.registry().sources.now());
    assert!(wanted.len() > 500, "{} counters", wanted.len());
    assert_eq!(road.counters().await.differences(&wanted), [""; 0]);
}
