//! The loop: write, promote, resolve, roll back.

use e2e::{Call, World, text};
use serde_json::json;

#[tokio::test]
async fn a_prompt_is_written_promoted_resolved_and_rolled_back() {
    let world = World::start().await;
    let key = world.key("support", "resolver").await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let v1 = world.version(&prompt, &json!({ "template_text": "Hello {{ name }}\n" })).await;
    let v2 = world.version(&prompt, &json!({ "template_text": "Good day, {{ name }}!\n" })).await;
    assert_eq!((&v1["version_number"], &v1["eval_status"]), (&json!(1), &json!("none")));
    world.promote(&prompt, &v1, "production").await.expect(200);
    let path = "/api/resolve/greeter?user_id=ada&variables=%7B%22name%22%3A%22Ada%22%7D";
    let first = world.call(Call::get(path).key(&key)).await.expect(200);
    assert_eq!(first["resolved_text"], "Hello Ada\n");
    world.promote(&prompt, &v2, "production").await.expect(200);
    let second = world.call(Call::get(path).key(&key)).await.expect(200);
    assert_eq!(second["resolved_text"], "Good day, Ada!\n");
    let back = world.roll_back(&prompt, "production").await.expect(200);
    assert_eq!(back["production_version_id"], v1["version_id"]);
    assert_eq!(back["previous_version_id"], v2["version_id"]);
    let third = world.call(Call::get(path).key(&key)).await;
    assert_eq!(third.expect(200)["version_id"], v1["version_id"]);
    let tag = third.header("etag").to_owned();
    let unchanged = world.call(Call::get(path).key(&key).header("if-none-match", &tag)).await;
    assert_eq!(unchanged.status.as_u16(), 304);
    assert!(!unchanged.header("cuecard-resolution-token").is_empty());
    assert_eq!(text(&prompt["name"]), "greeter");
}
