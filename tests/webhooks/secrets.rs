//! Secrets that are replaced while messages are on their way.

use std::time::Duration;

use e2e::{Call, text};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_one_was_replaced() {
    let stage = Stage::new().await;
    let made = stage.webhook("support", &["promotion"], "json").await;
    let rotate = format!("/api/webhooks/{}/rotate", text(&made["webhook_id"]));
    let rotated = stage.post(&rotate, &json!({})).await;
    let signed = async |name: &str| {
        stage.prompt("support", name, 1).await;
        let told = stage.told().await;
        let [message] = told.as_slice() else { panic!("not one message: {told:?}") };
        [&made, &rotated].map(|webhook| message.is_signed_by(&webhook["secret"]))
    };
    assert_eq!(signed("one").await, [true, true]);
    stage.world.clock.advance(Duration::from_hours(24));
    assert_eq!(signed("two").await, [false, true]);
}

#[tokio::test]
async fn a_secret_that_was_replaced_signs_for_its_day_though_another_is_replaced_after_it() {
    let stage = Stage::new().await;
    let first = stage.webhook("support", &["promotion"], "json").await;
    let rotate = format!("/api/webhooks/{}/rotate", text(&first["webhook_id"]));
    let second = stage.post(&rotate, &json!({})).await;
    stage.world.clock.advance(Duration::from_hours(1));
    let third = stage.post(&rotate, &json!({})).await;
    assert!(
        text(&second["former_secret_until"]) < text(&third["former_secret_until"]),
        "it is the last one's"
    );
    let signed = async |name: &str| {
        stage.prompt("support", name, 1).await;
        let told = stage.told().await;
        let [message] = told.as_slice() else { panic!("not one message: {told:?}") };
        [&first, &second, &third].map(|webhook| message.is_signed_by(&webhook["secret"]))
    };
    assert_eq!(signed("one").await, [true, true, true]);
    stage.world.clock.advance(Duration::from_hours(23));
    assert_eq!(signed("two").await, [false, true, true]);
    stage.world.clock.advance(Duration::from_hours(1));
    assert_eq!(signed("three").await, [false, false, true]);
}

#[tokio::test]
async fn a_secret_is_not_repeated_and_what_to_do_instead_is_said() {
    let stage = Stage::new().await;
    let body = json!({ "team_id": "support", "url": stage.receiver.url(), "events": ["promotion"] });
    let create = || Call::post("/api/webhooks", &body).header("idempotency-key", "create");
    let made = stage.world.admin(create()).await.expect(201);
    let webhook = text(&made["webhook_id"]).to_owned();
    let again = stage.world.admin(create()).await.refused(409, "secret-not-repeated");
    assert!(text(&again["detail"]).ends_with("Delete it and make a new one."), "{again}");
    let rotate = format!("/api/webhooks/{webhook}/rotate");
    let rotate = || Call::post(&rotate, &json!({})).header("idempotency-key", "rotate");
    stage.world.admin(rotate()).await.expect(201);
    let again = stage.world.admin(rotate()).await.refused(409, "secret-not-repeated");
    assert!(text(&again["detail"]).starts_with(&format!("{webhook} was rotated by this request")), "{again}");
}
