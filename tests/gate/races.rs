//! What a promotion decided on changes while it is on its way: then it decides anew. In each scene the last answer that
//! it reads from the table is held back until the change is made.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use e2e::{ADMIN, Answer, Call, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::stage::{FEW, Stage, TEAM, at, cases, gate, put_cases, under};

/// More calls than a promotion makes.
const MOST_CALLS: usize = 40;

/// Promotes once for each answer that the promotion gets before its write, with `change` in the middle, and insists
/// that each is refused with one of these problems. Returns how many were tried.
async fn refused_whenever(
    stage: &Stage,
    version: &Value,
    problems: &[&str],
    change: impl AsyncFn(),
    undo: impl AsyncFn(),
) -> usize {
    for number in 0..MOST_CALLS {
        let (held, answer) = promoted_around(stage, version, number, &change).await;
        if !held {
            return number;
        }
        println!("read {number}");
        assert!(problems.contains(&answer.problem().as_str()), "{}", answer.text());
        undo().await;
    }
    panic!("a promotion makes more than {MOST_CALLS} calls");
}

/// A promotion around a change, and whether the change came before its write.
async fn promoted_around(
    stage: &Stage,
    version: &Value,
    number: usize,
    change: impl AsyncFn(),
) -> (bool, Answer) {
    let seen = AtomicUsize::new(0);
    let nth_before_its_write =
        move |body: &Value| body["TransactItems"].is_null() && seen.fetch_add(1, Ordering::SeqCst) == number;
    let rule = stage.world.faults().add(Rule::all(Fault::Hold).when(nth_before_its_write));
    let (router, call) = (stage.world.process.router.clone(), stage.promotion(version));
    let mut promotion = tokio::spawn(async move { call.send(&router).await });
    let held = tokio::select! {
        () = rule.has_held(1) => None,
        answer = &mut promotion => Some(answer.unwrap()),
    };
    if let Some(answer) = held {
        return (false, answer);
    }
    let there = stage.world.admin(Call::get(at(&stage.prompt, "/environments/production"))).await;
    let in_time = there.json()["version_id"] != version["version_id"];
    if in_time {
        // Two entries of one moment could not both be written, whatever else is checked.
        stage.world.clock.advance(Duration::from_millis(1));
        change().await;
    }
    rule.end();
    (in_time, promotion.await.unwrap())
}

/// Calls as the admin, and insists on success.
async fn done(stage: &Stage, call: Call) {
    let answer = stage.world.call(call.key(ADMIN)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

async fn evaluate_again(stage: &Stage, version: &Value) {
    let asked = stage.world.admin(Call::post(under(version, "/evals"), &json!({}))).await.expect(202);
    let run = format!("/api/evals/{}?wait=1", text(&asked["eval_run_id"]));
    // A call that takes too long on a busy machine comes again.
    for _ in 0..MOST_CALLS {
        stage.world.work().await;
        if stage.world.admin(Call::get(&run)).await.expect(200)["status"] == "completed" {
            return;
        }
    }
    panic!("{run} does not end");
}

fn team_gate(mode: &str) -> Call {
    Call::put(format!("/api/teams/{TEAM}"), &json!({ "gate": gate(json!({ "mode": mode })) }))
}

/// The undisturbed promotion at the end went through, and there were several to disturb.
async fn live_in_the_end(stage: &Stage, version: &Value, tried: usize) {
    assert!(tried >= 5, "{tried} answers were held back");
    let live = stage.resolve(&stage.people.resolver).await.expect(200);
    assert_eq!(live["version_id"], version["version_id"]);
}

#[tokio::test]
async fn a_new_evaluation_is_asked_for() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let change = async || done(&stage, Call::post(under(&version, "/evals"), &json!({}))).await;
    let tried =
        refused_whenever(&stage, &version, &["not-evaluated"], change, async || stage.world.work().await)
            .await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn a_new_evaluation_ends_as_failed() {
    let stage = Stage::new().await;
    let version = stage.version("moody", 1).await;
    let again = async |well| {
        stage.be(well);
        evaluate_again(&stage, &version).await;
    };
    let tried = refused_whenever(
        &stage,
        &version,
        // A read is held for 3 s at most, then it is made anew: it may see the evaluation under way.
        &["gate-failed", "not-evaluated"],
        async || again(false).await,
        async || again(true).await,
    );
    let tried = tried.await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn the_prompts_gate_gets_stricter() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let stricter = async || drop(stage.patch(&json!({ "gate": gate(json!({ "min_cases": 40 })) })).await);
    let undo = async || drop(stage.patch(&json!({ "gate": null })).await);
    let tried = refused_whenever(&stage, &version, &["review-needed"], stricter, undo).await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn the_teams_gate_is_closed() {
    let stage = Stage::new().await;
    let version = stage.version("bad", 1).await;
    done(&stage, team_gate("off")).await;
    let close = async || done(&stage, team_gate("required")).await;
    let open = async || done(&stage, team_gate("off")).await;
    let tried = refused_whenever(&stage, &version, &["gate-failed"], close, open).await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn the_test_set_gets_a_newer_version() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let newer = async || done(&stage, put_cases(&stage.sets[0], &cases(FEW))).await;
    let tried =
        refused_whenever(&stage, &version, &["evidence-stale"], newer, async || stage.world.work().await)
            .await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn the_prompt_gets_another_test_set() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let use_set = async |at: usize| drop(stage.patch(&json!({ "test_set_id": stage.sets[at] })).await);
    let back = async || {
        use_set(0).await;
        evaluate_again(&stage, &version).await;
    };
    let tried =
        refused_whenever(&stage, &version, &["evidence-stale"], async || use_set(1).await, back).await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn production_is_locked() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let path = at(&stage.prompt, "/environments/production/lock");
    let lock = async || done(&stage, Call::put(&path, &json!({ "reason": "freeze" }))).await;
    let unlock = async || done(&stage, Call::delete(&path)).await;
    let tried = refused_whenever(&stage, &version, &["locked"], lock, unlock).await;
    live_in_the_end(&stage, &version, tried).await;
}

#[tokio::test]
async fn the_prompt_is_archived() {
    let stage = Stage::new().await;
    let version = stage.version("good", 1).await;
    let archive = async || done(&stage, Call::delete(at(&stage.prompt, ""))).await;
    let restore = async || done(&stage, Call::post(at(&stage.prompt, "/restore"), &json!({}))).await;
    let tried = refused_whenever(&stage, &version, &["archived"], archive, restore).await;
    live_in_the_end(&stage, &version, tried).await;
}
