//! What opens doors is shown once, to who made it, and never again to anybody.

use e2e::{Call, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::api;

#[tokio::test]
async fn the_secret_of_a_key_is_in_its_first_answer_alone() {
    let world = api::start().await;
    let body = json!({ "team_id": "a", "role": "author", "name": "service", "email": "ada@example.com" });
    let made = world.admin(Call::post("/api/keys", &body)).await.expect(201);
    let secret = text(&made["secret"]).rsplit('_').next().unwrap().to_owned();
    assert!(secret.len() >= 32);
    world.call(Call::get("/api/prompts").key(text(&made["secret"]))).await.expect(200);
    let id = text(&made["key_id"]);
    let mut shown = String::new();
    for call in [
        Call::get("/api/keys?team_id=a"),
        Call::get("/api/audit?team_id=a"),
        Call::get("/api/audit/export"),
        Call::delete(format!("/api/keys/{id}")),
    ] {
        let answer = world.admin(call).await;
        assert_eq!(answer.status.as_u16(), 200);
        shown.push_str(&answer.text());
    }
    assert!(shown.contains(id) && !shown.contains(&secret) && !shown.contains("sha256\":\""), "{shown}");
    let keys = world.admin(Call::get("/api/keys?team_id=a")).await.expect(200);
    let key = &keys["data"][0];
    assert_eq!((&key["email"], &key["last_used_at"]), (&body["email"], &made["created_at"]));
    assert_eq!(key.get("secret"), None);
    world.admin(Call::delete("/api/keys/key_nobody")).await.refused(404, "not-found");
    world.admin(Call::post("/api/keys/key_nobody/rotate", &json!({}))).await.refused(404, "not-found");
    world.admin(Call::post(format!("/api/keys/{id}/rotate"), &json!({}))).await.refused(409, "conflict");
}

#[tokio::test]
async fn the_secret_of_a_webhook_is_in_its_first_answer_alone() {
    let world = api::start().await;
    let create = Call::post("/api/webhooks", &api::webhook("a")).header("idempotency-key", "once");
    let made = world.admin(create.clone()).await.expect(201);
    let again = world.admin(create).await;
    assert_eq!(again.refused(409, "secret-not-repeated")["webhook_id"], made["webhook_id"]);
    let id = text(&made["webhook_id"]);
    let rotated = world.admin(Call::post(format!("/api/webhooks/{id}/rotate"), &json!({}))).await.expect(201);
    assert_eq!((&rotated["webhook_id"], rotated["secret"] == made["secret"]), (&made["webhook_id"], false));
    let mut shown = again.text();
    for call in [
        Call::get("/api/webhooks?team_id=a"),
        Call::delete(format!("/api/webhooks/{id}")),
        Call::get("/api/audit?team_id=a"),
        Call::get("/api/audit/export"),
    ] {
        let answer = world.admin(call).await;
        assert_eq!(answer.status.as_u16(), 200);
        shown.push_str(&answer.text());
    }
    for secret in [&made["secret"], &rotated["secret"]] {
        let secret = text(secret).strip_prefix("whsec_").unwrap();
        assert!(secret.len() > 40 && !shown.contains(secret), "{shown}");
    }
    // Where a receiver is may open it as well: the audit is read by more people than the list of webhooks.
    let audit = world.admin(Call::get("/api/audit?team_id=a")).await.text();
    assert!(audit.contains("https://hooks.example.com") && !audit.contains("/cuecard"), "{audit}");
    world.admin(Call::post(format!("/api/webhooks/{id}/rotate"), &json!({}))).await.refused(409, "conflict");
}

#[tokio::test]
async fn the_catalogue_names_secrets_and_a_builtin_model_is_not_changed() {
    let provider = ScriptedProvider::start(|_| Reply::Answer("yes".to_owned())).unwrap();
    let world = api::with_model(&provider).await;
    let model = json!({
        "provider": "openai", "base_url": "https://models.example.com/v1", "api_model": "one",
        "input_usd_per_mtok": 0.15, "output_usd_per_mtok": 0.6, "secret_name": "ACME_KEY",
    });
    let set = world.admin(Call::put("/api/models/acme/one", &model)).await.expect(200);
    for (name, value) in model.as_object().unwrap() {
        assert_eq!(&set[name], value, "{name}");
    }
    let listed = world.admin(Call::get("/api/models")).await.expect(200);
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|model| &model["model_id"]).collect();
    assert_eq!(ids, ["acme/one", "test/model"]);
    assert_eq!((&listed["data"][0], &listed["data"][1]["builtin"]), (&set, &json!(true)));
    world.admin(Call::put("/api/models/test/model", &model)).await.refused(409, "conflict");
    let mut with_secret = model;
    with_secret["secret"] = json!("sk-123");
    let problem = world.admin(Call::put("/api/models/acme/two", &with_secret)).await.refused(422, "invalid");
    assert_eq!(api::pointers(&problem), ["/secret"]);
}

#[tokio::test]
async fn a_team_that_does_not_exist_has_no_defaults() {
    let world = api::start().await;
    world.admin(Call::put("/api/teams/nobody", &json!({}))).await.refused(404, "not-found");
    world.key("a", "author").await;
    let team =
        world.admin(Call::put("/api/teams/a", &json!({ "gate": { "mode": "advisory" } }))).await.expect(200);
    assert_eq!((&team["gate"]["mode"], &team["default_model_id"]), (&json!("advisory"), &Value::Null));
    let back = world.admin(Call::put("/api/teams/a", &json!({}))).await.expect(200);
    assert_eq!((&back["gate"]["mode"], &back["gate"]["inherited"]), (&json!("required"), &json!(true)));
}
