//! What resolve refuses, and how.

use e2e::{Call, text};
use serde_json::{Value, json};

use crate::scene::{Scene, pointers, resolve};

/// A problem without what differs from request to request.
fn shape(mut problem: Value) -> Value {
    problem.as_object_mut().unwrap().remove("instance").unwrap();
    problem
}

#[tokio::test]
async fn a_foreign_prompt_looks_like_none_whatever_is_asked_of_it() {
    let scene = Scene::start().await;
    let prompt = scene.greeter("greeter").await;
    let draft = scene.world.prompt("support", "draft", &json!({})).await;
    let foreign = scene.world.key("sales", "resolver").await;
    let nothing = "prm_01KAFQ7CG0AAAAAAAAAAAAAAAA";
    let unknown = scene.world.call(resolve(&[("prompt", nothing)]).key(&foreign)).await;
    let unknown = shape(unknown.refused(404, "no-such-prompt"));
    let (id, draft) = (text(&prompt["prompt_id"]), text(&draft["prompt_id"]));
    for address in [id, draft, nothing, "greeter", "support/greeter", "prm_x"] {
        for more in [
            &[] as &[(&str, &str)],
            &[("variables", "{}")],
            &[("min_revision", "1")],
            &[("min_revision", "99")],
            &[("continue", "forged")],
            &[("env", "staging"), ("min_revision", "7")],
        ] {
            let query: Vec<_> = [("prompt", address)].iter().chain(more).copied().collect();
            let answer = scene.world.call(resolve(&query).key(&foreign)).await;
            assert_eq!(shape(answer.refused(404, "no-such-prompt")), unknown, "{query:?}");
        }
    }
    scene
        .world
        .call(resolve(&[("prompt", id), ("variables", r#"{"name": "Ada"}"#)]).key(&scene.key))
        .await
        .expect(200);
}

#[tokio::test]
async fn what_is_not_live_there_is_told_from_what_does_not_exist() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    scene.world.prompt("support", "draft", &json!({})).await;
    let query = [("prompt", "greeter"), ("env", "staging")];
    let refused = scene.get(&query).await.refused(404, "not-live");
    assert!(text(&refused["detail"]).contains("staging"), "{refused}");
    scene.get(&[("prompt", "draft")]).await.refused(404, "not-live");
    scene.get(&[("prompt", "draught")]).await.refused(404, "no-such-prompt");
}

#[tokio::test]
async fn a_locked_environment_that_holds_nothing_is_not_live() {
    let scene = Scene::start().await;
    let prompt = scene.world.prompt("support", "draft", &json!({})).await;
    let path = format!("/api/prompts/{}/environments/production/lock", text(&prompt["prompt_id"]));
    scene.world.admin(Call::put(path, &json!({ "reason": "holidays" }))).await.expect(200);
    scene.get(&[("prompt", "draft")]).await.refused(404, "not-live");
}

#[tokio::test]
async fn an_archived_prompt_is_gone_until_it_is_restored() {
    let scene = Scene::start().await;
    let live = scene.live("greeter", r#"{"template_text": "x"}"#).await;
    let draft = scene.world.prompt("support", "draft", &json!({})).await;
    scene.get(&[("prompt", "draft")]).await.refused(404, "not-live");
    for prompt in [&live, &draft] {
        scene
            .world
            .admin(Call::delete(format!("/api/prompts/{}", text(&prompt["prompt_id"]))))
            .await
            .expect(200);
    }
    scene.get(&[("prompt", "greeter")]).await.refused(410, "archived");
    scene.world.clock.advance(cache::FRESH + std::time::Duration::from_millis(1));
    scene.get(&[("prompt", "draft")]).await.refused(410, "archived");
    let path = format!("/api/prompts/{}/restore", text(&live["prompt_id"]));
    scene.world.admin(Call::post(path, &json!({}))).await.expect(200);
    scene.get(&[("prompt", "greeter")]).await.expect(200);
}

#[tokio::test]
async fn unknown_and_ill_formed_fields_are_refused_at_their_place() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    for (name, value, pointer) in [
        ("variable", "{}", "/variable"),
        ("env", "Production", "/env"),
        ("env", "", "/env"),
        ("min_revision", "-1", "/min_revision"),
        ("min_revision", "new", "/min_revision"),
        ("fields", "tokens", "/fields"),
        ("variables", "[1]", "/variables"),
        ("continue", "", "/continue"),
    ] {
        let refused = scene.get(&[("prompt", "greeter"), (name, value)]).await.refused(422, "invalid");
        assert_eq!(pointers(&refused), [pointer], "{refused}");
    }
    for (name, value, pointer) in [
        ("variable", json!({}), "/variable"),
        ("env", json!("Production"), "/env"),
        ("env", json!(1), "/env"),
        ("min_revision", json!(-1), "/min_revision"),
        ("min_revision", json!("1"), "/min_revision"),
        ("fields", json!("tokens"), "/fields"),
        ("variables", json!([1]), "/variables"),
        ("variables", json!("{}"), "/variables"),
        ("user_id", json!(7), "/user_id"),
        ("continue", json!("x"), "/continue"),
    ] {
        let mut body = json!({ "prompt": "greeter" });
        body[name] = value;
        let refused = scene.post(&body).await.refused(422, "invalid");
        assert_eq!(pointers(&refused), [pointer], "{refused}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_400() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    scene.render("greeter", r#"{"name": "#).await.refused(400, "malformed-json");
    let broken =
        Call::new("POST".parse().unwrap(), "/api/resolve").bytes("application/json", "{\"prompt\": ");
    scene.call(broken).await.refused(400, "malformed-json");
}

#[tokio::test]
async fn variables_that_are_too_long_for_a_url_are_sent_in_a_body() {
    let scene = Scene::start().await;
    scene.greeter("greeter").await;
    let long = "x".repeat(8 << 10);
    let refused =
        scene.render("greeter", &format!(r#"{{"name": "{long}"}}"#)).await.refused(414, "url-too-long");
    assert!(text(&refused["detail"]).contains("POST"), "{refused}");
    let body = json!({ "prompt": "greeter", "variables": { "name": long } });
    assert_eq!(scene.post(&body).await.expect(200)["resolved_text"], format!("Hello {long}"));
    let body = json!({ "prompt": "greeter", "variables": { "name": "x".repeat(256 << 10) } });
    let refused = scene.post(&body).await.refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/variables"]);
    let body = json!({ "prompt": "greeter", "variables": { "name": "x".repeat(1 << 20) } });
    scene.post(&body).await.refused(413, "too-large");
}

#[tokio::test]
async fn nobody_resolves_without_a_live_key() {
    let scene = Scene::start().await;
    scene.live("greeter", r#"{"template_text": "x"}"#).await;
    for call in [
        resolve(&[("prompt", "greeter")]),
        Call::get("/api/resolve/greeter"),
        Call::post("/api/resolve/greeter", &json!({})),
        Call::post("/api/resolve", &json!({ "nonsense": 1 })),
        Call::post("/api/resolve:batch", &json!({ "requests": [] })),
    ] {
        scene.world.call(call.clone()).await.refused(401, "unauthenticated");
        scene.world.call(call.key("cue_nobody_secret")).await.refused(401, "unauthenticated");
    }
}
