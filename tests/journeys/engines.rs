//! The journeys over engines that others wrote: what we and the embedded ones misunderstand alike fails there.

use crate::{suite::JOURNEYS, target::Target};

/// Each over engines of its own: moto copies whole tables for a transaction, and would soon be slower than the patience
/// of the clients.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_journeys_succeed_over_motos_engines() {
    for (number, journey) in JOURNEYS.iter().enumerate() {
        let target = Target::routers_over_moto().await;
        journey(&target).await;
        let kept = target.archived().await;
        assert_eq!((kept.checkpoints, kept.filled, kept.differing), (1, 0, 0), "journey {number}");
    }
}
