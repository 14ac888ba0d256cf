//! Releasing: forward, back, and two at once.

use e2e::{Call, text};
use serde_json::json;

use crate::target::Target;

pub(crate) async fn a_prompt_is_written_released_and_rolled_back(target: &Target) {
    let key = target.key("support", "resolver").await;
    let key = text(&key["secret"]);
    let prompt = target.prompt("support", "greeter", &json!({})).await;
    let one = target.version(&prompt, &json!({ "template_text": "Hello {{ name }}\n" })).await;
    let two = target.version(&prompt, &json!({ "template_text": "Good day, {{ name }}!\n" })).await;
    let first = target.promote(&prompt, &one).await.expect(200);
    assert_eq!((&first["revision"], &first["previous_version_id"]), (&json!(1), &json!(null)));
    assert_eq!(target.resolve(key, "greeter", 1).await["resolved_text"], "Hello Ada\n");
    target.promote(&prompt, &two).await.expect(200);
    let second = target.resolve(key, "greeter", 2).await;
    assert_eq!(
        (&second["resolved_text"], &second["version_number"]),
        (&json!("Good day, Ada!\n"), &json!(2))
    );
    let path = format!("/api/prompts/{prompt}/rollback");
    let back = target.admin(Call::post(&path, &json!({ "environment": "production" }))).await.expect(200);
    assert_eq!((text(&back["production_version_id"]), text(&back["previous_version_id"])), (&*one, &*two));
    assert_eq!(target.resolve(key, "greeter", 3).await["version_id"], one);
    let nothing = target.admin(Call::post(&path, &json!({ "environment": "production" }))).await;
    nothing.refused(409, "no-rollback-target");
    let history = target.admin(Call::get(format!("/api/prompts/{prompt}/history"))).await.expect(200);
    let actions: Vec<_> =
        history["data"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["rolled_back", "promoted", "promoted"]);
    let path = "/api/resolve/greeter?user_id=ada&min_revision=3&variables=%7B%22name%22%3A%22Ada%22%7D";
    let tagged = target.call(Call::get(path).key(key)).await;
    let again = target.call(Call::get(path).key(key).header("if-none-match", tagged.header("etag"))).await;
    assert_eq!(again.status.as_u16(), 304);
}

pub(crate) async fn of_two_who_saw_the_same_one_moves(target: &Target) {
    let prompt = target.prompt("support", "contested", &json!({})).await;
    let one = target.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = target.version(&prompt, &json!({ "template_text": "two" })).await;
    target.promote(&prompt, &one).await.expect(200);
    let path = format!("/api/prompts/{prompt}/promote");
    let body = json!({ "version_id": two, "environment": "production", "expected_revision": 1 });
    let ask = || target.admin(Call::post(&path, &body));
    let (left, right) = tokio::join!(ask(), ask());
    let mut statuses = [left.status.as_u16(), right.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", left.text(), right.text());
}

pub(crate) async fn a_rollback_breaks_the_glass(target: &Target) {
    let prompt = target.prompt("support", "fragile", &json!({})).await;
    for text in ["one", "two"] {
        let version = target.version(&prompt, &json!({ "template_text": text })).await;
        target.promote(&prompt, &version).await.expect(200);
    }
    let event = json!({ "prompt": prompt, "environment": "production", "reason": "the gateway is down" });
    let back = target.break_glass(event.clone()).await;
    assert_eq!((&back["status"], &back["revision"]), (&json!(200), &json!(3)), "{back}");
    let refused = target.break_glass(event).await;
    assert_eq!(refused["status"], 409, "{refused}");
    let entry = target.admin(Call::get(format!("/api/prompts/{prompt}/history?limit=1"))).await.expect(200);
    assert_eq!(entry["data"][0]["reason"], "the gateway is down");
}
