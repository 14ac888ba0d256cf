//! Naming prompts: by id, by any name, by `team/name`; names are for ever.

use std::{fmt::Write as _, time::Duration};

use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers};

/// Every byte as `%XX`.
fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "%{byte:02X}").unwrap();
        out
    })
}

fn named(name: &str) -> String {
    format!("/api/prompts/by-name?name={}", encoded(name))
}

async fn live(world: &World, team: &str, name: &str) -> Value {
    let prompt = world.prompt(team, name, &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": name, "template_format": "plain" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    prompt
}

#[tokio::test]
async fn any_printable_name_is_found_by_query_and_body() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let longest = "я".repeat(200);
    for name in [
        "plain",
        "team/name",
        "a/b/c",
        "two words",
        "ключ 🗝",
        "50% off?&x=y#z",
        "{braces} \"quotes\" <b>",
        "by-name",
        ".",
        "..",
        "x/versions",
        &longest,
    ] {
        let prompt = live(&world, "a", name).await;
        assert_eq!(prompt["name"], *name);
        let found = world.call(Call::get(named(name)).key(&key)).await.expect(200);
        assert_eq!(found["prompt_id"], prompt["prompt_id"], "{name}");
        let by_query = format!("/api/resolve?prompt={}", encoded(name));
        let by_team = format!("/api/resolve?prompt={}", encoded(&format!("a/{name}")));
        let by_id = format!("/api/resolve/{}", text(&prompt["prompt_id"]));
        for path in [by_query, by_team, by_id] {
            let resolved = world.call(Call::get(path).key(&key)).await.expect(200);
            assert_eq!((&resolved["resolved_text"], &resolved["name"]), (&json!(name), &json!(name)));
        }
        let body = json!({ "prompt": name });
        let resolved = world.call(Call::post("/api/resolve", &body).key(&key)).await.expect(200);
        assert_eq!(resolved["prompt_id"], prompt["prompt_id"], "{name}");
    }
}

#[tokio::test]
async fn a_name_of_plain_characters_stands_in_a_path() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let name = "Support.classifier_v2-EU";
    let prompt = live(&world, "a", name).await;
    for rest in ["", "/versions", "/history", "/environments/production", "/evals", "/diff?from=1&to=1"] {
        world.call(Call::get(format!("/api/prompts/{name}{rest}")).key(&key)).await.expect(200);
    }
    let resolved = world.call(Call::get(format!("/api/resolve/{name}")).key(&key)).await.expect(200);
    assert_eq!(resolved["prompt_id"], prompt["prompt_id"]);
    world.call(Call::post(format!("/api/resolve/{name}"), &json!({})).key(&key)).await.expect(200);
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    let world = api::start().await;
    let ids =
        ["prm", "ver", "tst", "evl", "exp", "rol", "evt", "key", "aud", "whk"].map(|id| format!("{id}_x"));
    let too_long = "n".repeat(201);
    let others = ["", " a", "a ", "a\nb", "a\u{7}", &too_long].map(str::to_owned);
    for name in ids.iter().chain(&others) {
        let call = Call::post("/api/prompts", &json!({ "name": name, "team_id": "a" }));
        assert_eq!(pointers(&world.admin(call).await.refused(422, "invalid")), ["/name"], "{name}");
    }
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let call = Call::patch(at(&prompt, ""), &json!({ "name": "prm_x" }));
    assert_eq!(pointers(&world.admin(call).await.refused(422, "invalid")), ["/name"]);
    for team in ["", "A", "a b", "a/b", &"t".repeat(65)] {
        let call = Call::post("/api/prompts", &json!({ "name": "x", "team_id": team }));
        assert_eq!(pointers(&world.admin(call).await.refused(422, "invalid")), ["/team_id"], "{team}");
    }
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    for environment in ["", "-a", "Prod", "a b", &"e".repeat(37)] {
        let body = json!({ "version_id": version["version_id"], "environment": environment });
        let problem = world.admin(Call::post(at(&prompt, "/promote"), &body)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/environment"], "{environment}");
    }
    for environment in ["0", "eu-1.prod_x", &"e".repeat(36)] {
        world.promote(&prompt, &version, environment).await.expect(200);
    }
}

#[tokio::test]
async fn a_name_is_taken_once_in_a_team_and_again_in_another() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let create = |team: &str| Call::post("/api/prompts", &json!({ "name": "greeter", "team_id": team }));
    world.call(create("a").key(&key)).await.expect(201);
    let problem = world.call(create("a").key(&key)).await.refused(409, "name-taken");
    assert_eq!(pointers(&problem), ["/name"]);
    world.admin(create("b")).await.expect(201);
}

#[tokio::test]
async fn a_bare_name_that_several_teams_have_must_say_which() {
    let world = api::start().await;
    let [ours, theirs] = [live(&world, "a", "greeter").await, live(&world, "b", "greeter").await];
    live(&world, "b", "only").await;
    let key = world.key("*", "author").await;
    for path in ["/api/prompts/greeter", "/api/resolve?prompt=greeter", "/api/prompts/greeter/versions"] {
        let problem = world.call(Call::get(path).key(&key)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/prompt"], "{path}");
        assert!(text(&problem["detail"]).contains("team/greeter"), "{problem}");
    }
    for (path, prompt) in [("a%2Fgreeter", &ours), ("b%2Fgreeter", &theirs)] {
        let found = world.call(Call::get(format!("/api/prompts/{path}")).key(&key)).await.expect(200);
        assert_eq!(found["prompt_id"], prompt["prompt_id"]);
    }
    world.call(Call::get("/api/prompts/only").key(&key)).await.expect(200);
    let one_team = world.key("b", "author").await;
    let found = world.call(Call::get("/api/prompts/greeter").key(&one_team)).await.expect(200);
    assert_eq!(found["prompt_id"], theirs["prompt_id"], "a bare name is of the key's own team");
}

#[tokio::test]
async fn a_rename_leaves_an_alias_that_nobody_else_can_take() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let prompt = live(&world, "a", "old").await;
    let other = world.prompt("a", "other", &json!({})).await;
    let rename = |prompt: &Value, name: &str| Call::patch(at(prompt, ""), &json!({ "name": name })).key(&key);
    let renamed = world.call(rename(&prompt, "new")).await.expect(200);
    assert_eq!(renamed["name"], "new");
    for name in ["old", "new"] {
        let found = world.call(Call::get(named(name)).key(&key)).await.expect(200);
        assert_eq!((&found["prompt_id"], &found["name"]), (&prompt["prompt_id"], &json!("new")), "{name}");
        let resolved = world.call(Call::get(format!("/api/resolve/{name}")).key(&key)).await.expect(200);
        assert_eq!(resolved["name"], "new", "{name}");
    }
    let create = Call::post("/api/prompts", &json!({ "name": "old", "team_id": "a" })).key(&key);
    world.call(create).await.refused(409, "name-taken");
    world.call(rename(&other, "old")).await.refused(409, "name-taken");
    world.call(rename(&other, "new")).await.refused(409, "name-taken");
    let back = world.call(rename(&prompt, "old")).await.expect(200);
    assert_eq!(back["name"], "old", "a prompt may take its own former name again");
    let listed = world.call(Call::get("/api/prompts").key(&key)).await.expect(200);
    let names: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|prompt| text(&prompt["name"])).collect();
    assert_eq!(names, ["old", "other"], "an alias is no prompt of its own");
}

#[tokio::test]
async fn a_name_that_was_just_made_is_found_by_every_process_within_a_second() {
    let world = api::start().await;
    let key = world.key("a", "author").await;
    let other = api::checked(world.another_process().await.router);
    let resolve = || Call::get("/api/resolve/greeter").key(&key);
    resolve().send(&other).await.refused(404, "no-such-prompt");
    live(&world, "a", "greeter").await;
    world.clock.advance(Duration::from_secs(1));
    resolve().send(&other).await.expect(200);
}
