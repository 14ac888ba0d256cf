//! 500 prompts that people wrote, for 20 teams: they go in, and come out as they were.

use std::{collections::BTreeMap, future::Future};

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    ALONE,
    api::{Api, expect, text},
    file, lines, platform, say,
};

const TEAMS: usize = 20;

#[derive(Deserialize)]
struct Given {
    name: String,
    text: String,
}

/// A prompt with the team whose it is.
struct Owned {
    team: String,
    given: Given,
}

/// A key for each team.
type Keys = BTreeMap<String, Api>;

fn prompts() -> Vec<Owned> {
    let given = lines(&file("prompts-500.jsonl")).into_iter().enumerate();
    given.map(|(at, given)| Owned { team: format!("team-{:02}", at % TEAMS + 1), given }).collect()
}

/// Works on all prompts, eight at once, and says how long it took.
async fn each<'a, F: Future<Output = ()>>(what: &str, prompts: &'a [Owned], work: impl Fn(&'a Owned) -> F) {
    let began = Instant::now();
    let done = stream::iter(prompts).map(work).buffer_unordered(8).count().await;
    let took = began.elapsed();
    say(&format!("{what}: {done} prompts in {:.1} s", took.as_secs_f64()));
}

async fn keys(admin: &Api, prompts: &[Owned]) -> Keys {
    let mut keys = Keys::new();
    for prompt in prompts {
        if !keys.contains_key(&prompt.team) {
            keys.insert(prompt.team.clone(), admin.with_key(&prompt.team, "author").await);
        }
    }
    keys
}

/// Makes the prompt and its one version, and puts that into staging.
async fn write(api: &Api, prompt: &Owned) {
    let Owned { team, given } = prompt;
    let made = expect(api.post("/api/prompts", &json!({ "name": given.name, "team_id": team })).await, 201);
    assert_eq!((&made["name"], &made["team_id"]), (&json!(given.name), &json!(team)));
    let path = format!("/api/prompts/{}", text(&made["prompt_id"]));
    let content = json!({ "template_text": given.text, "template_format": "plain", "model_id": "mock/echo" });
    let version = expect(api.post(&format!("{path}/versions"), &content).await, 201);
    let promotion = json!({ "version_id": version["version_id"], "environment": "staging" });
    expect(api.post(&format!("{path}/promote"), &promotion).await, 200);
}

/// Resolves it both ways and compares byte for byte.
async fn compare(api: &Api, Given { name, text }: &Given) {
    let by_query = api.get("/api/resolve", &[("prompt", name), ("env", "staging")]).await;
    let by_body = api.post("/api/resolve", &json!({ "prompt": name, "env": "staging" })).await;
    for answer in [by_query, by_body] {
        let answer = expect(answer, 200);
        assert_eq!((&answer["name"], &answer["resolved_text"]), (&json!(name), &json!(text)));
        assert_eq!(answer["messages"], json!([{ "role": "user", "content": text }]), "{name}");
    }
}

async fn by_name(admin: &Api, Owned { team, given }: &Owned) {
    let address = format!("{team}/{}", given.name);
    let found = expect(admin.get("/api/prompts/by-name", &[("name", &address)]).await, 200);
    assert_eq!((&found["name"], &found["team_id"]), (&json!(given.name), &json!(team)));
    assert_eq!(found["environments"][0]["version_number"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_prompts_go_in_and_resolve_byte_for_byte_the_same() {
    let _alone = ALONE.lock().await;
    let prompts = prompts();
    let syntax = |open: &str| prompts.iter().filter(|prompt| prompt.given.text.contains(open)).count();
    let (braces, comments) = (syntax("{{"), syntax("{#"));
    assert_eq!(prompts.len(), 500);
    assert!(braces > 0 && comments > 0, "no prompt would show what a template language does to it");
    say(&format!("{} prompts, {braces} with {{{{ and {comments} with {{# in their text", prompts.len()));

    let folder = TempDir::new().unwrap();
    let first = platform(&folder).await;
    let admin = Api::admin(&first);
    let keys = keys(&admin, &prompts).await;
    each("made, written and promoted", &prompts, |prompt| write(&keys[&prompt.team], prompt)).await;
    each("resolved twice", &prompts, |prompt| compare(&keys[&prompt.team], &prompt.given)).await;
    each("found by name as the admin", &prompts, |prompt| by_name(&admin, prompt)).await;
    first.stop().await;

    let began = Instant::now();
    let second = platform(&folder).await;
    let keys: Keys = keys.into_iter().map(|(team, api)| (team, api.at(&second))).collect();
    compare(&keys[&prompts[0].team], &prompts[0].given).await;
    say(&format!(
        "first answer {:.2} s after a start with 500 prompts on disk",
        began.elapsed().as_secs_f64()
    ));
    each("resolved twice after a restart", &prompts, |prompt| compare(&keys[&prompt.team], &prompt.given))
        .await;
    second.stop().await;
}
