//! What streams and queues do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use super::Fault;

/// How many messages nobody can read there are.
const POISONED: usize = 20;
/// How long those may take to be given up: a few tries.
const GIVEN_UP: Duration = Duration::from_secs(30);

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "stream and queue twice and reordered",
        breaks: |stage| {
            stage.hands.repeat(true);
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.hands.repeat(false);
            Box::pin(async move { Ok(stage.hands.repeated()) })
        },
        moves: true,
    },
    Fault {
        name: "stream held up by a poisoned record",
        breaks: |stage| {
            stage.hands.poison(true);
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.hands.poison(false);
            Box::pin(async move { Ok(stage.hands.poisoned()) })
        },
        moves: true,
    },
    Fault {
        name: "queue poisoned",
        breaks: |stage| {
            Box::pin(async move {
                let poison = (0..POISONED).map(|number| json!({ "poison": number }));
                stage.world.send_metrics(&poison.collect::<Vec<_>>()).await;
                Ok(())
            })
        },
        // They are in the dead letters by themselves, and somebody who looked at them takes them out.
        heals: |stage| {
            Box::pin(async move {
                let (mut poison, mut others) = (Vec::new(), Vec::new());
                let all = async {
                    let mut beats = interval(Duration::from_millis(100));
                    while poison.len() < POISONED {
                        beats.tick().await;
                        let dead: Vec<Value> = stage.world.take_dead_metrics().await;
                        let (poisoned, other): (Vec<_>, Vec<_>) =
                            dead.into_iter().partition(|message| message.get("poison").is_some());
                        poison.extend(poisoned);
                        others.extend(other);
                    }
                };
                timeout(GIVEN_UP, all).await.map_err(|_| "the poison is not in the dead letters")?;
                stage.world.send_metrics(&others).await;
                Ok(u64::try_from(poison.len())?)
            })
        },
        moves: true,
    },
];
