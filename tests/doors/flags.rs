//! One prompt as a flag: its value, who is served which arm, and each status and code that OFREP knows.

use std::{collections::BTreeMap, time::Duration};

use axum::http::Method;
use e2e::{Answer, Call, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::stage::{Stage, ada, at, one, without_token};

/// Insists on what is said of a flag that cannot be evaluated.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    let failure = answer.expect(status);
    assert_eq!(failure["errorCode"], code, "{failure}");
    assert!(!text(&failure["errorDetails"]).is_empty(), "{failure}");
    assert_eq!(answer.header("content-type"), "application/json");
    failure
}

#[tokio::test]
async fn a_rendered_prompt_is_the_value_of_its_flag() {
    let stage = Stage::start().await;
    let content =
        json!({ "template_text": "Hello {{ name }}", "system_prompt": "Be kind.", "temperature": 0.25 });
    let (_, version) = stage.live("greeter", &content).await;
    let answer = stage.evaluate("greeter", &ada()).await;
    assert_eq!(["cuecard-age-ms", "cuecard-source"].map(|name| answer.header(name)), ["0", "memory"]);
    let flag = answer.expect(200);
    let token = text(&flag["metadata"]["resolutionToken"]).to_owned();
    let messages =
        json!([{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "Hello Ada" }]);
    let value = json!({
        "messages": messages, "text": "Hello Ada", "system_prompt": "Be kind.", "model_id": "test/model",
        "temperature": 0.25, "max_tokens": 1000,
    });
    let metadata = json!({
        "promptVersion": 1, "versionId": version["version_id"], "contentHash": version["content_sha256"],
        "environment": "production", "revision": 1,
    });
    let whole = json!({ "key": "greeter", "value": value, "reason": "STATIC", "variant": "v1", "metadata": metadata });
    assert_eq!(without_token(flag), whole);

    let event = json!({ "events": [{ "resolution_token": token, "success": true }] });
    assert_eq!(stage.call(Call::post("/api/metrics", &event)).await.expect(202)["accepted"], 1);
}

#[tokio::test]
async fn a_prompt_of_messages_has_no_text() {
    let stage = Stage::start().await;
    let content = json!({ "messages": [{ "role": "user", "content": "Hello {{ name }}" }] });
    stage.live("greeter", &content).await;
    let flag = stage.evaluate("greeter", &ada()).await.expect(200);
    assert_eq!(flag["value"]["messages"][0]["content"], "Hello Ada");
    assert_eq!((&flag["value"]["text"], &flag["value"]["system_prompt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn who_takes_part_in_an_experiment_stays_on_the_arm_that_resolve_serves_too() {
    let stage = Stage::start().await;
    let (_, experiment) = stage.tried("greeter").await;
    let other = stage.world.another_process().await;
    let mut served = BTreeMap::new();
    for number in 0..30 {
        let user = format!("user-{number}");
        let context = json!({ "targetingKey": user });
        let flag = stage.evaluate("greeter", &context).await.expect(200);
        assert_eq!(flag["reason"], "SPLIT");
        assert_eq!(flag["metadata"]["experimentId"], experiment["experiment_id"]);
        let elsewhere = one("greeter", &context).key(&stage.key).send(&other.router).await.expect(200);
        let resolve = Call::get(format!("/api/resolve/greeter?user_id={user}"));
        let resolved = stage.call(resolve).await.expect(200);
        for (flag, variant, text) in [
            (&flag, &resolved["variant"], &resolved["resolved_text"]),
            (&elsewhere, &flag["variant"], &flag["value"]["text"]),
        ] {
            assert_eq!((&flag["variant"], &flag["value"]["text"]), (variant, text));
        }
        *served.entry(flag["variant"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(served.len(), 2, "{served:?}");
}

#[tokio::test]
async fn a_canary_splits_too() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.live("greeter", &json!({ "template_text": "one" })).await;
    let two = stage.world.version(&prompt, &json!({ "template_text": "two" })).await;
    let canary = Call::post(at(&prompt, "/rollouts"), &json!({ "version_id": two["version_id"] }));
    let canary = stage.world.admin(canary).await.expect(201);
    let flag = stage.evaluate("greeter", &ada()).await.expect(200);
    assert_eq!(flag["reason"], "SPLIT");
    assert_eq!(flag["metadata"]["experimentId"], canary["rollout_id"]);
}

#[tokio::test]
async fn every_way_of_naming_a_prompt_leads_to_its_flag() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.greeter("faq/two words, ключ").await;
    let id = text(&prompt["prompt_id"]);
    for (asked, key) in [
        ("faq/two%20words,%20%D0%BA%D0%BB%D1%8E%D1%87", "faq/two words, ключ"),
        ("faq%2Ftwo%20words%2C%20%D0%BA%D0%BB%D1%8E%D1%87", "faq/two words, ключ"),
        ("support/faq/two%20words,%20%D0%BA%D0%BB%D1%8E%D1%87", "support/faq/two words, ключ"),
        (id, id),
    ] {
        let flag = stage.evaluate(asked, &ada()).await.expect(200);
        assert_eq!((&flag["key"], &flag["value"]["text"]), (&json!(key), &json!("Hello Ada")));
    }
}

#[tokio::test]
async fn the_header_says_which_environment() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.live("greeter", &json!({ "template_text": "one" })).await;
    let two = stage.world.version(&prompt, &json!({ "template_text": "two" })).await;
    stage.world.promote(&prompt, &two, "staging").await.expect(200);
    for (environment, version) in [("production", 1), ("staging", 2)] {
        let call = one("greeter", &ada()).header("Cuecard-Environment", environment);
        let metadata = stage.call(call).await.expect(200)["metadata"].clone();
        assert_eq!(metadata["environment"], environment);
        assert_eq!(metadata["promptVersion"], version);
    }
    let nowhere = stage.call(one("greeter", &ada()).header("cuecard-environment", "eu-1")).await;
    refused(&nowhere, 404, "FLAG_NOT_FOUND");
    let none = stage.call(one("greeter", &ada()).header("cuecard-environment", "No Environment")).await;
    refused(&none, 400, "GENERAL");
}

#[tokio::test]
async fn a_context_that_does_not_fit_is_400_with_its_code() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.live("endless", &json!({ "template_text": "{{ range(1000000000) }}" })).await;
    let posted = |body: &Value| Call::post("/ofrep/v1/evaluate/flags/greeter", body);
    for (call, code) in [
        (
            Call::new(Method::POST, "/ofrep/v1/evaluate/flags/greeter").bytes("application/json", "{"),
            "PARSE_ERROR",
        ),
        (
            Call::new(Method::POST, "/ofrep/v1/evaluate/flags/greeter").bytes("text/plain", "{}"),
            "PARSE_ERROR",
        ),
        (posted(&json!({})), "TARGETING_KEY_MISSING"),
        (posted(&json!({ "context": null })), "TARGETING_KEY_MISSING"),
        (one("greeter", &json!({ "name": "Ada" })), "TARGETING_KEY_MISSING"),
        (one("greeter", &json!({ "targetingKey": null, "name": "Ada" })), "TARGETING_KEY_MISSING"),
        (one("greeter", &json!({ "targetingKey": " ", "name": "Ada" })), "TARGETING_KEY_MISSING"),
        (one("greeter", &json!([])), "INVALID_CONTEXT"),
        (one("greeter", &json!({ "targetingKey": 7, "name": "Ada" })), "INVALID_CONTEXT"),
        (one("greeter", &json!({ "targetingKey": "user-1" })), "INVALID_CONTEXT"),
        (one("greeter", &json!({ "targetingKey": "user-1", "name": ["Ada"] })), "INVALID_CONTEXT"),
        (one("greeter", &ada()).also_asking("env=staging"), "GENERAL"),
        (one("greeter", &json!({ "targetingKey": "u", "name": "x".repeat(2 << 20) })), "GENERAL"),
        (one("endless", &ada()), "GENERAL"),
    ] {
        let flag = call.path().split(['/', '?']).nth(5).unwrap().to_owned();
        assert_eq!(refused(&stage.call(call).await, 400, code)["key"], flag);
    }
    let missing = stage.evaluate("greeter", &json!({ "targetingKey": "user-1" })).await.json();
    assert!(text(&missing["errorDetails"]).contains("name"), "{missing}");
}

#[tokio::test]
async fn what_is_not_live_or_not_visible_is_404_in_the_same_words() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.world.prompt("support", "draft", &json!({})).await;
    refused(&stage.evaluate("draft", &ada()).await, 404, "FLAG_NOT_FOUND");
    let absent = refused(&stage.evaluate("absent", &ada()).await, 404, "FLAG_NOT_FOUND");
    assert_eq!(absent["key"], "absent");
    let foreign = stage.world.key("sales", "resolver").await;
    for flag in ["greeter", "support/greeter"] {
        let answer = stage.world.call(one(flag, &ada()).key(&foreign)).await;
        assert_eq!(refused(&answer, 404, "FLAG_NOT_FOUND")["errorDetails"], absent["errorDetails"]);
    }
}

#[tokio::test]
async fn of_an_archived_prompt_the_application_takes_its_own_default() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.greeter("greeter").await;
    stage.world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
    let flag = stage.evaluate("greeter", &ada()).await.expect(200);
    assert_eq!(flag, json!({ "key": "greeter", "reason": "DISABLED", "variant": "archived" }));
}

#[tokio::test]
async fn a_key_opens_in_both_headers_and_without_one_nothing_is_said() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.world.call(one("greeter", &ada()).header("x-api-key", &stage.key)).await.expect(200);
    for call in [
        one("greeter", &ada()),
        one("greeter", &ada()).key("cue_nobody_secret"),
        one("absent", &json!(7)),
        Call::new(Method::POST, "/ofrep/v1/evaluate/flags/%FF"),
        crate::stage::all(&ada()),
    ] {
        let answer = stage.world.call(call).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (401, ""));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn through_an_outage_it_says_what_it_knew_and_else_500() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.evaluate("greeter", &ada()).await.expect(200);
    let knows_nothing = stage.world.another_process().await;
    stage.world.faults().add(Rule::all(Fault::Exception("AccessDeniedException")));
    stage.world.clock.advance(Duration::from_mins(5));
    let answer = stage.evaluate("greeter", &ada()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cuecard-source")), (200, "stale"));
    let answer = one("greeter", &ada()).key(&stage.key).send(&knows_nothing.router).await;
    let failure = answer.expect(500);
    assert!(failure["errorDetails"].is_string() && failure.get("errorCode").is_none(), "{failure}");
}

#[tokio::test]
async fn each_evaluation_counts_as_a_resolve() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.greeter("greeter").await;
    for _ in 0..3 {
        stage.evaluate("greeter", &ada()).await.expect(200);
    }
    stage.evaluate_all(&ada()).await.expect(200);
    stage.evaluate("greeter", &json!({ "targetingKey": "user-1" })).await.expect(400);
    let resolves = async || {
        let metrics = stage.world.admin(Call::get(at(&prompt, "/metrics"))).await.expect(200);
        metrics["data"].as_array().unwrap().iter().filter_map(|row| row["resolves"].as_i64()).sum::<i64>()
    };
    // On a busy machine a write may be late, and is tried again.
    for _ in 0..60 {
        stage.world.clock.advance(Duration::from_mins(1));
        stage.evaluate("absent", &ada()).await.expect(404);
        if resolves().await == 4 {
            break;
        }
    }
    assert_eq!(resolves().await, 4);
}
