//! A table that is down, slow, or loses its answers: no resolve fails or waits for that, and afterwards all is counted.

use std::time::Duration;

use e2e::{Dice, any_seed};
use futures_util::future::join_all;
use testkit::fault::{Fault, Rule};
use tokio::{select, time::Instant};

use super::{KEEP, start};
use crate::scene::outage;

/// Longer than any request waits for a write, on a busy machine too.
const TOO_LONG: Duration = Duration::from_millis(400);

#[tokio::test]
async fn while_the_table_is_down_counting_goes_on() {
    let (scene, _) = start().await;
    let process = &scene.world.process;
    scene.served(process, 2).await;
    let down = scene.world.faults().add(outage());
    for _ in 0..5 {
        scene.world.clock.advance(KEEP);
        scene.served(process, 3).await;
    }
    down.end();
    scene.shows(process, "version", &[("07 1", 17)]).await;
}

#[tokio::test]
async fn a_table_that_does_not_answer_delays_a_request_in_ten_seconds_by_the_bound_at_most() {
    let (scene, _) = start().await;
    let process = &scene.world.process;
    scene.served(process, 2).await;
    let slow = scene.world.faults().add(Rule::on("TransactWriteItems", Fault::Hold));
    // One quick try is proof enough; a busy machine may spoil some.
    let mut waits = Vec::new();
    while (slow.injected() == 0 || waits.iter().all(|wait| *wait >= TOO_LONG)) && waits.len() < 20 {
        scene.world.clock.advance(KEEP);
        let started = Instant::now();
        scene.served(process, 20).await;
        waits.push(started.elapsed());
    }
    assert!(slow.injected() > 0 && waits.iter().any(|wait| *wait < TOO_LONG), "{waits:?}");
    slow.end();
    let served = 2 + 20 * i64::try_from(waits.len()).unwrap();
    scene.shows(process, "version", &[("07 1", served)]).await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_once() {
    let (scene, _) = start().await;
    let process = &scene.world.process;
    let lost = scene.world.faults().add(Rule::on("TransactWriteItems", Fault::DropAfter));
    scene.served(process, 4).await;
    // What is written has no answer, and so is tried again: until then it is there all the same.
    scene.shows(process, "version", &[("07 1", 4)]).await;
    assert!(lost.injected() >= 1);
    lost.end();
    scene.served(process, 3).await;
    scene.shows(process, "version", &[("07 1", 7)]).await;
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_no_counts_along() {
    let (scene, _) = start().await;
    let process = &scene.world.process;
    scene.served(process, 4).await;
    let held = scene.world.faults().add(Rule::on("BatchGetItem", Fault::Hold));
    scene.world.clock.advance(KEEP);
    select! {
        () = held.has_held(1) => {}
        status = scene.ask(process, &[("prompt", "nobody")]) => assert_eq!(status, 404),
    }
    held.end();
    scene.shows(process, "version", &[("07 1", 4)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crowds_at_processes_that_share_a_rough_table_are_counted_exactly() {
    let (scene, _) = start().await;
    let dice = Dice::new(any_seed());
    let processes = [scene.world.another_process().await, scene.world.another_process().await];
    let faults = [
        Fault::Conflict,
        Fault::Exception("ProvisionedThroughputExceededException"),
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Duplicate,
        Fault::Delay(Duration::from_millis(60)),
    ];
    for (seed, fault) in (0..).zip(faults) {
        scene.world.faults().add(Rule::on("TransactWriteItems", fault).with_probability(0.1, seed));
    }
    scene.world.faults().add(Rule::on("BatchGetItem", Fault::DropBefore).with_probability(0.1, 7));
    let mut served = 0;
    for _ in 0..40 {
        let crowd = 1 + dice.below(20);
        let asked = (0..crowd).map(|_| scene.served(&processes[dice.below(2)], 1));
        join_all(asked.collect::<Vec<_>>()).await;
        served += i64::try_from(crowd).unwrap();
        scene.world.clock.advance(Duration::from_secs(u64::try_from(dice.below(12)).unwrap()));
    }
    scene.world.faults().clear();
    let wanted = [("07 1", served)];
    for _ in 0..10 {
        scene.refused(&processes[0]).await;
    }
    scene.shows(&processes[1], "version", &wanted).await;
}
