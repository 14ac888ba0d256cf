//! Figures of calls: answers with something in them are as the document says.

use domain::metric::{Batch, Event, Subject, Values, fold};
use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at};

/// Calls of a version in production, one of which says all that can be said.
async fn call(world: &World, prompt: &Value, version: &Value) {
    let subject = Subject {
        prompt_id: text(&prompt["prompt_id"]).parse().unwrap(),
        version_id: text(&version["version_id"]).parse().unwrap(),
        environment: domain::name::production(),
        placement: None,
    };
    let all = Values {
        latency_ms: Some(120.5),
        cost: Some("0.0125".parse().unwrap()),
        input_tokens: Some(1_000),
        output_tokens: Some(10),
        success: Some(true),
        error: Some(false),
        refusal: Some(false),
        user_rating: Some(4),
        quality: Some(0.5),
        eval_score: Some(1.0),
        ..Values::default()
    };
    let (team_id, registry) = ("a".parse().unwrap(), world.registry());
    let event = |(index, values)| Event { index, event_id: None, subject: subject.clone(), values };
    let events = [all, Values::default()].into_iter().enumerate().map(event).collect();
    let messages = fold(&Batch { team_id, batch_id: None, events }, &registry.sources);
    let applied = registry.store.apply(&messages, &registry.sources).await;
    assert!(applied.outcomes.iter().all(Result::is_ok), "{:?}", applied.outcomes);
}

#[tokio::test]
async fn figures_are_as_the_document_says() {
    let world = api::start().await;
    let model = json!({ "provider": "openai", "input_usd_per_mtok": 0.15, "output_usd_per_mtok": 0.6 });
    world.admin(Call::put("/api/models/acme%2Fsmall", &model)).await.expect(200);
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    call(&world, &prompt, &version).await;
    let key = world.key("a", "resolver").await;
    let now = "to=2026-11-20T08:00:00Z";
    for path in [
        at(&prompt, &format!("/metrics?{now}")),
        at(&prompt, &format!("/metrics?{now}&bucket=day&group_by=environment")),
        format!("/api/teams/a/metrics?{now}"),
        "/api/metrics/summary".to_owned(),
    ] {
        let shown = world.call(Call::get(&path).key(&key)).await.expect(200);
        assert_eq!(shown["data"][0]["calls"], 2, "{path}: {shown}");
    }
}
