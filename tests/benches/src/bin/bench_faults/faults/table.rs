//! What a table does.

use std::time::Duration;

use testkit::fault::{Fault as Injected, Rule};

use super::{Deed, Fault};
use crate::stage::Stage;

/// How slow it is: an answer then takes many times its usual time.
const SLOW: Duration = Duration::from_millis(300);

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "table throttling, 3 calls of 10",
        breaks: |stage| {
            let throttled = Injected::Exception("ProvisionedThroughputExceededException");
            injected(stage, [Rule::all(throttled).with_probability(0.3, 1)])
        },
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table conflicting, half the writes",
        breaks: |stage| {
            let conflicts = |operation| Rule::on(operation, Injected::Conflict).with_probability(0.5, 2);
            injected(stage, ["TransactWriteItems", "UpdateItem"].map(conflicts))
        },
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table erroring, 3 calls of 10",
        breaks: |stage| injected(stage, [Rule::all(Injected::Status(500)).with_probability(0.3, 3)]),
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table erroring, every call",
        breaks: |stage| injected(stage, [Rule::all(Injected::Status(500))]),
        heals: cleared,
        moves: false,
    },
    Fault {
        name: "table 300 ms slow",
        breaks: |stage| injected(stage, [Rule::all(Injected::Delay(SLOW))]),
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table losing 2 answers of 10",
        breaks: |stage| injected(stage, [Rule::all(Injected::DropAfter).with_probability(0.2, 4)]),
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table meeting 3 calls of 10 twice",
        breaks: |stage| injected(stage, [Rule::all(Injected::Duplicate).with_probability(0.3, 5)]),
        heals: cleared,
        moves: true,
    },
    Fault {
        name: "table and cache down",
        breaks: |stage| {
            Box::pin(async move {
                injected(stage, [Rule::all(Injected::Status(500))]).await?;
                Ok(stage.cache.kill().await?)
            })
        },
        heals: |stage| {
            Box::pin(async move {
                let met = cleared(stage).await?;
                stage.cache.restart().await?;
                Ok(met)
            })
        },
        moves: false,
    },
];

fn injected<const N: usize>(stage: &mut Stage, rules: [Rule; N]) -> Deed<'_> {
    stage.rules.extend(rules.map(|rule| stage.world.faults().add(rule)));
    Box::pin(async move { Ok(()) })
}

fn cleared(stage: &mut Stage) -> Deed<'_, u64> {
    stage.world.faults().clear();
    let met: u64 = stage.rules.iter().map(|rule| rule.injected()).sum();
    Box::pin(async move { Ok(met) })
}
