//! The headers of an answer, and answers that the caller has already.

use std::{collections::HashSet, time::Duration};

use e2e::{Answer, Call};
use serde_json::json;

use crate::scene::{Scene, resolve};

const ADA: [(&str, &str); 3] =
    [("prompt", "greeter"), ("variables", r#"{"name": "Ada"}"#), ("user_id", "ada")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    ADA.iter().chain(more).copied().collect()
}

fn told(answer: &Answer) -> [&str; 3] {
    ["cuecard-revision", "cuecard-age-ms", "cuecard-source"].map(|name| answer.header(name))
}

#[tokio::test]
async fn an_answer_says_how_fresh_it_is_and_how_long_it_may_be_kept() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let other = scene.world.another_process().await;
    let ask = async || resolve(&ADA).key(&scene.key).send(&other.router).await;
    let first = ask().await;
    assert_eq!(told(&first), ["1", "0", "table"]);
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("cache-control"), "private, max-age=1, stale-if-error=86400");
    assert_eq!(first.header("vary"), "Authorization, X-API-Key");
    assert_eq!(told(&ask().await), ["1", "0", "memory"]);
    scene.world.clock.advance(Duration::from_millis(123));
    assert_eq!(told(&ask().await), ["1", "123", "memory"]);
    scene.world.clock.advance(Duration::from_secs(1));
    assert_eq!(told(&ask().await), ["1", "0", "table"]);
}

#[tokio::test]
async fn the_tag_covers_all_but_the_token() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let (first, second) = (scene.get(&ADA).await, scene.get(&ADA).await);
    assert!(first.header("etag").starts_with('"') && first.header("etag").ends_with('"'));
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_ne!(first.json()["resolution_token"], second.json()["resolution_token"]);
    let posted =
        scene.post(&json!({ "prompt": "greeter", "variables": { "name": "Ada" }, "user_id": "ada" })).await;
    assert_eq!(
        first.header("etag"),
        posted.header("etag"),
        "the same answer has the same tag, however asked for"
    );
    scene.world.clock.advance(Duration::from_secs(2));
    assert_eq!(first.header("etag"), scene.get(&ADA).await.header("etag"));
}

#[tokio::test]
async fn the_tag_changes_with_all_that_changes_the_answer() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let mut tags = Vec::new();
    for query in [
        with(&[]),
        vec![("prompt", "greeter"), ("variables", r#"{"name": "Bob"}"#), ("user_id", "ada")],
        vec![("prompt", "greeter"), ("variables", r#"{"name": "Ada", "extra": 1}"#), ("user_id", "ada")],
        with(&[("fields", "text")]),
        with(&[("fields", "messages")]),
        vec![ADA[0], ADA[1], ("request_id", "r")],
    ] {
        tags.push(scene.get(&query).await.header("etag").to_owned());
    }
    let again = scene.version(&prompt, r#"{"template_text": "Hello {{ name }}", "max_tokens": 7}"#).await;
    scene.world.promote(&prompt, &again, "staging").await.expect(200);
    tags.push(scene.get(&with(&[("env", "staging")])).await.header("etag").to_owned());
    scene.world.promote(&prompt, &again, "production").await.expect(200);
    tags.push(scene.get(&ADA).await.header("etag").to_owned());
    assert_eq!(tags.iter().collect::<HashSet<_>>().len(), tags.len(), "{tags:?}");
}

#[tokio::test]
async fn an_answer_to_nobody_has_no_tag() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    for unit in [[].as_slice(), &[("user_id", " ")]] {
        let query: Vec<_> = ADA[..2].iter().chain(unit).copied().collect();
        let answer = scene.call(resolve(&query).header("if-none-match", "*")).await;
        assert_eq!(answer.status.as_u16(), 200);
        assert_eq!(answer.header("etag"), "");
    }
}

#[tokio::test]
async fn a_caller_who_has_the_answer_gets_its_headers_and_a_fresh_token() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let whole = scene.get(&ADA).await;
    let tag = whole.header("etag");
    for condition in [tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
        let answer = scene.call(resolve(&ADA).header("if-none-match", condition)).await;
        assert_eq!(answer.status.as_u16(), 304, "{condition}");
        assert!(answer.body.is_empty());
        for name in ["etag", "cache-control", "vary", "cuecard-revision", "cuecard-age-ms"] {
            assert_eq!(answer.header(name), whole.header(name), "{name}");
        }
        let token = answer.header("cuecard-resolution-token");
        assert!(!token.is_empty() && token != e2e::text(&whole.json()["resolution_token"]));
        scene.get(&with(&[("continue", token)])).await.expect(200);
    }
    for condition in ["\"other\"", tag.trim_matches('"'), ""] {
        scene.call(resolve(&ADA).header("if-none-match", condition)).await.expect(200);
    }
    let other = resolve(&with(&[("fields", "text")])).header("if-none-match", tag);
    assert!(scene.call(other).await.expect(200)["resolved_text"].is_string());
}

#[tokio::test]
async fn a_caller_who_has_an_older_answer_gets_the_new_one() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let tag = scene.get(&ADA).await.header("etag").to_owned();
    let next = scene.version(&prompt, r#"{"template_text": "Bye {{ name }}"}"#).await;
    scene.world.promote(&prompt, &next, "production").await.expect(200);
    let call = || resolve(&ADA).header("if-none-match", &tag);
    assert_eq!(scene.call(call()).await.expect(200)["resolved_text"], "Bye Ada");
    scene.world.roll_back(&prompt, "production").await.expect(200);
    // The text is the old one again, but not its revision.
    assert_eq!(scene.call(call()).await.expect(200)["revision"], 3);
}

#[tokio::test]
async fn a_refusal_has_none_of_the_headers_that_let_it_be_kept() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let refused = scene.call(Call::get("/api/resolve/greeter").header("if-none-match", "*")).await;
    refused.refused(422, "invalid");
    for name in ["etag", "cache-control", "cuecard-revision", "cuecard-resolution-token"] {
        assert_eq!(refused.header(name), "", "{name}");
    }
}
