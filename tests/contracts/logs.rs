//! What the log tells, and what it never does. What requests of all tests carry is held against the log in
//! `tests/src/logged.rs`; here is what only these tests send, in each place that an operation has for it.

use domain::model::{ModelEntry, Provider};
use e2e::{ADMIN, Answer, Call, World, WorldSettings, keep_out, leaks, logged};
use serde_json::json;
use testkit::provider::{Reply, ScriptedProvider};

use crate::{
    api,
    document::operations,
    requests::{Target, request},
};

/// What somebody sends, or a provider's key is: no log may have it.
const PLANTED: &str = "planted-and-never-to-be-logged";

/// The id of a direct rollback, as Lambda gives it.
const REQUEST: &str = "req-of-a-direct-rollback";

/// Insists that each of the requests has its line in the log, and that none of the lines tells a secret.
fn check(answers: &[Answer], secrets: &[&str]) {
    let logged = logged();
    for answer in answers {
        assert!(logged.contains(answer.header("x-request-id")), "{answer:?} is not in the log");
    }
    assert_eq!(leaks(&logged, &secrets.iter().map(|secret| (*secret).to_owned()).collect()), [""; 0]);
}

/// A platform that calls a provider which refuses with each status, and repeats what it was asked and with what key.
async fn with_a_provider_that_quotes() -> (World, ScriptedProvider) {
    let statuses = std::sync::Mutex::new([400, 401, 403, 404, 429, 500, 503].into_iter().cycle());
    let provider = ScriptedProvider::start(move |call| {
        let status = statuses.lock().unwrap().next().unwrap();
        Reply::Refusal(status, format!("{} with {PLANTED} is wrong", call.body))
    });
    let provider = provider.unwrap();
    let model = ModelEntry {
        model_id: "test/model".to_owned(),
        provider: Provider::Openai,
        base_url: Some(provider.url()),
        api_model: None,
        input_usd_per_mtok: domain::money::Usd::default(),
        output_usd_per_mtok: domain::money::Usd::default(),
        max_concurrency: None,
        requests_per_minute: None,
        secret_name: Some("key".to_owned()),
    };
    let secrets = models::Secrets::new(|_| Some(PLANTED.to_owned()));
    (api::with(WorldSettings { builtin: vec![model], secrets, ..WorldSettings::default() }).await, provider)
}

#[test]
fn a_line_that_tells_a_secret_is_found() {
    let line = json!({ "message": format!("it is {PLANTED} indeed") }).to_string();
    let log = format!("{}\n{line}\n", json!({ "message": "request" }));
    assert_eq!(leaks(&log, &[PLANTED.to_owned()].into()), [format!("{PLANTED}: {line}")]);
    assert_eq!(leaks(&log, &["never-to-be-seen".to_owned()].into()), [""; 0]);
}

#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_nothing_that_the_request_brought() {
    let world = api::start().await;
    keep_out(PLANTED);
    let key = format!("cue_admin_{PLANTED}");
    let mut answers = Vec::new();
    for operation in operations() {
        let plain = || request(&operation, &Target::nobody());
        let unwanted = json!({ "variables": { "name": PLANTED }, "user_id": PLANTED, "reason": PLANTED });
        let cookie = format!("cuecard_session={PLANTED}");
        for call in [
            plain().header("x-api-key", &key),
            plain().key(&key).header("cookie", &cookie),
            plain().key(ADMIN).also_asking(&format!("limit={PLANTED}")),
            plain().key(ADMIN).json(&unwanted),
            plain().key(ADMIN).json(&json!(PLANTED)),
            plain().key(ADMIN).bytes("application/json", PLANTED),
            plain().key(ADMIN).header("idempotency-key", PLANTED).header("x-cuecard-user", PLANTED),
        ] {
            answers.push(world.call(call).await);
        }
    }
    check(&answers, &[PLANTED]);
}

#[tokio::test]
async fn what_a_prompt_is_filled_with_and_what_its_provider_says_of_that_is_in_no_log() {
    let (world, _provider) = with_a_provider_that_quotes().await;
    keep_out(PLANTED);
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let variables = json!([{ "name": "name", "type": "string", "required": true }]);
    let content = json!({ "template_text": "Hello {{ name }}", "variables": variables });
    let version = world.version(&prompt, &content).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let mut answers = Vec::new();
    let filled = json!({ "name": PLANTED });
    for variables in [&filled, &json!({ "name": [PLANTED] }), &json!({ "name": { "a": PLANTED } })] {
        let body = json!({ "prompt": "a/greeter", "variables": variables, "user_id": PLANTED });
        answers.push(world.admin(Call::post("/api/resolve", &body)).await);
    }
    for _ in 0..7 {
        let body = json!({ "version_id": version["version_id"], "variables": filled });
        let refusal = world.admin(Call::post("/api/try", &body)).await;
        assert!(!refusal.status.is_success(), "{}", refusal.text());
        answers.push(refusal);
    }
    let direct =
        json!({ "prompt": prompt["prompt_id"], "environment": ADMIN, "reason": PLANTED, "api_key": 1 });
    rollback::handle(direct, REQUEST, &world.process.rollback).await;
    assert!(logged().contains(REQUEST), "the direct rollback has its line too");
    check(&answers, &[PLANTED, ADMIN]);
}
