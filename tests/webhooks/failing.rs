//! Receivers that do not take what they asked for, and addresses where nothing is sent.

use std::sync::{Arc, Mutex};

use aws_lambda_events::event::{dynamodb::Event, streams::DynamoDbEventResponse};
use e2e::{Call, text};
use serde_json::{Value, json};
use testkit::event_source::Failure;

use crate::stage::Stage;

/// A stage on which one promotion waits to be told.
async fn promoted() -> (Stage, Value, Value) {
    let stage = Stage::new().await;
    let webhook = stage.webhook("support", &["promotion"], "json").await;
    let (prompt, _) = stage.prompt("support", "greeting", 1).await;
    (stage, webhook, prompt)
}

#[tokio::test]
async fn a_receiver_that_fails_twice_has_it_at_the_third_try() {
    let (stage, webhook, _) = promoted().await;
    stage.receiver.answers(&[500, 429]);
    let first = stage.told().await;
    stage.world.clock.advance(std::time::Duration::from_mins(5));
    let mut all = [first, stage.told().await, stage.told().await].concat();
    assert_eq!(all.len(), 3);
    assert!(stage.told().await.is_empty(), "it is not told again");
    assert!(
        all.iter().all(|message| message.is_signed_by(&webhook["secret"])),
        "each try is signed at its time"
    );
    assert_eq!(all[1].timestamp - all[0].timestamp, 300);
    all.dedup_by(|a, b| (&a.id, &a.body) == (&b.id, &b.body));
    assert_eq!(all.len(), 1, "the same message each time");
}

#[tokio::test]
async fn what_a_receiver_never_takes_lies_in_the_dead_letters() {
    let (stage, webhook, _) = promoted().await;
    stage.receiver.answers(&[500; 9]);
    let mut tries = 0;
    for _ in 0..7 {
        tries += stage.told().await.len();
    }
    assert_eq!(tries, 5);
    let dead = stage.world.take_dead_webhooks().await;
    assert_eq!(
        dead.iter().map(|notice| notice.webhook_id.to_string()).collect::<Vec<_>>(),
        [text(&webhook["webhook_id"])]
    );
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_no_more() {
    let (stage, webhook, prompt) = promoted().await;
    stage.receiver.answers(&[410]);
    assert_eq!(stage.told().await.len(), 1);
    let version = stage.world.version(&prompt, &json!({ "template_text": "another" })).await;
    stage.world.promote(&prompt, &version, "production").await.expect(200);
    assert!(stage.told().await.is_empty());
    let listed = stage.world.admin(Call::get("/api/webhooks?team_id=support")).await.expect(200);
    assert!(listed["data"][0]["disabled_at"].is_string(), "{listed}");
    let audit = stage.world.admin(Call::get("/api/audit?team_id=support")).await.expect(200);
    let entry = &audit["data"][0];
    assert_eq!(
        [&entry["action"], &entry["subject"], &entry["actor"]["name"]],
        [&json!("webhook_disabled"), &webhook["webhook_id"], &json!("notify")]
    );
}

#[tokio::test]
async fn what_is_queued_for_a_deleted_webhook_is_not_sent() {
    let (stage, webhook, _) = promoted().await;
    stage.world.work().await;
    let path = format!("/api/webhooks/{}", text(&webhook["webhook_id"]));
    let deleted = stage.world.admin(Call::delete(&path)).await.expect(200);
    assert_eq!(stage.world.admin(Call::delete(&path)).await.expect(200), deleted, "once is as good as twice");
    assert_eq!(stage.world.step_webhooks().await, 1);
    assert!(stage.receiver.arrived().is_empty());
}

#[tokio::test]
async fn a_record_that_comes_twice_is_told_under_one_id() {
    let (stage, ..) = promoted().await;
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let keep = |event: Event| {
        events.lock().unwrap().push(event);
        std::future::ready(Ok::<_, Failure>(DynamoDbEventResponse::default()))
    };
    stage.world.stream.drain(&stage.world.clients.streams, keep).await.unwrap();
    let events = events.lock().unwrap().clone();
    for event in [events.clone(), events].concat() {
        let answer = dispatch::handle(event, &stage.world.dispatch()).await.unwrap();
        assert!(answer.batch_item_failures.is_empty());
    }
    let told = stage.told().await;
    assert_eq!(told.iter().map(|message| &message.id).collect::<Vec<_>>(), [&told[0].id, &told[0].id]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (stage, ..) = promoted().await;
    stage.receiver.answers(&[302, 307]);
    let told = [stage.told().await, stage.told().await, stage.told().await].concat();
    assert_eq!(told.iter().map(|message| message.path.as_str()).collect::<Vec<_>>(), ["/cuecard"; 3]);
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused() {
    let stage = Stage::new().await;
    for url in [
        "http://hooks.example.com/a",
        "https://169.254.169.254/latest",
        "https://0x7f000001/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com/?key=1",
        "",
    ] {
        let body = json!({ "team_id": "support", "url": url, "events": ["promotion"] });
        let problem = stage.world.admin(Call::post("/api/webhooks", &body)).await.refused(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}: {problem}");
    }
    let body = json!({ "team_id": "support", "url": "https://hooks.example.com", "events": ["promoted"] });
    let problem = stage.world.admin(Call::post("/api/webhooks", &body)).await.refused(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/events/0", "{problem}");
}
