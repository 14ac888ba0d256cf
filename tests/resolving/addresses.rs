//! How a prompt is named, in paths, queries and bodies.

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::scene::{Scene, pointers, resolve};

#[tokio::test]
async fn every_way_of_naming_a_prompt_leads_to_it() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("support.greeter-1_x").await;
    let id = text(&prompt["prompt_id"]);
    let body = json!({ "variables": { "name": "Ada" } });
    for address in [id, "support.greeter-1_x", "support/support.greeter-1_x"] {
        let mut whole = body.clone();
        whole["prompt"] = json!(address);
        let mut calls = vec![
            resolve(&[("prompt", address), ("variables", r#"{"name": "Ada"}"#)]),
            Call::post("/api/resolve", &whole),
        ];
        if !address.contains('/') {
            let path = format!("/api/resolve/{address}");
            calls.push(Call::get(format!("{path}?variables=%7B%22name%22:%22Ada%22%7D")));
            calls.push(Call::post(path, &body));
        }
        for call in calls {
            let answer = scene.call(call.clone()).await.expect(200);
            assert_eq!(
                (&answer["prompt_id"], &answer["resolved_text"]),
                (&prompt["prompt_id"], &json!("Hello Ada")),
                "{call:?}"
            );
        }
    }
}

#[tokio::test]
async fn names_with_slashes_blanks_and_unicode_go_in_the_query_or_the_body() {
    let scene = Scene::start().await;
    for name in ["faq/billing/refunds", "support/faq", "two words", "a+b&c=d%20#?", "ключ 🗝", "ünïcode"]
    {
        let prompt = scene.live(name, r#"{"template_text": "x"}"#).await;
        for address in [name.to_owned(), format!("support/{name}")] {
            let got = scene.get(&[("prompt", &address)]).await.expect(200);
            assert_eq!((&got["prompt_id"], &got["name"]), (&prompt["prompt_id"], &json!(name)), "{address}");
            let posted = scene.post(&json!({ "prompt": address })).await.expect(200);
            assert_eq!(posted["prompt_id"], prompt["prompt_id"], "{address}");
        }
    }
}

#[tokio::test]
async fn a_former_name_still_leads_to_its_prompt() {
    let scene = Scene::start().await;
    let prompt = scene.live("before", r#"{"template_text": "x"}"#).await;
    let path = format!("/api/prompts/{}", text(&prompt["prompt_id"]));
    scene.world.admin(Call::patch(path, &json!({ "name": "after" }))).await.expect(200);
    for name in ["before", "after"] {
        let answer = scene.get(&[("prompt", name)]).await.expect(200);
        assert_eq!((&answer["prompt_id"], &answer["name"]), (&prompt["prompt_id"], &json!("after")));
    }
}

#[tokio::test]
async fn a_key_for_all_teams_says_the_team_where_a_name_is_not_unique() {
    let scene = Scene::start().await;
    let all = scene.world.key("*", "admin").await;
    let mut ids = Vec::new();
    for team in ["support", "sales"] {
        let prompt = scene.world.prompt(team, "shared", &json!({})).await;
        let version = scene.version(&prompt, r#"{"template_text": "x"}"#).await;
        scene.world.promote(&prompt, &version, "production").await.expect(200);
        ids.push(prompt["prompt_id"].clone());
    }
    scene.live("only", r#"{"template_text": "x"}"#).await;
    let ask = |name: &'static str| scene.world.call(resolve(&[("prompt", name)]).key(&all));
    let ambiguous = ask("shared").await.refused(422, "invalid");
    assert!(text(&ambiguous["detail"]).contains("team/shared"), "{ambiguous}");
    assert_eq!(ask("support/shared").await.expect(200)["prompt_id"], ids[0]);
    assert_eq!(ask("sales/shared").await.expect(200)["prompt_id"], ids[1]);
    ask("only").await.expect(200);
    assert_eq!(
        scene.get(&[("prompt", "shared")]).await.expect(200)["prompt_id"],
        ids[0],
        "a team's own comes first"
    );
}

#[tokio::test]
async fn a_prompt_is_named_exactly_once() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let nowhere = scene.get(&[]).await.refused(422, "invalid");
    let empty = scene.get(&[("prompt", "")]).await.refused(422, "invalid");
    let in_body = scene.post(&json!({})).await.refused(422, "invalid");
    let twice = scene.call(Call::get("/api/resolve/greeter?prompt=greeter")).await.refused(422, "invalid");
    let both = Call::post("/api/resolve/greeter", &json!({ "prompt": "greeter" }));
    let both = scene.call(both).await.refused(422, "invalid");
    for refused in [nowhere, empty, in_body, twice, both] {
        assert_eq!(pointers(&refused), ["/prompt"], "{refused}");
    }
}

#[tokio::test]
async fn the_environment_is_production_unless_another_is_asked_for() {
    let scene = Scene::start().await;
    let prompt = scene.live("greeter", r#"{"template_text": "in production"}"#).await;
    let canary = scene.version(&prompt, r#"{"template_text": "in eu-1.canary"}"#).await;
    scene.world.promote(&prompt, &canary, "eu-1.canary").await.expect(200);
    let told = |answer: &Value| (answer["environment"].clone(), answer["resolved_text"].clone());
    let production = (json!("production"), json!("in production"));
    let other = (json!("eu-1.canary"), json!("in eu-1.canary"));
    assert_eq!(told(&scene.get(&[("prompt", "greeter")]).await.expect(200)), production);
    let named = scene.get(&[("prompt", "greeter"), ("env", "production")]).await.expect(200);
    assert_eq!(told(&named), production);
    assert_eq!(told(&scene.get(&[("prompt", "greeter"), ("env", "eu-1.canary")]).await.expect(200)), other);
    let posted = scene.post(&json!({ "prompt": "greeter", "env": "eu-1.canary" })).await.expect(200);
    assert_eq!(told(&posted), other);
}
