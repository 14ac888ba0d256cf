//! Messages that come twice, at once, in any order, or in pieces.

use domain::metric::{Count, Message};

use crate::{scene, told};

fn calls(held: &told::Held) -> i64 {
    held.hours.iter().flat_map(|hours| hours.values()).map(|tally| tally.counts.get(Count::Calls)).sum()
}

#[tokio::test]
async fn messages_count_once_however_often_and_in_whichever_order_they_come() {
    let (once, other) = (scene::start().await, scene::start().await);
    let messages = told::messages(20, &once.sources);
    let applied = once.store.apply(&messages, &once.sources).await;
    assert!(applied.outcomes.iter().all(Result::is_ok), "{:?}", applied.outcomes);
    let expected = told::held(&once.store).await;
    assert_eq!(calls(&expected), 400);
    assert_eq!(expected.days.iter().map(|day| day.counts.get(Count::Calls)).sum::<i64>(), 400);
    // Again all of it, with copies of its own beside it.
    let twice: Vec<Message> = messages.iter().chain(&messages).cloned().collect();
    let applied = once.store.apply(&twice, &once.sources).await;
    assert_eq!((applied.writes, applied.outcomes.iter().all(Result::is_ok)), (0, true));
    assert_eq!(told::held(&once.store).await, expected);
    // Elsewhere from the end, one by one, with copies in between.
    for pair in messages.rchunks(2) {
        let copied: Vec<Message> = pair.iter().rev().chain(pair).cloned().collect();
        let applied = other.store.apply(&copied, &other.sources).await;
        assert!(applied.outcomes.iter().all(Result::is_ok));
    }
    assert_eq!(told::held(&other.store).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_with_the_same_messages_count_them_once() {
    let (once, many) = (scene::start().await, scene::start().await);
    let messages = told::messages(10, &once.sources);
    once.store.apply(&messages, &once.sources).await;
    let worker = |_| {
        let (store, sources, messages) = (many.store.clone(), many.sources.clone(), messages.clone());
        tokio::spawn(async move { store.apply(&messages, &sources).await })
    };
    for worker in (0..4).map(worker).collect::<Vec<_>>() {
        let applied = worker.await.unwrap();
        assert!(applied.outcomes.iter().all(Result::is_ok), "{:?}", applied.outcomes);
    }
    assert_eq!(told::held(&many.store).await, told::held(&once.store).await);
}
