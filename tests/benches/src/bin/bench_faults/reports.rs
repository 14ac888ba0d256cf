//! Events that applications report, each until it is acknowledged.

use std::{sync::Arc, time::Duration};

use e2e::Call;
use serde_json::{Value, json};
use tokio::{sync::watch, time::interval};

use crate::stage::Desk;

/// How many events come together.
const BATCH: u64 = 20;
/// The time between two batches, or two tries of one.
const BEAT: Duration = Duration::from_millis(200);

/// Reports until it is over and the last batch is acknowledged; how many events were.
pub(crate) async fn keep_reporting(desk: Arc<Desk>, over: watch::Receiver<bool>) -> u64 {
    let (mut beats, mut acknowledged) = (interval(BEAT), 0);
    for (number, prompt) in desk.prompts.iter().cycle().enumerate() {
        if *over.borrow() {
            break;
        }
        let version = &prompt.versions[number % prompt.versions.len()];
        let events: Vec<_> = (0..BATCH).map(|_| json!({ "version_id": version, "latency_ms": 7 })).collect();
        let body = json!({ "batch_id": format!("batch {number}"), "events": events });
        loop {
            beats.tick().await;
            let answer = desk.ask(Call::post("/api/metrics", &body).key(&desk.key)).await;
            if answer.is_some_and(|answer| answer.status == 202 && answer.json() == all_taken()) {
                break;
            }
        }
        acknowledged += BATCH;
    }
    acknowledged
}

fn all_taken() -> Value {
    json!({ "accepted": BATCH, "rejected": [] })
}
