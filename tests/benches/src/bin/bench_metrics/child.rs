//! The platform under load: this program in another role, in a process of its own, on one core.
//!
//! It says on standard output where it listens, and the requests that it wants to get: only it can sign their tokens.

use std::{
    future::pending,
    io::{Write as _, stdout},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed},
    },
};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use axum::{Json, Router, routing::get};
use clap::{Subcommand, ValueEnum};
use domain::{MessageId, Sources};
use e2e::{
    Dice,
    metrics::{BATCH, Crowd, Road, call_values},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testkit::event_source::{Failure, QueueSource};
use tokio::net::TcpListener;

use crate::Outcome;

/// The crowd's events are of some hours, as when applications keep them for a while.
const MILLIS_APART: i64 = 250;

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// Batches of calls of 20 versions, as an application's client sends them
    Calls,
    /// Whatever a crowd sends: a third has ids, a tenth goes through a trial
    Crowd,
}

/// What this program is.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Role {
    /// Take metrics and count them (started by the bench itself)
    Platform {
        /// What will arrive
        mix: Mix,
        /// How many events of it
        events: usize,
        /// What they are drawn from
        seed: u64,
    },
}

/// How counting goes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct State {
    /// Messages that are not counted.
    pub(crate) left: usize,
    /// How often a message failed.
    pub(crate) failed: usize,
    /// The longest time between acceptance and count, of those counted since the last time that somebody asked.
    pub(crate) oldest_ms: i64,
}

#[derive(Default)]
struct Seen {
    failed: AtomicUsize,
    oldest_ms: AtomicI64,
}

/// The part of a message that says when it was accepted.
#[derive(Deserialize)]
struct Head {
    id: MessageId,
}

/// Serves until it is killed.
pub(crate) async fn serve(role: &Role) -> Outcome<()> {
    let Role::Platform { mix, events, seed } = role;
    let system = runtime::sources::system();
    let road = Road::start(4, 5).await;
    road.world.clock.set_wall(system.now());
    let process = road.world.another_process_past_faults(&system).await;
    let source = QueueSource { concurrency: 1, ..road.world.metrics_source() };
    let (sqs, seen) = (road.world.clients.sqs.clone(), Arc::new(Seen::default()));
    let state = {
        let (source, sqs, seen) = (source.clone(), sqs.clone(), Arc::clone(&seen));
        move || async move { Json(seen.state(source.left(&sqs).await.unwrap_or(usize::MAX))) }
    };
    let router = process.router.clone().merge(Router::new().route("/state", get(state)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let bodies = bodies(&road, *mix, *events, &Dice::new(*seed)).await;
    let mut out = stdout();
    writeln!(out, "http://{} {} {}", listener.local_addr()?, road.key, bodies.len())?;
    for (events, body) in bodies {
        writeln!(out, "{events} {body}")?;
    }
    let app = process.rollup();
    let counting = async {
        let handle = |event| count(event, app.clone(), system.clone(), Arc::clone(&seen));
        source.run(&sqs, pending(), handle).await;
        Ok(())
    };
    tokio::try_join!(counting, async { axum::serve(listener, router).await })?;
    Ok(())
}

/// Counts, and notes how long after they were accepted.
async fn count(
    event: SqsEvent,
    app: rollup::App,
    sources: Sources,
    seen: Arc<Seen>,
) -> Result<SqsBatchResponse, Failure> {
    let accepted = event.records.iter().map(|one| accepted(one.body.as_deref().unwrap_or_default()));
    let accepted: Vec<i64> = accepted.collect::<Result<_, _>>()?;
    let answer = rollup::handle(event, &app).await?;
    let lag = accepted.iter().min().map_or(0, |oldest| sources.now().as_millis() - oldest);
    seen.failed.fetch_add(answer.batch_item_failures.len(), Relaxed);
    seen.oldest_ms.fetch_max(lag, Relaxed);
    Ok(answer)
}

/// When a message was accepted: its id says it.
fn accepted(body: &str) -> serde_json::Result<i64> {
    let Head { id } = serde_json::from_str(body)?;
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id.to_bytes()[..6]);
    Ok(i64::from_be_bytes(millis))
}

impl Seen {
    fn state(&self, left: usize) -> State {
        State { left, failed: self.failed.load(Relaxed), oldest_ms: self.oldest_ms.swap(0, Relaxed) }
    }
}

/// Requests, each with the number of its events.
async fn bodies(road: &Road, mix: Mix, events: usize, dice: &Dice) -> Vec<(usize, Value)> {
    if mix == Mix::Crowd {
        let crowd = Crowd::draw(dice, events, road.versions.len(), MILLIS_APART);
        let (batches, signer) = (crowd.batches(dice), road.signer().await);
        return batches.iter().map(|batch| (batch.size(), crowd.body(road, &signer, batch))).collect();
    }
    let event = |_| road.of_version(dice.below(road.versions.len()), call_values(dice));
    let body = |number| {
        let events: Vec<Value> = (0..BATCH).map(event).collect();
        (BATCH, json!({ "batch_id": format!("batch {number}"), "events": events }))
    };
    (0..events / BATCH).map(body).collect()
}
