//! Secrets that are replaced while messages are on their way.

use std::time::Duration;

use e2e::text;
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
