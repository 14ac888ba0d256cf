//! All prompts as flags at once: which they are, when they count as unchanged, and how many there may be.

use std::time::Duration;

use e2e::{ADMIN, Answer, Call, text};
use serde_json::{Value, json};
use testkit::fault::{Fault, Rule};

use crate::stage::{Stage, ada, all, at, one, without_token};

fn keys(answer: &Answer) -> Vec<String> {
    let flags = answer.expect(200)["flags"].as_array().unwrap().clone();
    flags.iter().map(|flag| text(&flag["key"]).to_owned()).collect()
}

impl Stage {
    /// What a client is told that has this already.
    async fn again(&self, tag: &str, context: &Value) -> Answer {
        self.call(all(context).header("if-none-match", tag)).await
    }
}

#[tokio::test]
async fn they_are_what_the_key_may_read_and_what_is_live_in_the_environment() {
    let stage = Stage::start().await;
    stage.greeter("first").await;
    let (archived, _) = stage.greeter("archived").await;
    stage.world.admin(Call::delete(at(&archived, ""))).await.expect(200);
    stage.world.prompt("support", "draft", &json!({})).await;
    let staged = stage.world.prompt("support", "staged", &json!({})).await;
    let version = stage.world.version(&staged, &json!({ "template_text": "x" })).await;
    stage.world.promote(&staged, &version, "staging").await.expect(200);
    let theirs = stage.world.prompt("sales", "theirs", &json!({})).await;
    let version = stage.world.version(&theirs, &json!({ "template_text": "x" })).await;
    stage.world.promote(&theirs, &version, "production").await.expect(200);
    let (renamed, _) = stage.greeter("before").await;
    stage.world.admin(Call::patch(at(&renamed, ""), &json!({ "name": "team/after" }))).await.expect(200);

    let answer = stage.evaluate_all(&ada()).await;
    let mut found = keys(&answer);
    found.sort();
    assert_eq!(found, ["archived", "first", "team/after"]);
    assert_eq!(answer.json()["metadata"], json!({}));
    for flag in answer.json()["flags"].as_array().unwrap() {
        let alone = stage.evaluate(text(&flag["key"]), &ada()).await.expect(200);
        if flag["key"] == "archived" {
            assert_eq!((flag, &flag["reason"]), (&alone, &json!("DISABLED")));
        } else {
            assert_eq!(without_token(flag.clone()), without_token(alone));
        }
    }
    let staging = stage.call(all(&ada()).header("cuecard-environment", "staging")).await;
    assert_eq!(keys(&staging), ["staged"]);
    let nowhere = stage.call(all(&ada()).header("cuecard-environment", "eu-1")).await;
    assert_eq!(nowhere.expect(200), json!({ "flags": [], "metadata": {} }));
}

#[tokio::test]
async fn a_key_for_all_teams_is_told_names_with_their_teams() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    let theirs = stage.world.prompt("sales", "greeter", &json!({})).await;
    let version = stage.world.version(&theirs, &json!({ "template_text": "x" })).await;
    stage.world.promote(&theirs, &version, "production").await.expect(200);
    let mut found = keys(&stage.world.call(all(&ada()).key(ADMIN)).await);
    found.sort();
    assert_eq!(found, ["sales/greeter", "support/greeter"]);
    for key in found {
        stage.world.call(one(&key, &ada()).key(ADMIN)).await.expect(200);
    }
}

#[tokio::test]
async fn one_that_cannot_be_rendered_for_this_context_spoils_no_other() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.live("plain", &json!({ "template_text": "x" })).await;
    let flags = stage.evaluate_all(&json!({ "targetingKey": "user-1" })).await.expect(200)["flags"].clone();
    let of = |key: &str| flags.as_array().unwrap().iter().find(|flag| flag["key"] == key).unwrap();
    assert_eq!(of("plain")["value"]["text"], "x");
    assert_eq!(of("greeter")["errorCode"], "INVALID_CONTEXT");
    assert!(text(&of("greeter")["errorDetails"]).contains("name"), "{flags}");
}

#[tokio::test]
async fn a_body_that_does_not_read_is_refused_as_a_whole() {
    let stage = Stage::start().await;
    for (context, code) in
        [(json!({ "name": "Ada" }), "TARGETING_KEY_MISSING"), (json!("Ada"), "INVALID_CONTEXT")]
    {
        let failure = stage.evaluate_all(&context).await.expect(400);
        assert_eq!((&failure["errorCode"], failure.get("key")), (&json!(code), None), "{failure}");
    }
}

#[tokio::test]
async fn the_same_answers_are_304_for_whoever_has_them() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    stage.tried("tried").await;
    let first = stage.evaluate_all(&ada()).await;
    let tag = first.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    assert_ne!(first.body, stage.evaluate_all(&ada()).await.body, "each has tokens of its own");
    stage.world.clock.advance(Duration::from_secs(30));
    for asked in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again = stage.again(&asked, &ada()).await;
        assert_eq!((again.status.as_u16(), again.text().as_str(), again.header("etag")), (304, "", tag));
    }
    let unused = json!({ "targetingKey": "user-1", "name": "Ada", "colour": "red" });
    assert_eq!(stage.again(tag, &unused).await.status, 304, "nothing that is answered depends on it");
    assert_eq!(stage.again("\"other\"", &ada()).await.expect(200)["flags"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_tag_changes_with_each_of_the_answers() {
    let stage = Stage::start().await;
    let (prompt, _) = stage.greeter("greeter").await;
    let mut tag = stage.evaluate_all(&ada()).await.header("etag").to_owned();
    let version = stage.world.version(&prompt, &json!({ "template_text": "Hi {{ name }}" })).await;
    let promotion = json!({ "version_id": version["version_id"], "environment": "production" });
    let overrides = Call::put(at(&prompt, "/environments/production/overrides"), &json!({ "max_tokens": 7 }));
    let rename = Call::patch(at(&prompt, ""), &json!({ "name": "welcomer" }));
    for change in [
        Call::post(at(&prompt, "/promote"), &promotion),
        overrides,
        rename,
        Call::post(at(&prompt, "/rollback"), &json!({ "environment": "production" })),
        Call::delete(at(&prompt, "")),
        Call::post(at(&prompt, "/restore"), &json!({})),
    ] {
        let named = format!("{change:?}");
        let changed = stage.world.admin(change).await;
        assert!(changed.status.is_success(), "{named}: {}", changed.text());
        let next = stage.again(&tag, &ada()).await;
        assert_eq!(next.status, 200, "{named}");
        next.header("etag").clone_into(&mut tag);
    }
    // The list is read anew after a moment.
    stage.greeter("another").await;
    stage.world.clock.advance(cache::FRESH + Duration::from_millis(1));
    tag = stage.again(&tag, &ada()).await.header("etag").to_owned();
    assert_eq!(stage.again(&tag, &ada()).await.status, 304);
    assert_eq!(stage.again(&tag, &json!({ "targetingKey": "user-1", "name": "Bob" })).await.status, 200);
    stage.tried("tried").await;
    stage.world.clock.advance(cache::FRESH + Duration::from_millis(1));
    let mut tags = std::collections::BTreeSet::new();
    for number in 0..20 {
        let context = json!({ "targetingKey": number.to_string(), "name": "Ada" });
        tags.insert(stage.evaluate_all(&context).await.header("etag").to_owned());
    }
    assert_eq!(tags.len(), 2, "one for each arm");
}

#[tokio::test]
async fn more_than_can_be_sent_or_listed_is_refused() {
    let stage = Stage::start().await;
    // A byte that JSON writes in six, and each answer has it twice.
    let content = json!({ "template_format": "plain", "template_text": "\u{1}".repeat(40 << 10) });
    for number in 0..8 {
        stage.live(&format!("long-{number}"), &content).await;
    }
    stage.evaluate_all(&ada()).await.expect(200);
    stage.live("too-much", &content).await;
    stage.world.clock.advance(cache::FRESH + Duration::from_millis(1));
    let refused = stage.evaluate_all(&ada()).await.expect(400);
    assert!(
        refused["errorCode"] == "GENERAL" && text(&refused["errorDetails"]).contains("bytes"),
        "{refused}"
    );

    let key = stage.world.key("many", "resolver").await;
    let ask = async || {
        stage.world.clock.advance(cache::FRESH + Duration::from_millis(1));
        stage.world.call(all(&ada()).key(&key)).await
    };
    for number in 0..cache::MOST_LISTED {
        stage.world.prompt("many", &number.to_string(), &json!({})).await;
    }
    ask().await.expect(200);
    stage.world.prompt("many", "one more", &json!({})).await;
    let refused = ask().await.expect(400);
    assert!(refused["errorCode"] == "GENERAL" && text(&refused["errorDetails"]).contains("500"), "{refused}");
}

#[tokio::test]
async fn through_an_outage_they_are_what_was_known_and_else_500() {
    let stage = Stage::start().await;
    stage.greeter("greeter").await;
    let before = stage.evaluate_all(&ada()).await;
    let knows_nothing = stage.world.another_process().await;
    stage.world.faults().add(Rule::all(Fault::Exception("AccessDeniedException")));
    stage.world.clock.advance(Duration::from_mins(5));
    let answer = stage.evaluate_all(&ada()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cuecard-source")), (200, "stale"));
    assert_eq!(answer.header("etag"), before.header("etag"));
    let failure = stage.evaluate_all_by(&knows_nothing, &ada()).await.expect(500);
    assert!(failure["errorDetails"].is_string(), "{failure}");
}
