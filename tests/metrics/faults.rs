//! What the table does to transactions on AWS: conflicts, throttles, lost answers, calls that arrive twice.

use testkit::fault::{Fault, Rule};

use crate::{scene, told};

#[tokio::test]
async fn faults_of_the_table_change_no_count() {
    let (calm, rough) = (scene::start().await, scene::start().await);
    let messages = told::messages(10, &calm.sources);
    calm.store.apply(&messages, &calm.sources).await;
    let faults = [
        Fault::Conflict,
        Fault::Exception("ProvisionedThroughputExceededException"),
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Duplicate,
    ];
    for (seed, fault) in (0..).zip(faults) {
        rough.proxy.rules().add(Rule::on("TransactWriteItems", fault).with_probability(0.15, seed));
    }
    // A worker that gives up sends its messages back, and another one takes them.
    let mut left = messages;
    for _ in 0..50 {
        let applied = rough.store.apply(&left, &rough.sources).await;
        let outcomes = left.into_iter().zip(applied.outcomes);
        left = outcomes.filter_map(|(message, outcome)| outcome.is_err().then_some(message)).collect();
        if left.is_empty() {
            break;
        }
    }
    assert!(left.is_empty());
    assert_eq!(told::held(&rough.store).await, told::held(&calm.store).await);
}
