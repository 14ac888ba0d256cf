//! What no run can do says so: a missing key, an unknown model, a deleted test set, missing variables.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use e2e::{Call, World, WorldSettings, text};
use models::Secrets;
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::lab::{Lab, cases, echo, members, run_path, tally, work};

/// A platform with `acme/locked` in its catalogue, whose key `ACME_KEY` is there while `there` says so.
async fn locked(there: &Arc<AtomicBool>) -> Lab {
    let there = there.clone();
    let secrets = Secrets::new(move |_| there.load(Ordering::SeqCst).then(|| "sk-acme".to_owned()));
    let provider = ScriptedProvider::start(echo).unwrap();
    let world = World::with(WorldSettings { secrets, ..WorldSettings::default() }).await;
    let entry = json!({
        "provider": "openai", "base_url": provider.url(), "secret_name": "ACME_KEY",
        "input_usd_per_mtok": 1, "output_usd_per_mtok": 1,
    });
    world.admin(Call::put("/api/models/acme/locked", &entry)).await.expect(200);
    Lab { world, provider }
}

async fn version_on(lab: &Lab, name: &str, model_id: &str) -> Value {
    let prompt = lab.prompt(name, &cases(10, 0)).await;
    lab.world.version(&prompt, &json!({ "template_text": "{{ message }}", "model_id": model_id })).await
}

/// A run that says nothing about its version, and why.
async fn errored(lab: &Lab, version: &Value) -> String {
    let run = lab.finished(version).await;
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["errored", null]), "{run}");
    assert_eq!(lab.status(version).await, "pending");
    let path = format!("/api/prompts/{}/promote", text(&version["prompt_id"]));
    let body = json!({ "version_id": version["version_id"], "environment": "production" });
    lab.world.admin(Call::post(path, &body)).await.refused(409, "not-evaluated");
    let summary = lab.world.admin(Call::get(run_path(version, "/summary"))).await.text();
    let reason = text(&run["gate_reasons"][0]).to_owned();
    assert!(summary.starts_with("### Evaluation ⚠️ no verdict") && summary.contains(&reason), "{summary}");
    reason
}

#[tokio::test]
async fn a_missing_provider_key_ends_the_run_and_says_which() {
    let there = Arc::new(AtomicBool::new(false));
    let lab = locked(&there).await;
    let version = version_on(&lab, "locked", "acme/locked").await;
    let reason = errored(&lab, &version).await;
    assert!(reason.starts_with("The provider's key `ACME_KEY` is missing."), "{reason}");
    assert_eq!((lab.provider.calls(), lab.cases(&version, "").await), (0, Vec::new()));

    there.store(true, Ordering::SeqCst);
    let again = format!("/api/versions/{}/evals", text(&version["version_id"]));
    let again = lab.post(&again, &json!({}), 202).await;
    assert_eq!(lab.finished(&again).await["gate_result"], "pass");
    assert_eq!(lab.status(&version).await, "passed");
}

#[tokio::test]
async fn a_key_that_goes_missing_later_is_an_error_of_each_case_and_never_an_answer() {
    let there = Arc::new(AtomicBool::new(true));
    let lab = locked(&there).await;
    let version = version_on(&lab, "locked", "acme/locked").await;
    lab.world.step_stream().await;
    there.store(false, Ordering::SeqCst);
    let reason = errored(&lab, &version).await;
    assert!(reason.starts_with("10 of 10 cases got no answer"), "{reason}");
    let run = lab.run(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([10, 10, 0, 0, 10]), 0));
    for case in lab.cases(&version, "?outcome=errored").await {
        assert_eq!(members(&case, &["output", "score"]), json!([null, null]));
        assert!(text(&case["error"]).contains("`ACME_KEY` is missing"), "{case}");
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_amid_a_run_rejects_no_prompt() {
    for status in [401, 403] {
        let revoked = Arc::new(AtomicBool::new(false));
        let now = revoked.clone();
        let script = move |call: &CallInfo| {
            if now.load(Ordering::SeqCst) { Reply::Status(status, None) } else { echo(call) }
        };
        let lab = Lab::new(script).await;
        let version = lab.version("revoked", &cases(10, 0)).await;
        lab.world.step_stream().await;
        let mut sent = lab.world.take_cases().await;
        let rest = sent.split_off(6);
        work(&lab.world.worker(), &sent).await;
        revoked.store(true, Ordering::SeqCst);
        work(&lab.world.worker(), &rest).await;
        let reason = errored(&lab, &version).await;
        assert!(reason.starts_with("4 of 10 cases got no answer"), "{reason}");
        assert_eq!((tally(&lab.run(&version).await), lab.provider.calls()), (json!([10, 10, 6, 0, 4]), 10));
        let told =
            format!("The model's provider does not accept our key or role (status {status}): scripted");
        for case in lab.cases(&version, "?outcome=errored").await {
            assert_eq!(case["error"], told);
        }
    }
}

#[tokio::test]
async fn a_model_that_is_not_in_the_catalogue_or_not_supported_ends_the_run_and_says_what_to_do() {
    let lab = Lab::new(echo).await;
    let version = version_on(&lab, "unknown", "nobody/knows").await;
    let reason = errored(&lab, &version).await;
    assert!(reason.contains("`nobody/knows` is not in the catalogue"), "{reason}");
    assert!(reason.contains("PUT /api/models/nobody/knows"), "{reason}");

    let entry = json!({ "provider": "bedrock", "input_usd_per_mtok": 1, "output_usd_per_mtok": 1 });
    lab.world.admin(Call::put("/api/models/nova", &entry)).await.expect(200);
    let version = version_on(&lab, "later", "nova").await;
    let reason = errored(&lab, &version).await;
    assert!(reason.contains("Bedrock is called on AWS alone"), "{reason}");
}

#[tokio::test]
async fn a_deleted_test_set_ends_its_runs_and_says_so() {
    let lab = Lab::new(echo).await;
    let delete = async |version: &Value| {
        let set = lab.run(version).await["test_set_id"].clone();
        let gone = lab.world.admin(Call::delete(format!("/api/test-sets/{}", text(&set)))).await;
        assert_eq!(gone.status.as_u16(), 204);
    };
    let before = lab.version("before", &cases(10, 0)).await;
    delete(&before).await;
    let reason = "The test set was deleted before the run was done.";
    assert_eq!((errored(&lab, &before).await.as_str(), lab.provider.calls()), (reason, 0));
    let ask = format!("/api/versions/{}/evals", text(&before["version_id"]));
    lab.world.admin(Call::post(ask, &json!({}))).await.refused(422, "invalid");

    let amid = lab.version("amid", &cases(10, 0)).await;
    lab.world.step_stream().await;
    let mut sent = lab.world.take_cases().await;
    let rest = sent.split_off(3);
    lab.world.send_cases(&sent).await;
    lab.world.step_queue().await;
    delete(&amid).await;
    lab.world.send_cases(&rest).await;
    assert_eq!(errored(&lab, &amid).await, reason);
    assert_eq!((lab.provider.calls(), lab.world.step_dead_letters().await), (3, 0));
    assert_eq!(tally(&lab.run(&amid).await), json!([10, 3, 3, 0, 0]), "its figures stay");
}

#[tokio::test]
async fn a_case_without_its_variables_is_errored_and_counts_as_not_passed() {
    let mut cases = cases(10, 0);
    for case in &mut cases[..3] {
        case["vars"] = json!({ "massage": "question" });
    }
    let lab = Lab::new(echo).await;
    let version = lab.version("variables", &cases).await;
    let run = lab.finished(&version).await;
    assert_eq!((tally(&run), lab.provider.calls()), (json!([10, 10, 7, 0, 3]), 7));
    assert_eq!(run["status"], "completed", "the provider is not to blame, so there is a verdict");
    assert_eq!(run["gate_reasons"][0], "7 of 10 cases pass (70.0 %); the gate asks for 80.0 %.");
    for case in lab.cases(&version, "?outcome=errored").await {
        assert!(text(&case["error"]).contains("message"), "{case}");
    }
}
