//! Bad input: what is no JSON, what breaks a rule and where, what is too large, what is of another kind.

use axum::http::Method;
use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::api::{self, at, pointers, under};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn what_is_no_json_is_400() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    for body in ["{", "{\"name\":", "nonsense", "{} {}", "\u{feff}{}"] {
        for path in ["/api/prompts".to_owned(), at(&prompt, "/versions"), "/api/resolve".to_owned()] {
            let call = Call::new(Method::POST, &path).bytes("application/json", body);
            world.admin(call).await.refused(400, "malformed-json");
        }
    }
    for body in [b"{\"name\": \"\xff\"}" as &[u8], b"{\"name\": \"\\ud800\"}"] {
        let call = Call::new(Method::POST, "/api/prompts").bytes("application/json", body);
        world.admin(call).await.refused(400, "malformed-json");
    }
    let query = Call::get("/api/resolve/greeter?variables=%7Bname");
    world.admin(query).await.refused(400, "malformed-json");
}

async fn refused_at(world: &World, call: Call, expected: &[&str]) {
    let name = format!("{call:?}");
    let problem = world.admin(call).await.refused(422, "invalid");
    assert_eq!(pointers(&problem), expected, "{name}: {problem}");
}

#[tokio::test]
async fn a_wrong_field_of_a_prompt_is_named() {
    let world = api::start().await;
    for (body, expected) in [
        (json!({}), &[""] as &[_]),
        (json!([]), &[""]),
        (json!({ "team_id": "a" }), &[""]),
        (json!({ "name": "x", "team_id": "a", "nane": 1 }), &["/nane"]),
        (json!({ "name": 5, "team_id": "a" }), &["/name"]),
        (json!({ "name": "", "team_id": "a" }), &["/name"]),
        (json!({ "name": "x", "team_id": "A" }), &["/team_id"]),
        (json!({ "name": "x", "team_id": "a", "tags": ["ok", 5] }), &["/tags/1"]),
        (json!({ "name": "x", "team_id": "a", "tags": ["ok", ""] }), &["/tags/1"]),
        (json!({ "name": "x", "team_id": "a", "test_set_id": "prm_1" }), &["/test_set_id"]),
        (json!({ "name": "x", "team_id": "a", "gate": { "mode": "strict" } }), &["/gate/mode"]),
        (json!({ "name": "x", "team_id": "a", "gate": { "min_pass_rate": 1.1 } }), &["/gate/min_pass_rate"]),
        (
            json!({ "name": "x", "team_id": "a", "gate": { "min_pass_rate": -1, "min_cases": 0 } }),
            &["/gate/min_pass_rate", "/gate/min_cases"],
        ),
        (
            json!({ "name": "x", "team_id": "a", "description": "d".repeat(4097), "tags": [""] }),
            &["/description", "/tags/0"],
        ),
    ] {
        refused_at(&world, Call::post("/api/prompts", &body), expected).await;
    }
}

#[tokio::test]
async fn a_wrong_field_of_a_version_is_named() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let text_with = |more: Value| {
        let mut body = json!({ "template_text": "a", "model_id": "m" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, expected) in [
        (json!({ "template_text": "a" }), &["/model_id"] as &[_]),
        (json!({ "model_id": "m" }), &["/template_text"]),
        (text_with(json!({ "messages": [] })), &["/template_text"]),
        (json!({ "messages": [], "model_id": "m" }), &["/messages"]),
        (json!({ "messages": [], "system_prompt": "s", "model_id": "m" }), &["/messages"]),
        (json!({ "messages": [{ "role": "king", "content": "" }] }), &["/messages/0"]),
        (
            json!({ "messages": [{ "type": "placeholder", "name": "h" }], "variables": [], "model_id": "m" }),
            &["/messages/0/name"],
        ),
        (text_with(json!({ "temprature": 1 })), &["/temprature"]),
        (text_with(json!({ "temperature": 2.1, "max_tokens": 0 })), &["/temperature", "/max_tokens"]),
        (text_with(json!({ "temperature": "warm" })), &["/temperature"]),
        (text_with(json!({ "template_format": "erb" })), &["/template_format"]),
        (text_with(json!({ "few_shot_examples": [{ "input": "i" }] })), &["/few_shot_examples/0"]),
        (
            text_with(json!({ "few_shot_examples": [{ "input": "i", "output": 5 }] })),
            &["/few_shot_examples/0/output"],
        ),
        (text_with(json!({ "params": [] })), &["/params"]),
        (text_with(json!({ "variables": [{ "name": "n", "type": "date" }] })), &["/variables/0/type"]),
        (text_with(json!({ "variables": [{ "name": "n" }, { "name": "n" }] })), &["/variables/1/name"]),
        (
            text_with(json!({ "variables": [{ "name": "n", "type": "number", "default": "x" }] })),
            &["/variables/0/default"],
        ),
        (text_with(json!({ "based_on": "prm_1" })), &["/based_on"]),
        (text_with(json!({ "note": "n".repeat(4097) })), &["/note"]),
    ] {
        refused_at(&world, Call::post(at(&prompt, "/versions"), &body), expected).await;
    }
    for (template, expected) in [
        // The place of the last word: there is none behind it.
        ("{{ name", "line 1, column 4: unexpected end of input"),
        ("a\n  {{ other }}", "line 2, column 6: `other` is not declared"),
        ("{% include 'x' %}", "line 1, column 4: `include` loads another template"),
    ] {
        let body = text_with(json!({ "template_text": template, "variables": [{ "name": "name" }] }));
        let problem = world.admin(Call::post(at(&prompt, "/versions"), &body)).await.refused(422, "invalid");
        assert_eq!(pointers(&problem), ["/template_text"], "{problem}");
        assert!(text(&problem["errors"][0]["detail"]).starts_with(expected), "{problem}");
    }
}

#[tokio::test]
async fn a_wrong_field_of_a_move_is_named() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let other = world.prompt("a", "other", &json!({})).await;
    let of_other = world.version(&other, &json!({ "template_text": "b" })).await["version_id"].clone();
    world.promote(&prompt, &version, "staging").await.expect(200);
    let id = &version["version_id"];
    for (body, expected) in [
        (json!({ "version_id": id }), ""),
        (json!({ "version_id": "ver_1", "environment": "staging" }), "/version_id"),
        (json!({ "version_id": of_other, "environment": "staging" }), "/version_id"),
        (json!({ "version_id": id, "environment": "Staging" }), "/environment"),
        (
            json!({ "version_id": id, "environment": "staging", "expected_revision": -1 }),
            "/expected_revision",
        ),
        (
            json!({ "version_id": id, "environment": "staging", "override": { "reasn": "r" } }),
            "/override/reasn",
        ),
        (
            json!({ "version_id": id, "environment": "staging", "override": { "reason": " " } }),
            "/override/reason",
        ),
        (json!({ "version_id": id, "environment": "staging", "reason": "r".repeat(2001) }), "/reason"),
        (
            json!({ "version_id": id, "environment": "staging", "override": { "reason": "r".repeat(2001) } }),
            "/override/reason",
        ),
    ] {
        refused_at(&world, Call::post(at(&prompt, "/promote"), &body), &[expected]).await;
    }
    let rollback = json!({ "environment": "staging", "target_version_id": of_other });
    refused_at(&world, Call::post(at(&prompt, "/rollback"), &rollback), &["/target_version_id"]).await;
    for (body, expected) in [
        (json!({}), ""),
        (json!({ "reason": "" }), "/reason"),
        (json!({ "reason": "r", "until": "tomorrow" }), "/until"),
        (json!({ "reason": "r", "until": "2026-11-20T06:59:59Z" }), "/until"),
    ] {
        refused_at(&world, Call::put(at(&prompt, "/environments/staging/lock"), &body), &[expected]).await;
    }
}

#[tokio::test]
async fn a_wrong_field_anywhere_else_is_named() {
    let world = api::start().await;
    let key = |more: Value| {
        let mut body = json!({ "team_id": "a", "role": "author", "name": "n" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Call::post("/api/keys", &body)
    };
    let model = |more: Value| {
        let mut body = json!({ "provider": "openai", "input_usd_per_mtok": 1, "output_usd_per_mtok": 2 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Call::put("/api/models/acme/one", &body)
    };
    let draft = json!({ "draft": { "template_text": "a", "model_id": "m", "temperature": 9 } });
    for (call, expected) in [
        (key(json!({ "role": "king" })), "/role"),
        (key(json!({ "team_id": "A b" })), "/team_id"),
        (key(json!({ "name": " " })), "/name"),
        (key(json!({ "expires_at": "2026-11-20T06:00:00Z" })), "/expires_at"),
        (key(json!({ "expires_at": "soon" })), "/expires_at"),
        (model(json!({ "provider": "acme" })), "/provider"),
        (model(json!({ "base_url": "http://example.com" })), "/base_url"),
        (model(json!({ "input_usd_per_mtok": -1 })), "/input_usd_per_mtok"),
        (Call::post("/api/test-sets", &json!({ "name": "", "team_id": "a" })), "/name"),
        (Call::put("/api/teams/A", &json!({})), "/team"),
        (Call::post("/api/resolve", &json!({ "prompt": "a", "fields": "all" })), "/fields"),
        (Call::post("/api/resolve", &json!({})), "/prompt"),
        (Call::post("/api/resolve:batch", &json!({ "requests": [] })), "/requests"),
        (Call::post("/api/try", &json!({})), "/version_id"),
        (Call::post("/api/try", &draft), "/draft/temperature"),
    ] {
        refused_at(&world, call, &[expected]).await;
    }
}

#[tokio::test]
async fn a_wrong_query_or_path_is_named() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    for (path, expected) in [
        ("/api/prompts?nane=x", "/nane"),
        ("/api/prompts?limit=many", "/limit"),
        ("/api/prompts?status=lost", "/status"),
        ("/api/prompts/by-name?name=a&limit=1", "/limit"),
        ("/api/prompts/greeter/history?since=2026-11-20T07:00:00Z", "/since"),
        ("/api/prompts/greeter/diff?from=1&to=ver_1", "/from"),
        ("/api/prompts/greeter/environments/Production", "/environment"),
        ("/api/changes?since=yesterday", "/since"),
        ("/api/evals?status=lost", "/status"),
        ("/api/evals/evl_00000000000000000000000000?wait=26", "/wait"),
        ("/api/evals/evl_1", "/eval_run_id"),
        ("/api/versions/prm_00000000000000000000000000", "/version_id"),
        ("/api/test-sets", "/team_id"),
        ("/api/audit?from=now", "/from"),
        ("/api/keys?team_id=A", "/team_id"),
        ("/api/resolve/greeter?env=Prod", "/env"),
        ("/api/resolve/greeter?environment=staging", "/environment"),
        ("/api/resolve/greeter?min_revision=-1", "/min_revision"),
        ("/api/resolve/greeter?variables=%5B%5D", "/variables"),
        ("/api/resolve/greeter?prompt=greeter", "/prompt"),
        ("/api/resolve", "/prompt"),
    ] {
        refused_at(&world, Call::get(path), &[expected]).await;
    }
    let post =
        Call::post(at(&prompt, "/versions?wait=26"), &json!({ "template_text": "a", "model_id": "m" }));
    refused_at(&world, post, &["/wait"]).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let render = Call::post(under(&version, "/render"), &json!({ "variables": [] }));
    refused_at(&world, render, &["/variables"]).await;
    for path in
        ["/api/resolve/greeter?env=staging", "/api/resolve?env=staging", "/api/resolve:batch?env=staging"]
    {
        let body = json!({ "prompt": "greeter", "requests": [] });
        refused_at(&world, Call::post(path, &body), &["/env"]).await;
    }
}

#[tokio::test]
async fn a_body_over_1_mib_is_413_and_test_sets_may_have_4() {
    let world = api::start().await;
    let padded = |body: &str, size: usize| format!("{body}{}", " ".repeat(size - body.len()));
    let post = |size: usize| {
        let body = padded(r#"{"name":"x","team_id":"a"}"#, size);
        Call::new(Method::POST, "/api/prompts").bytes("application/json", body)
    };
    world.admin(post(MIB + 1)).await.refused(413, "too-large");
    world.admin(post(MIB)).await.expect(201);
    let resolve = Call::new(Method::POST, "/api/resolve").bytes("application/json", padded("{}", MIB + 1));
    world.admin(resolve).await.refused(413, "too-large");
    let set =
        world.admin(Call::post("/api/test-sets", &json!({ "name": "x", "team_id": "a" }))).await.expect(201);
    let put = |size: usize| {
        let path = format!("/api/test-sets/{}/versions", text(&set["test_set_id"]));
        Call::new(Method::PUT, path).bytes("application/jsonl", padded(r#"{"vars":{},"expected":"a"}"#, size))
    };
    world.admin(put(4 * MIB + 1)).await.refused(413, "too-large");
    world.admin(put(4 * MIB)).await.expect(201);
}

#[tokio::test]
async fn another_media_type_is_415() {
    let world = api::start().await;
    let body = r#"{"name":"x","team_id":"a"}"#;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonl", ""] {
        let call = Call::new(Method::POST, "/api/prompts").bytes(media_type, body);
        world.admin(call).await.refused(415, "unsupported-media-type");
    }
    let call = Call::new(Method::POST, "/api/prompts").bytes("application/json; charset=utf-8", body);
    world.admin(call).await.expect(201);
    let set =
        world.admin(Call::post("/api/test-sets", &json!({ "name": "x", "team_id": "a" }))).await.expect(201);
    let path = format!("/api/test-sets/{}/versions", text(&set["test_set_id"]));
    for (media_type, status) in [
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-ndjson", 201),
        ("Application/JSONL", 201),
    ] {
        let call = Call::new(Method::PUT, &path).bytes(media_type, r#"{"vars":{},"expected":"a"}"#);
        assert_eq!(world.admin(call).await.status.as_u16(), status, "{media_type}");
    }
}

#[tokio::test]
async fn a_url_over_6_kib_is_414_and_points_at_post() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let path = "/api/resolve/greeter?user_id=";
    let url = |length: usize| format!("{path}{}", "u".repeat(length - path.len()));
    world.admin(Call::get(url(6 * 1024))).await.expect(200);
    let problem = world.admin(Call::get(url(6 * 1024 + 1))).await.refused(414, "url-too-long");
    assert!(text(&problem["detail"]).contains("POST"), "{problem}");
}
