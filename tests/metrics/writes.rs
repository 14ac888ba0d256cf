//! What a million events cost: items written, for batches of a hundred over twenty versions.

use domain::metric::Count;
use e2e::{
    Dice, any_seed,
    metrics::{MESSAGES, Road},
};

/// The targets' figure.
const MOST_WRITES: usize = 20_000;

#[tokio::test]
async fn a_million_events_in_batches_of_100_over_20_versions_write_fewer_than_20_000_items() {
    let dice = Dice::new(any_seed());
    let road = Road::start(4, 5).await;
    let written = road.written_of(&dice, MESSAGES, || dice.below(20)).await;
    assert_eq!(written.messages, MESSAGES);
    let mut calls = 0;
    for version in 0..20 {
        calls += road.total(version).await.counts.get(Count::Calls);
    }
    assert_eq!(calls, i64::try_from(written.events).unwrap());
    println!(
        "{} events wrote {} items: {} for a million",
        written.events,
        written.items,
        written.of_a_million()
    );
    assert!((1..MOST_WRITES).contains(&written.of_a_million()), "{written:?}");
}
