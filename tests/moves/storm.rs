//! A rollback among many writers: it is what one does when things go wrong, and then everybody is writing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::Timestamp;
use e2e::{ADMIN, Answer, Call, World, text};
use serde_json::{Value, json};
use store::keys::Key;
use testkit::fault::{Fault, Rule};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use crate::{
    invariants,
    support::{each, environment, history, itself, list, lived, meanwhile, promotion, rollback, under},
};

const WRITERS: usize = 50;

/// How long a rollback insists, and others stand back for it.
const INSISTENCE: Duration = Duration::from_secs(3);

/// Writers that go on until they are told to stop. Each tells of its successes.
struct Storm {
    over: Arc<AtomicBool>,
    writers: JoinSet<()>,
    successes: UnboundedReceiver<()>,
}

impl Storm {
    fn start(world: &World, prompt: &Value, versions: &[Value]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (tell, successes) = unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (router, over, tell) = (world.process.router.clone(), Arc::clone(&over), tell.clone());
            let (prompt, version) = (prompt.clone(), versions[writer % 2].clone());
            writers.spawn(async move {
                for round in 0.. {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let call = write(writer, round, &prompt, &version).key(ADMIN);
                    note(&call.send(&router).await, &tell);
                }
            });
        }
        Self { over, writers, successes }
    }

    /// Waits until so many writes more have succeeded.
    async fn rage(&mut self, writes: usize) {
        for _ in 0..writes {
            self.successes.recv().await.expect("the writers go on");
        }
    }

    async fn end(mut self) {
        self.over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.writers.join_next().await {
            ended.expect("no writer met anything else than success or contention");
        }
    }
}

/// What a writer does all the time.
fn write(writer: usize, round: usize, prompt: &Value, version: &Value) -> Call {
    let text = format!("writer {writer}, round {round}");
    match writer % 5 {
        0 => describe(prompt, &text),
        1 => Call::post(under(prompt, "versions"), &json!({ "template_text": text })),
        2 => promotion(prompt, version, "staging", &json!({ "reason": text })),
        3 => Call::put(under(prompt, "environments/canary/lock"), &json!({ "reason": text })),
        _ => Call::post("/api/test-sets", &json!({ "name": text, "team_id": "support" })),
    }
}

fn describe(prompt: &Value, description: &str) -> Call {
    Call::patch(itself(prompt), &json!({ "description": description }))
}

/// In a storm a write succeeds, or it is told to come back.
fn note(answer: &Answer, tell: &UnboundedSender<()>) {
    if answer.status.is_success() {
        let _ = tell.send(());
    } else {
        answer.refused(503, "contended");
    }
}

/// It insists for 3 s, longer only where the table is slow: had it not got through by then, it would answer 503.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_succeeds_under_50_writers_of_the_same_prompt_and_team_and_conflicts() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 4).await;
    let conflicts = |operation, seed| Rule::on(operation, Fault::Conflict).with_probability(0.2, seed);
    let in_transactions = world.faults().add(conflicts("TransactWriteItems", 1));
    world.faults().add(conflicts("UpdateItem", 2).when(is_wish));
    let mut storm = Storm::start(&world, &prompt, &versions);
    for target in versions[..3].iter().rev() {
        storm.rage(WRITERS / 2).await;
        let back = world.roll_back(&prompt, "production").await.expect(200);
        assert_eq!(back["production_version_id"], target["version_id"]);
        let live = environment(&world, &prompt, "production").await;
        assert_eq!(live["version_id"], target["version_id"]);
    }
    storm.rage(WRITERS / 2).await;
    storm.end().await;
    assert!(in_transactions.injected() > 20, "there were conflicts");
    world.faults().clear();
    let moves = history(&world, &prompt).await;
    assert_eq!(moves.iter().filter(|entry| entry["action"] == "rolled_back").count(), 3);
    invariants::check(&world).await;
}

/// Whether a single write is a rollback's wish that others stand back: counts go to the other table.
fn is_wish(update: &Value) -> bool {
    update["TableName"] == "cuecard-registry"
}

#[tokio::test]
async fn a_rollback_that_cannot_even_ask_others_to_stand_back_goes_on() {
    let world = World::start().await;
    let (prompt, versions) = lived(&world, "greeter", "production", 2).await;
    world.faults().add(Rule::on("TransactWriteItems", Fault::Conflict).times(3));
    let wishes = world.faults().add(Rule::on("UpdateItem", Fault::Conflict).when(is_wish));
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!((&back["production_version_id"], wishes.injected()), (&versions[0]["version_id"], 3));
}

/// Tells of every transaction that arrives, and meets none.
fn watch(world: &World) -> UnboundedReceiver<()> {
    let (tell, told) = unbounded_channel();
    let watch = Rule::on("TransactWriteItems", Fault::Conflict);
    world.faults().add(watch.when(move |_| {
        let _ = tell.send(());
        false
    }));
    told
}

/// Waits for the next transaction.
async fn next(arrived: &mut UnboundedReceiver<()>) {
    timeout(Duration::from_secs(10), arrived.recv()).await.expect("somebody tries").unwrap();
}

fn is_rollback(transaction: &Value) -> bool {
    transaction.to_string().contains("rolled_back")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_met_somebody_once_goes_before_everybody_else() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    let mut arrived = watch(&world);
    let transactions = |fault| Rule::on("TransactWriteItems", fault).when(is_rollback).times(1);
    world.faults().add(transactions(Fault::Conflict));
    world.faults().add(transactions(Fault::Delay(Duration::from_millis(500))));
    let back = meanwhile(&world.process.router, rollback(&prompt, "production", &json!({})).key(ADMIN));
    next(&mut arrived).await;
    next(&mut arrived).await;
    // The rollback's second try is on its way, and slow: whoever comes now must wait for it.
    let late = |at| meanwhile(&world.process.router, describe(&prompt, &format!("late {at}")).key(ADMIN));
    for writer in (0..4).map(late).collect::<Vec<_>>() {
        writer.await.unwrap().expect(200);
    }
    back.await.unwrap().expect(200);
    let path = format!("/api/audit?prompt_id={}", text(&prompt["prompt_id"]));
    let entries = list(&world.process.router, &path, ADMIN).await;
    let late = "prompt_updated";
    assert_eq!(each(&entries[..5], "/action"), [late, late, late, late, "rolled_back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_others_stand_back_lapses_by_itself_and_ends_with_the_rollback() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 3).await;
    let (store, id) = (&world.registry().store, text(&prompt["prompt_id"]).parse().unwrap());
    let begin: Timestamp = text(&prompt["created_at"]).parse().unwrap();
    store.ask_to_yield(id, begin.plus(INSISTENCE)).await.unwrap();
    let mut arrived = watch(&world);
    let waiting = meanwhile(&world.process.router, describe(&prompt, "at last").key(ADMIN));
    for _ in 0..3 {
        next(&mut arrived).await;
    }
    assert!(!waiting.is_finished(), "it tries again and again");
    world.clock.advance(INSISTENCE);
    waiting.await.unwrap().expect(200);
    store.ask_to_yield(id, begin.plus(2 * INSISTENCE)).await.unwrap();
    world.roll_back(&prompt, "production").await.expect(200);
    while arrived.try_recv().is_ok() {}
    world.admin(describe(&prompt, "at once")).await.expect(200);
    next(&mut arrived).await;
    assert!(arrived.try_recv().is_err(), "the first try was let through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_asked_others_to_stand_back_and_is_refused_takes_it_back() {
    let world = World::start().await;
    let (prompt, _) = lived(&world, "greeter", "production", 2).await;
    // It decides on a ref that another rollback moves meanwhile, so it is late, and then nothing is left for it.
    let reads_ref = |read: &Value| {
        let attribute = |name: &str| read["Key"][name]["S"].as_str().map(str::to_owned);
        matches!(Key::of_item(attribute), Some(Key::Ref(..)))
    };
    let held = world.faults().add(Rule::on("GetItem", Fault::Hold).when(reads_ref).times(1));
    let late = meanwhile(&world.process.router, rollback(&prompt, "production", &json!({})).key(ADMIN));
    held.has_held(1).await;
    world.roll_back(&prompt, "production").await.expect(200);
    let wishes = world.faults().add(Rule::on("UpdateItem", Fault::Delay(Duration::ZERO)).when(is_wish));
    held.end();
    late.await.unwrap().refused(409, "no-rollback-target");
    assert!(wishes.injected() > 0, "it asked others to stand back");
    world.admin(describe(&prompt, "at once")).await.expect(200);
}
