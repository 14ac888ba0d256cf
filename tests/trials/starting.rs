//! What an experiment takes to start, and what it says of itself.

use e2e::{Call, text};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn what_is_left_out_is_as_the_api_says() {
    let stage = Stage::new(2).await;
    let body = json!({ "variants": stage.variants() });
    let made = stage.post(&stage.path("/experiments"), &body).await.expect(201);
    for (field, value) in [
        ("environment", json!("production")),
        ("allocation_strategy", json!("fixed_split")),
        ("primary_metric", json!("user_rating")),
        ("min_samples", json!(100)),
        ("auto_promote", json!(true)),
        ("max_duration_days", json!(14.0)),
        ("min_duration_days", json!(1.0)),
        ("exploration_floor", json!(0.1)),
        ("update_interval_minutes", json!(60)),
        ("traffic_allocation", json!(1.0)),
        ("objective", json!("reward")),
        ("continuous", json!(false)),
        ("reward_half_life_days", json!(null)),
        ("feedback", json!("explicit")),
        ("attribution_window_minutes", json!(60)),
        ("status", json!("active")),
        ("outcome", json!(null)),
        ("end_date", json!(null)),
        ("flags", json!([])),
        ("winner_version_id", json!(null)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(made["decision"]["mode"], "strict");
    assert_eq!(made["decision"]["threshold"], 40.0);
    assert_eq!(made["guardrails"].as_array().unwrap().len(), 5);
    let variants = made["variants"].as_array().unwrap();
    assert_eq!((&variants[0]["key"], &variants[1]["key"]), (&json!("A"), &json!("B")));
    for variant in variants {
        assert_eq!((&variant["traffic_weight"], &variant["p_best"]), (&json!(0.5), &json!(0.5)));
        assert_eq!((&variant["exposures"], &variant["estimate"]), (&json!(0), &json!(null)));
        assert_eq!(variant["expected_loss"], json!(null));
    }
    let id = text(&made["experiment_id"]);
    assert_eq!(stage.get(&format!("/api/experiments/{id}")).await, made);
    let listed = stage.get(&stage.path("/experiments")).await;
    assert_eq!(listed["data"], json!([made]));
    assert_eq!(stage.production().await["experiment_id"], made["experiment_id"]);
    let weights = stage.get(&format!("/api/experiments/{id}/weights")).await;
    assert_eq!(
        weights["data"][0]["weights"][1],
        json!({ "key": "B", "traffic_weight": 0.5, "p_best": null })
    );
    let answer = stage.resolve("user-1").await;
    assert_eq!(answer["experiment_id"], made["experiment_id"]);
    assert!(["A", "B"].contains(&text(&answer["variant"])), "{answer}");
}

#[tokio::test]
async fn each_wrong_wish_is_refused_at_its_place() {
    let stage = Stage::new(2).await;
    let (first, second) = (stage.id(0), stage.id(1));
    let variants = |list: serde_json::Value| json!({ "variants": list });
    for (wrong, pointer) in [
        (variants(json!([{ "version_id": second }, { "version_id": first }])), "/variants/0/version_id"),
        (variants(json!([{ "version_id": first }])), "/variants"),
        (
            variants(json!([
                { "version_id": first, "traffic_weight": 0.5 },
                { "version_id": second, "traffic_weight": 0.4 },
            ])),
            "/variants",
        ),
        (
            variants(json!([{ "version_id": first, "key": "x" }, { "version_id": second, "key": "x" }])),
            "/variants/1/key",
        ),
        (
            variants(json!([{ "version_id": first }, { "version_id": "ver_01JD0000000000000000000000" }])),
            "/variants/1/version_id",
        ),
        (json!({ "exploration_floor": 0.6 }), "/exploration_floor"),
        (json!({ "guardrails": [{ "metric": "error", "ratio": 0.5 }] }), "/guardrails/0/ratio"),
        (json!({ "feedback": "implicit_negative", "primary_metric": "user_rating" }), "/feedback"),
        (json!({ "primary_metric": "refusal" }), "/primary_metric"),
        (json!({ "allocation_strategy": "random" }), "/allocation_strategy"),
        (json!({ "colour": "red" }), "/colour"),
    ] {
        let problem = stage.try_experiment(&wrong).await.refused(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{wrong}: {problem}");
    }
    assert_eq!(stage.production().await["experiment_id"], json!(null), "nothing was started");
}

#[tokio::test]
async fn one_trial_at_a_time_and_only_where_something_is_live_and_unlocked() {
    let stage = Stage::new(2).await;
    let nowhere = stage.try_experiment(&json!({ "environment": "qa" })).await;
    nowhere.refused(404, "not-live");
    let lock = stage.path("/environments/production/lock");
    stage.world.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    stage.try_experiment(&json!({})).await.refused(409, "locked");
    stage.try_canary(&json!({})).await.refused(409, "locked");
    stage.delete(&lock).await;
    let running = stage.experiment(&json!({})).await;
    let refusal = stage.try_experiment(&json!({})).await.refused(409, "experiment-running");
    assert_eq!(refusal["experiment_id"], running["experiment_id"]);
    stage.try_canary(&json!({})).await.refused(409, "experiment-running");
    let promoted = stage.world.promote(&stage.prompt, &stage.versions[1], "production").await;
    promoted.refused(409, "experiment-running");
}

#[tokio::test]
async fn only_releasers_start_and_foreign_teams_see_nothing() {
    let stage = Stage::new(2).await;
    let body = json!({ "variants": stage.variants() });
    let author = stage.world.key("support", "author").await;
    let asked = stage.world.call(Call::post(stage.path("/experiments"), &body).key(&author)).await;
    asked.refused(403, "forbidden");
    let running = stage.experiment(&json!({})).await;
    let path = format!("/api/experiments/{}", text(&running["experiment_id"]));
    let foreign = stage.world.key("growth", "releaser").await;
    stage.world.call(Call::get(&path).key(&foreign)).await.refused(404, "not-found");
    let stop = Call::post(format!("{path}/stop"), &json!({})).key(&foreign);
    stage.world.call(stop).await.refused(404, "not-found");
    stage.world.call(Call::get(&path).key(&author)).await.expect(200);
}

#[tokio::test]
async fn where_the_gate_is_required_each_version_has_passed() {
    let stage = Stage::new(1).await;
    let prompt = stage.world.prompt("support", "gated", &json!({ "gate": { "mode": "required" } })).await;
    let mut versions = Vec::new();
    for number in 1..=2 {
        versions.push(stage.world.version(&prompt, &json!({ "template_text": format!("{number}") })).await);
    }
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    let promote = json!({ "version_id": versions[0]["version_id"], "environment": "production", "override": { "reason": "first" } });
    stage.post(&format!("{path}/promote"), &promote).await.expect(200);
    let variants: Vec<_> =
        versions.iter().map(|version| json!({ "version_id": version["version_id"] })).collect();
    let asked = stage.post(&format!("{path}/experiments"), &json!({ "variants": variants })).await;
    asked.refused(409, "not-evaluated");
    let canary = json!({ "version_id": versions[1]["version_id"] });
    stage.post(&format!("{path}/rollouts"), &canary).await.refused(409, "not-evaluated");
}

#[tokio::test]
async fn the_same_request_starts_one_experiment() {
    let stage = Stage::new(2).await;
    let body = json!({ "variants": stage.variants() });
    let call = || Call::post(stage.path("/experiments"), &body).header("idempotency-key", "once");
    let first = stage.world.admin(call()).await;
    let again = stage.world.admin(call()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.expect(201), again.expect(201));
}
