//! The gate of production: each refusal, what it names, and what an admin's override does.

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};
use testkit::provider::{CallInfo, Reply, ScriptedProvider};

use crate::api::{self, at, under};

/// A platform with a model that says what a version's text says, and a releaser.
struct Stage {
    world: World,
    _provider: ScriptedProvider,
    releaser: String,
    prompt: Value,
    test_set: String,
}

impl Stage {
    /// With a prompt whose ten cases want «yes», under a gate of five cases.
    async fn new() -> Self {
        let provider =
            ScriptedProvider::start(|call: &CallInfo| Reply::Answer(call.user().to_owned())).unwrap();
        let world = api::with_model(&provider).await;
        let releaser = world.key("a", "releaser").await;
        let test_set = api::test_set(&world, "a").await;
        let gate = json!({ "mode": "required", "min_cases": 5 });
        let more = json!({ "gate": gate, "test_set_id": test_set });
        let prompt = world.prompt("a", "classifier", &more).await;
        Self { world, _provider: provider, releaser, prompt, test_set }
    }

    async fn put_cases(&self, count: usize) {
        api::put_cases(&self.world, &self.test_set, &format!("{}\n", api::CASE).repeat(count)).await;
    }

    /// A version that says this to every case, evaluated as far as it can be.
    async fn version(&self, says: &str) -> Value {
        let version = self.world.version(&self.prompt, &json!({ "template_text": says })).await;
        self.world.work().await;
        self.world.admin(Call::get(under(&version, ""))).await.expect(200)
    }

    async fn promote(&self, version: &Value) -> Answer {
        let body = json!({ "version_id": version["version_id"], "environment": "production" });
        self.world.call(Call::post(at(&self.prompt, "/promote"), &body).key(&self.releaser)).await
    }

    async fn overridden(&self, version: &Value) -> Answer {
        let body = json!({
            "version_id": version["version_id"], "environment": "production",
            "override": { "reason": "the house is on fire" },
        });
        self.world.admin(Call::post(at(&self.prompt, "/promote"), &body)).await
    }

    /// An admin passes the refusal, and the audit keeps what it was.
    async fn passes_by_override(&self, version: &Value, refusal: &Value) {
        self.overridden(version).await.expect(200);
        let history = self.world.admin(Call::get(at(&self.prompt, "/history?limit=1"))).await.expect(200);
        let entry = &history["data"][0];
        assert_eq!(
            (&entry["reason"], &entry["actor"]["role"]),
            (&json!("the house is on fire"), &json!("admin"))
        );
        assert_eq!(entry["evidence"]["override"], true, "{entry}");
        assert_eq!(entry["evidence"]["would_have_been_refused"], refusal["detail"]);
    }
}

#[tokio::test]
async fn without_a_verdict_it_is_not_evaluated() {
    let stage = Stage::new().await;
    let none = stage.version("yes").await;
    assert_eq!(none["eval_status"], "none", "the test set has no cases yet");
    stage.promote(&none).await.refused(409, "not-evaluated");
    stage.put_cases(10).await;
    let pending = stage.world.version(&stage.prompt, &json!({ "template_text": "yes!" })).await;
    let problem = stage.promote(&pending).await.refused(409, "not-evaluated");
    assert_eq!(
        (&problem["eval_run_id"], &pending["eval_status"]),
        (&pending["eval_run_id"], &json!("pending"))
    );
    stage.passes_by_override(&pending, &problem).await;
    let staging = json!({ "version_id": none["version_id"], "environment": "staging" });
    let call = Call::post(at(&stage.prompt, "/promote"), &staging).key(&stage.releaser);
    stage.world.call(call).await.expect(200);
}

#[tokio::test]
async fn a_model_that_is_not_in_the_catalogue_leaves_the_version_without_a_verdict() {
    let stage = Stage::new().await;
    stage.put_cases(10).await;
    let body = json!({ "template_text": "yes", "model_id": "nobody/knows" });
    let version = stage.world.version(&stage.prompt, &body).await;
    stage.world.work().await;
    let run = format!("/api/evals/{}", text(&version["eval_run_id"]));
    let run = stage.world.admin(Call::get(run)).await.expect(200);
    assert_eq!(run["status"], "errored");
    assert!(text(&run["gate_reasons"][0]).contains("PUT /api/models/nobody/knows"), "{run}");
    stage.promote(&version).await.refused(409, "not-evaluated");
}

#[tokio::test]
async fn a_failed_version_is_refused_with_its_run_score_and_failing_cases() {
    let stage = Stage::new().await;
    stage.put_cases(10).await;
    let failed = stage.version("no").await;
    assert_eq!(failed["eval_status"], "failed");
    let problem = stage.promote(&failed).await.refused(409, "gate-failed");
    assert_eq!((&problem["eval_run_id"], &problem["avg_score"]), (&failed["eval_run_id"], &json!(0.0)));
    let cases = problem["failing_cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    assert_eq!(
        (&cases[0]["case_id"], &cases[0]["outcome"], &cases[0]["output"]),
        (&json!("case-00001"), &json!("failed"), &json!("no"))
    );
    stage.passes_by_override(&failed, &problem).await;
}

#[tokio::test]
async fn too_few_cases_need_a_review() {
    let stage = Stage::new().await;
    stage.put_cases(3).await;
    let version = stage.version("yes").await;
    assert_eq!(version["eval_status"], "manual_review");
    let problem = stage.promote(&version).await.refused(409, "review-needed");
    assert_eq!(problem["eval_run_id"], version["eval_run_id"]);
    stage.passes_by_override(&version, &problem).await;
}

#[tokio::test]
async fn a_passed_version_is_promoted_until_its_test_set_has_a_newer_version() {
    let stage = Stage::new().await;
    stage.put_cases(10).await;
    let passed = stage.version("yes").await;
    assert_eq!(passed["eval_status"], "passed");
    stage.promote(&passed).await.expect(200);
    let history = stage.world.admin(Call::get(at(&stage.prompt, "/history"))).await.expect(200);
    assert_eq!(history["data"][0]["evidence"]["evaluation"]["eval_run_id"], passed["eval_run_id"]);
    stage.put_cases(11).await;
    let problem = stage.promote(&passed).await.refused(409, "evidence-stale");
    assert_ne!(problem["eval_run_id"], passed["eval_run_id"]);
    let queued = format!("/api/evals/{}", text(&problem["eval_run_id"]));
    let run = stage.world.admin(Call::get(&queued)).await.expect(200);
    assert_eq!((&run["status"], &run["test_set_version"]), (&json!("queued"), &json!(2)));
    stage.promote(&passed).await.refused(409, "not-evaluated");
    stage.world.work().await;
    stage.promote(&passed).await.expect(200);
}

#[tokio::test]
async fn stale_evidence_is_passed_by_an_override() {
    let stage = Stage::new().await;
    stage.put_cases(10).await;
    let passed = stage.version("yes").await;
    stage.put_cases(11).await;
    stage.overridden(&passed).await.expect(200);
}

#[tokio::test]
async fn a_stricter_gate_than_that_of_the_runs_day_counts() {
    let stage = Stage::new().await;
    stage.put_cases(10).await;
    let passed = stage.version("yes").await;
    let stricter = json!({ "gate": { "mode": "required", "min_cases": 11 } });
    stage.world.admin(Call::patch(at(&stage.prompt, ""), &stricter)).await.expect(200);
    stage.promote(&passed).await.refused(409, "review-needed");
}

#[tokio::test]
async fn a_gate_that_is_not_required_is_shown_as_ungated_and_audited_so() {
    let stage = Stage::new().await;
    for mode in ["advisory", "off"] {
        let gate = json!({ "gate": { "mode": mode } });
        let prompt = stage.world.admin(Call::patch(at(&stage.prompt, ""), &gate)).await.expect(200);
        assert_eq!(prompt["ungated"], true);
        let version = stage.version(mode).await;
        stage.promote(&version).await.expect(200);
        let history = stage.world.admin(Call::get(at(&stage.prompt, "/history?limit=1"))).await.expect(200);
        assert_eq!(history["data"][0]["evidence"]["ungated"], true, "{history}");
    }
}

#[tokio::test]
async fn a_weaker_gate_needs_an_admin() {
    let stage = Stage::new().await;
    let patch = |gate: Value| Call::patch(at(&stage.prompt, ""), &json!({ "gate": gate }));
    for weaker in [
        json!({ "mode": "advisory", "min_cases": 5 }),
        json!({ "mode": "off", "min_cases": 5 }),
        json!({ "min_cases": 4 }),
        json!({ "min_cases": 5, "min_pass_rate": 0.79 }),
    ] {
        let answer = stage.world.call(patch(weaker.clone()).key(&stage.releaser)).await;
        answer.refused(403, "forbidden");
        let mut create = json!({ "name": "new", "team_id": "a" });
        create["gate"] = weaker;
        stage
            .world
            .call(Call::post("/api/prompts", &create).key(&stage.releaser))
            .await
            .refused(403, "forbidden");
    }
    let stricter = json!({ "min_cases": 6, "min_pass_rate": 0.9 });
    let prompt = stage.world.call(patch(stricter).key(&stage.releaser)).await.expect(200);
    assert_eq!((&prompt["gate"]["min_cases"], &prompt["gate"]["min_pass_rate"]), (&json!(6), &json!(0.9)));
    stage.world.admin(patch(json!({ "mode": "off" }))).await.expect(200);
    let required = stage.world.call(patch(Value::Null).key(&stage.releaser)).await.expect(200);
    assert_eq!(
        (&required["gate"]["mode"], &required["gate"]["inherited"]),
        (&json!("required"), &json!(true))
    );
}

#[tokio::test]
async fn a_teams_default_is_the_gate_of_prompts_without_one() {
    let stage = Stage::new().await;
    let prompt =
        stage.world.admin(Call::patch(at(&stage.prompt, ""), &json!({ "gate": null }))).await.expect(200);
    assert_eq!(
        prompt["gate"],
        json!({
            "mode": "required", "min_pass_rate": 0.8, "min_score": null, "min_cases": 50, "confidence": 0.95,
            "require_staging_first": false, "require_approval": false, "max_cost_usd_per_case": null,
            "max_p95_latency_ms": null, "inherited": true,
        })
    );
    let version = stage.version("yes").await;
    stage.promote(&version).await.refused(409, "not-evaluated");
    let team = Call::put("/api/teams/a", &json!({ "gate": { "mode": "off" } }));
    stage.world.admin(team).await.expect(200);
    stage.promote(&version).await.expect(200);
}
