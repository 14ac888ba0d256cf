//! Events that are rejected, each by itself, and requests that are refused whole.

use std::time::Duration;

use axum::http::Method;
use domain::token::{Signer, SigningKey};
use e2e::{
    Answer, Call,
    metrics::{Road, Spot, made},
    text,
};
use serde_json::{Value, json};

const SPOT: Spot = Spot { allocation_version: 1, arm: "A", unit: 7, nonce: 1 };

/// The indices of the rejected events, after insisting that each says why.
fn rejected(answer: &Answer) -> Vec<u64> {
    let answer = answer.expect(202);
    let rejected = answer["rejected"].as_array().unwrap().iter().map(|event| {
        assert!(text(&event["detail"]).ends_with('.'), "{event}");
        event["index"].as_u64().unwrap()
    });
    rejected.collect()
}

/// What is said of an event that is rejected alone.
async fn reason(road: &Road, event: Value) -> String {
    let answer = road.report(&json!({ "events": [event] })).await.expect(202);
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(0), &json!(0)), "{answer}");
    text(&answer["rejected"][0]["detail"]).to_owned()
}

#[tokio::test]
async fn bad_values_are_rejected_one_by_one_and_the_others_count() {
    let road = Road::start(1, 1).await;
    let now = road.world.registry().sources.now();
    let too_old = domain::Timestamp::from_millis(now.as_millis() - 36 * 86_400_000);
    let bad = [
        json!({ "user_rating": 0 }),
        json!({ "user_rating": 6 }),
        json!({ "user_rating": 3.5 }),
        json!({ "eval_score": 1.0001 }),
        json!({ "quality": -0.1 }),
        json!({ "latency_ms": -1 }),
        json!({ "latency_ms": "12" }),
        json!({ "cost_usd": -0.01 }),
        json!({ "input_tokens": 1.5 }),
        json!({ "latncy_ms": 12 }),
        json!({ "timestamp": too_old }),
        json!({ "timestamp": "yesterday" }),
        json!({ "event_id": "" }),
        json!({ "event_id": "x".repeat(201) }),
        json!({ "output": "é".repeat(32_769) }),
        json!({ "environment": "Production" }),
        json!({ "experiment_id": "exp_01JD0000000000000000000000" }),
        json!({ "variant": "A" }),
        json!({ "experiment_id": "nothing", "variant": "A" }),
        // Dearer than any call that is believed.
        json!({ "input_tokens": 1_000_000_000, "output_tokens": 1_000_000_000_000_u64 }),
    ];
    let mut events: Vec<Value> = bad.iter().map(|bad| road.of_version(0, bad.clone())).collect();
    events.extend([json!(5), json!(null), json!({}), json!({ "version_id": "prm_1" })]);
    let wrong = events.len() as u64;
    events.push(road.of_version(0, json!({ "output": "é".repeat(32_768) })));
    events.insert(0, road.of_version(0, json!({ "latency_ms": 0, "user_rating": 5, "eval_score": 1 })));
    let answer = road.report(&json!({ "events": events })).await;
    assert_eq!(rejected(&answer), (1..=wrong).collect::<Vec<_>>(), "{}", answer.text());
    assert_eq!(answer.json()["accepted"], 2);
    road.count().await;
    assert_eq!(road.total(0).await.counts.get(domain::metric::Count::Calls), 2);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let road = Road::start(1, 1).await;
    for (values, words) in [
        (json!({ "latncy_ms": 12 }), "`latncy_ms`"),
        (json!({ "user_rating": 3.5, "quality": 2 }), "`user_rating` is 3.5"),
        (json!({ "user_rating": 3.5, "quality": 2 }), "`quality` is 2"),
        (json!({ "resolution_token": "x" }), "none of these beside it"),
        (json!({ "variant": "A" }), "come together"),
    ] {
        let said = reason(&road, road.of_version(0, values)).await;
        assert!(said.contains(words), "{said}");
    }
    let said = reason(&road, json!({ "latency_ms": 12 })).await;
    assert!(said.contains("`resolution_token`") && said.contains("`version_id`"), "{said}");
}

#[tokio::test]
async fn tokens_that_are_not_ours_too_old_or_of_a_foreign_team_are_rejected() {
    let road = Road::start(1, 1).await;
    let foreign = made(&road.world, "growth", "theirs", 1).await[0];
    let own = road.of_spot(0, SPOT, json!({})).await;
    let token = text(&own["resolution_token"]).to_owned();
    let signer = road.signer().await;
    let theirs = domain::token::Resolution {
        prompt_id: foreign.prompt_id,
        version_id: foreign.version_id,
        ..road.resolution(0, SPOT)
    };
    let stranger = SigningKey {
        kid: signer.kid(),
        secret: "00".repeat(32),
        created_at: road.world.registry().sources.now(),
    };
    let forged = Signer::new(&stranger).unwrap().sign(&road.resolution(0, SPOT));
    let of = |token: &str| json!({ "resolution_token": token });
    let events = [
        of(&signer.sign(&theirs)),
        own.clone(),
        of(&forged),
        of(&token[..token.len() - 2]),
        of("x"),
        of("🗝"),
        json!({ "version_id": foreign.version_id }),
        json!({ "version_id": "ver_00000000000000000000000000" }),
    ];
    let answer = road.report(&json!({ "events": events })).await;
    assert_eq!(rejected(&answer), [0, 2, 3, 4, 5, 6, 7]);
    let said = |at: usize| answer.json()["rejected"][at]["detail"].clone();
    assert_eq!((said(0), said(5)), (said(6), said(6)), "what is foreign looks like what is not there");
    road.world.clock.advance(Duration::from_hours(35 * 24));
    assert_eq!(rejected(&road.report(&json!({ "events": [own] })).await), [0_u64; 0]);
    road.world.clock.advance(Duration::from_millis(1));
    assert!(reason(&road, own).await.contains("over 35 days old"));
}

#[tokio::test]
async fn a_key_for_all_teams_reports_of_each_in_one_request() {
    let road = Road::start(1, 1).await;
    let foreign = made(&road.world, "growth", "theirs", 1).await[0];
    let events =
        [road.of_version(0, json!({})), json!({ "version_id": foreign.version_id, "event_id": "e" })];
    let body = json!({ "batch_id": "b", "events": events });
    for _ in 0..2 {
        let answer = road.world.admin(Call::post("/api/metrics", &body)).await.expect(202);
        assert_eq!(answer["accepted"], 2);
    }
    road.count().await;
    let store = &road.world.registry().store;
    let day = "2026-11-20".parse().unwrap();
    for team in ["support", "growth"] {
        let days = store.team_days(&team.parse().unwrap(), day, day).await.unwrap();
        let calls: Vec<_> = days.iter().map(|day| day.counts.get(domain::metric::Count::Calls)).collect();
        assert_eq!(calls, [1], "{team}");
    }
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let road = Road::start(1, 1).await;
    let raw = |body: &'static str| Call::new(Method::POST, "/api/metrics").bytes("application/json", body);
    let call = |call: Call| road.world.call(call.key(&road.key));
    call(raw("{\"events\": [NaN]}")).await.refused(400, "malformed-json");
    call(raw("{\"events\": [")).await.refused(400, "malformed-json");
    // With an id each is sent by itself, in more messages than one call to the queue takes.
    let named = |number| road.of_version(0, json!({ "latency_ms": 1, "event_id": format!("{number}") }));
    let events = |count: usize| (0..count).map(named).collect::<Vec<_>>();
    for (body, pointer) in [
        (json!({ "events": [], "more": 1 }), "/more"),
        (json!({ "batch_id": "b" }), ""),
        (json!({ "events": events(501) }), "/events"),
        (json!({ "events": [], "batch_id": "" }), "/batch_id"),
        (json!({ "events": [], "batch_id": "b".repeat(201) }), "/batch_id"),
    ] {
        let refused = road.report(&body).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let unkeyed = Call::post("/api/metrics", &json!({ "events": [] }));
    road.world.call(unkeyed).await.refused(401, "unauthenticated");
    road.accept(&json!({ "events": [] })).await;
    road.accept(&json!({ "events": events(500) })).await;
    road.count().await;
    assert_eq!(road.total(0).await.counts.get(domain::metric::Count::LatencyMs), 500);
}
