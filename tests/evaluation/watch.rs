//! What is live is measured again every day: did the prompt change, or the model?

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::money::Usd;
use e2e::{Call, Raised, World, WorldSettings, text};
use registry::evaluation::Watch;
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members};

const DAY: Duration = Duration::from_hours(24);

/// Lets time pass, `steer` look, and the runs end that it asks for; returns how many those are.
async fn after(lab: &Lab, time: Duration) -> usize {
    lab.world.clock.advance(time);
    let asked = lab.world.steer(Duration::from_mins(1)).await.versions_watched;
    lab.world.work().await;
    asked
}

/// A version of 60 cases that passed and is live.
async fn live(lab: &Lab, name: &str) -> Value {
    let version = lab.version(name, &cases(60, 0)).await;
    assert_eq!(lab.finished(&version).await["gate_result"], "pass");
    lab.world.promote(&version, &version, "production").await.expect(200);
    version
}

async fn watching(lab: &Lab, version: &Value) -> Vec<Value> {
    let path = format!("/api/prompts/{}/evals", text(&version["prompt_id"]));
    let mut runs = lab.get(&path).await["data"].as_array().unwrap().clone();
    runs.retain(|run| run["purpose"] == "watch");
    runs
}

async fn state(lab: &Lab, version: &Value) -> Value {
    lab.get(&format!("/api/versions/{}", text(&version["version_id"]))).await
}

/// A model that forgets the first questions while it is unwell.
fn moody(unwell: &Arc<AtomicBool>, forgets: u32) -> impl Fn(&CallInfo) -> Reply + use<> {
    let unwell = unwell.clone();
    move |call| {
        let number: u32 = call.user().rsplit(' ').next().unwrap().parse().unwrap();
        if unwell.load(Ordering::SeqCst) && number <= forgets {
            Reply::Answer("no".to_owned())
        } else {
            echo(call)
        }
    }
}

#[tokio::test]
async fn what_is_live_is_measured_again_after_a_day_and_not_before() {
    let lab = Lab::new(echo).await;
    let version = live(&lab, "watched").await;
    assert_eq!(after(&lab, Duration::from_mins(24 * 60 - 1)).await, 0);
    assert_eq!(after(&lab, Duration::from_mins(2)).await, 1);
    let runs = watching(&lab, &version).await;
    assert_eq!(
        members(&runs[0], &["status", "gate_result", "version_id"]),
        json!(["completed", null, version["version_id"]])
    );
    assert_eq!(runs[0]["baseline_eval_run_id"], version["eval_run_id"], "with its own passing run");
    assert_eq!(members(&runs[0]["comparison"], &["pairs", "regressed"]), json!([60, 0]));
    assert_eq!(after(&lab, Duration::from_hours(1)).await, 0, "it was measured just now");
    assert_eq!(members(&state(&lab, &version).await, &["drift", "eval_status"]), json!([null, "passed"]));
    assert_eq!(lab.provider.calls(), 120);
}

#[tokio::test]
async fn a_run_that_ends_well_after_its_round_began_puts_off_no_other() {
    let lab = Lab::new(echo).await;
    live(&lab, "daily").await;
    let (late, rest_of_a_day) = (Duration::from_mins(2), Duration::from_mins(24 * 60 - 2));
    lab.world.clock.advance(late);
    let mut asked = Vec::new();
    for _ in 0..3 {
        lab.world.clock.advance(rest_of_a_day);
        asked.push(lab.world.steer(Duration::from_mins(1)).await.versions_watched);
        lab.world.clock.advance(late);
        lab.world.work().await;
    }
    assert_eq!(asked, [1, 1, 1]);
}

#[tokio::test]
async fn being_measured_again_hides_no_verdict_in_the_matrix() {
    let lab = Lab::new(echo).await;
    let version = live(&lab, "shown").await;
    assert_eq!(after(&lab, DAY).await, 1);
    let matrix = lab.get(&format!("/api/prompts/{}/models", text(&version["prompt_id"]))).await;
    assert!(matrix.to_string().contains(text(&version["eval_run_id"])), "{matrix}");
}

#[tokio::test]
async fn a_version_whose_model_got_worse_is_marked_and_serves_on_until_it_is_well() {
    let unwell = Arc::new(AtomicBool::new(false));
    let lab = Lab::new(moody(&unwell, 14)).await;
    let version = live(&lab, "drifting").await;
    let raised = Raised::listen();
    unwell.store(true, Ordering::SeqCst);
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 1);
    assert_eq!(raised.names(), ["version-drifted"]);
    let found = state(&lab, &version).await;
    assert_eq!(
        (&found["eval_status"], &found["drift"]["eval_run_id"]),
        (&json!("passed"), &watching(&lab, &version).await[0]["eval_run_id"])
    );
    assert_eq!(
        found["drift"]["reason"],
        "14 cases that this version passed when it was released fail today, and 0 improve: its prompt is the same, \
         so the model `test/model` changed."
    );
    let key = lab.world.key("support", "resolver").await;
    let body = json!({ "prompt": "drifting", "variables": { "message": "hi" } });
    let resolved = lab.world.call(Call::post("/api/resolve", &body).key(&key)).await.expect(200);
    assert_eq!(resolved["version_id"], version["version_id"]);

    unwell.store(false, Ordering::SeqCst);
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 1);
    assert_eq!(state(&lab, &version).await["drift"], json!(null));
    assert_eq!(raised.names().len(), 1, "nobody is called for what is well again");
}

#[tokio::test]
async fn what_chance_alone_does_marks_nothing() {
    let unwell = Arc::new(AtomicBool::new(false));
    let lab = Lab::new(moody(&unwell, 5)).await;
    let version = live(&lab, "wavering").await;
    let raised = Raised::listen();
    unwell.store(true, Ordering::SeqCst);
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 1);
    let run = watching(&lab, &version).await[0].clone();
    assert_eq!(members(&run["comparison"], &["regressed", "improved"]), json!([5, 0]));
    assert_eq!(state(&lab, &version).await["drift"], json!(null), "1 day in 32 is like this");
    assert_eq!(raised.names(), [""; 0]);
}

/// A platform on which a run of 60 cases costs 60 x (2 + 2) tokens: 240 millionths of a dollar.
async fn priced(most_usd: Usd) -> Lab {
    let provider = ScriptedProvider::start(echo).unwrap();
    let watch = Watch { every: DAY, most_usd };
    let world = World::with(WorldSettings { watch, ..WorldSettings::default() }).await;
    let lab = Lab { world, provider };
    let entry = json!({
        "provider": "openai", "base_url": lab.provider.url(), "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
    });
    lab.world.admin(Call::put("/api/models/test/model", &entry)).await.expect(200);
    lab
}

#[tokio::test]
async fn a_round_spends_no_more_than_it_may() {
    // There is enough for one.
    let lab = priced(Usd::from_nanos(479_000)).await;
    let versions = [live(&lab, "one").await, live(&lab, "two").await];
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 1);
    let measured = [watching(&lab, &versions[0]).await.len(), watching(&lab, &versions[1]).await.len()];
    assert_eq!((measured[0] + measured[1], lab.provider.calls()), (1, 180));
}

#[tokio::test]
async fn what_passed_by_former_answers_costs_what_new_ones_do() {
    let lab = priced(Usd::from_nanos(239_000)).await;
    let prompt = lab.prompt("reused", &cases(60, 0)).await;
    let content = json!({ "template_text": "{{ message }}", "temperature": 0 });
    let version = lab.world.version(&prompt, &content).await;
    lab.finished(&version).await;
    let path = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let again = lab.post(&path, &json!({ "reuse": true }), 202).await;
    let run = lab.finished(&again).await;
    assert_eq!(members(&run, &["gate_result", "total_cost_usd"]), json!(["pass", 0.0]));
    lab.world.promote(&prompt, &version, "production").await.expect(200);
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 0, "there is not enough for one");
}

#[tokio::test]
async fn what_is_archived_or_never_passed_is_left_alone() {
    let lab = Lab::new(echo).await;
    let archived = live(&lab, "archived").await;
    lab.world.admin(Call::delete(format!("/api/prompts/{}", text(&archived["prompt_id"])))).await.expect(200);
    let failed = lab.version("failed", &cases(0, 20)).await;
    assert_eq!(lab.finished(&failed).await["gate_result"], "fail");
    let path = format!("/api/prompts/{}/promote", text(&failed["prompt_id"]));
    let forced = json!({
        "version_id": failed["version_id"], "environment": "production", "override": { "reason": "There is no other." },
    });
    lab.world.admin(Call::post(path, &forced)).await.expect(200);
    let waiting = lab.version("waiting", &cases(20, 0)).await;
    lab.finished(&waiting).await;
    assert_eq!(after(&lab, DAY + Duration::from_mins(1)).await, 0);
    assert_eq!(lab.provider.calls(), 100);
}

#[tokio::test]
async fn two_looks_at_once_measure_once() {
    let lab = Lab::new(echo).await;
    let version = live(&lab, "once").await;
    lab.world.clock.advance(DAY + Duration::from_mins(1));
    let stuck_after = Duration::from_mins(1);
    let (one, other) = tokio::join!(lab.world.steer(stuck_after), lab.world.steer(stuck_after));
    assert_eq!(one.versions_watched + other.versions_watched, 1);
    lab.world.work().await;
    assert_eq!((watching(&lab, &version).await.len(), lab.provider.calls()), (1, 120));
}
