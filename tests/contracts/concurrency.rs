//! Seeing and moving: entity tags of reads, and moves that insist on what their mover saw.

use e2e::{Answer, Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers, under};

async fn tag(world: &World, path: &str) -> String {
    let answer = world.admin(Call::get(path)).await;
    answer.expect(200);
    answer.header("etag").to_owned()
}

#[tokio::test]
async fn each_read_of_one_thing_has_a_strong_tag_and_is_304_to_who_has_it() {
    let world = api::start().await;
    let set = api::test_set(&world, "a").await;
    api::put_cases(&world, &set, api::CASE).await;
    let prompt = world.prompt("a", "greeter", &json!({ "test_set_id": set })).await;
    let version = world.version(&prompt, &json!({ "template_text": "one" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    for path in [
        at(&prompt, ""),
        "/api/prompts/by-name?name=greeter".to_owned(),
        at(&prompt, "/environments/production"),
        under(&version, ""),
        under(&version, "/content"),
        format!("/api/evals/{}", text(&version["eval_run_id"])),
        format!("/api/test-sets/{set}"),
        "/api/resolve/greeter?user_id=ada".to_owned(),
    ] {
        let tag = tag(&world, &path).await;
        assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let answer = world.admin(Call::get(&path).header("if-none-match", &given)).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{path}: {given}");
            assert_eq!(answer.header("etag"), tag, "{path}");
        }
        world.admin(Call::get(&path).header("if-none-match", "\"other\"")).await.expect(200);
    }
}

#[tokio::test]
async fn a_tag_changes_with_the_thing() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    world.promote(&prompt, &one, "staging").await.expect(200);
    let paths = [at(&prompt, ""), at(&prompt, "/environments/staging"), under(&two, "")];
    let mut before = Vec::new();
    for path in &paths {
        before.push(tag(&world, path).await);
    }
    let content = tag(&world, &under(&two, "/content")).await;
    world.promote(&prompt, &two, "staging").await.expect(200);
    for (path, before) in paths.iter().zip(&before) {
        assert_ne!(&tag(&world, path).await, before, "{path}");
    }
    assert_eq!(tag(&world, &under(&two, "/content")).await, content, "content never changes");
    let answer = world.admin(Call::get(under(&two, "/content"))).await;
    assert!(answer.header("cache-control").contains("immutable"));
}

async fn promote(world: &World, prompt: &Value, version: &Value, expected: Option<u64>, tag: &str) -> Answer {
    let mut body = json!({ "version_id": version["version_id"], "environment": "staging" });
    if let Some(expected) = expected {
        body["expected_revision"] = json!(expected);
    }
    let call = Call::post(at(prompt, "/promote"), &body);
    world.admin(if tag.is_empty() { call } else { call.header("if-match", tag) }).await
}

#[tokio::test]
async fn a_move_that_expects_another_revision_is_412_and_says_what_is_there() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    promote(&world, &prompt, &one, Some(1), "").await.refused(412, "moved");
    promote(&world, &prompt, &one, Some(0), "").await.expect(200);
    for (expected, tag) in [(Some(0), ""), (Some(2), ""), (None, "\"0\""), (None, "\"2\"")] {
        let problem = promote(&world, &prompt, &two, expected, tag).await.refused(412, "moved");
        assert_eq!((&problem["moved_revision"], &problem["version_id"]), (&json!(1), &one["version_id"]));
    }
    let tag = tag(&world, &at(&prompt, "/environments/staging")).await;
    let moved = promote(&world, &prompt, &two, Some(1), &tag).await.expect(200);
    assert_eq!(moved["revision"], 2);
    promote(&world, &prompt, &one, None, "*").await.expect(200);
    let back = json!({ "environment": "staging", "expected_revision": 2 });
    let rollback = Call::post(at(&prompt, "/rollback"), &back);
    world.admin(rollback.clone()).await.refused(412, "moved");
    let rollback = Call::post(at(&prompt, "/rollback"), &json!({ "environment": "staging" }));
    world.admin(rollback.clone().header("if-match", "\"2\"")).await.refused(412, "moved");
    world.admin(rollback.header("if-match", "\"3\"")).await.expect(200);
}

#[tokio::test]
async fn a_lock_is_no_move() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    promote(&world, &prompt, &one, None, "").await.expect(200);
    let lock = at(&prompt, "/environments/staging/lock");
    world.admin(Call::put(&lock, &json!({ "reason": "freeze" }))).await.expect(200);
    let unlocked = world.admin(Call::delete(&lock)).await.expect(200);
    assert_eq!((&unlocked["revision"], &unlocked["moved_revision"]), (&json!(3), &json!(1)));
    promote(&world, &prompt, &one, Some(1), "").await.expect(200);
}

#[tokio::test]
async fn what_is_no_tag_of_an_environment_is_refused() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    for tag in ["1", "W/\"1\"", "\"x\"", "\"1\", \"2\""] {
        let problem = promote(&world, &prompt, &one, None, tag).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/If-Match"], "{tag}");
    }
    let problem = promote(&world, &prompt, &one, Some(0), "\"1\"").await.refused(422, "invalid");
    assert_eq!(pointers(&problem), ["/expected_revision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_moves_that_saw_the_same_one_is_made() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let one = world.version(&prompt, &json!({ "template_text": "one" })).await;
    let two = world.version(&prompt, &json!({ "template_text": "two" })).await;
    promote(&world, &prompt, &one, None, "").await.expect(200);
    for expected in 1..6 {
        let (a, b) = tokio::join!(
            promote(&world, &prompt, &one, Some(expected), ""),
            promote(&world, &prompt, &two, Some(expected), "")
        );
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", a.text(), b.text());
    }
}
