//! Lists: limits, cursors, and every thing exactly once.

use std::collections::BTreeSet;

use e2e::{Call, World, text};
use serde_json::{Value, json};
use testkit::provider::{Reply, ScriptedProvider};

use crate::{
    api::{self, at, pointers, under},
    document::{Operation, operations},
};

/// Something of everything that lists list: the paths of all lists by operation, with what tells their things apart
/// and how many there are.
async fn filled(world: &World) -> Vec<(&'static str, String, &'static str, usize)> {
    let prompt = world.prompt("a", "prompt-0", &json!({})).await;
    for number in 1..5 {
        world.prompt("a", &format!("prompt-{number}"), &json!({})).await;
        world.key("a", "author").await;
        world.admin(Call::post("/api/webhooks", &api::webhook("a"))).await.expect(201);
        api::test_set(world, "a").await;
    }
    let sets = world.admin(Call::get("/api/test-sets?team_id=a")).await.expect(200);
    let set = text(&sets["data"][0]["test_set_id"]).to_owned();
    for number in 1..6 {
        api::put_cases(world, &set, &format!("{}\n", api::CASE).repeat(number)).await;
    }
    let mut run = Value::Null;
    for number in 1..6 {
        let version = world.version(&prompt, &json!({ "template_text": format!("{number}") })).await;
        world.promote(&prompt, &version, "staging").await.expect(200);
        run = world
            .admin(Call::post(under(&version, "/evals"), &json!({ "test_set_id": set })))
            .await
            .expect(202);
    }
    let (experiments, canaries, weights) = trials(world).await;
    world.work().await;
    let run = text(&run["eval_run_id"]);
    let status = world.admin(Call::get(format!("/api/evals/{run}"))).await.expect(200)["status"].clone();
    vec![
        ("experiments_list", experiments, "experiment_id", 5),
        ("experiments_weights", weights, "allocation_version", 5),
        ("canaries_list", canaries, "rollout_id", 5),
        ("prompts_list", "/api/prompts?team_id=a".to_owned(), "prompt_id", 5),
        ("prompts_list", "/api/prompts?".to_owned(), "prompt_id", 5 + 1),
        ("prompts_list", "/api/prompts?q=prompt-3".to_owned(), "prompt_id", 1),
        ("resolve_snapshot", "/api/resolve:snapshot?team_id=a".to_owned(), "prompt_id", 5),
        ("keys_list", "/api/keys?team_id=a".to_owned(), "key_id", 4),
        ("webhooks_list", "/api/webhooks?team_id=a".to_owned(), "webhook_id", 4),
        ("test_sets_list", "/api/test-sets?team_id=a".to_owned(), "test_set_id", 4),
        ("test_sets_versions", format!("/api/test-sets/{set}/versions?"), "version", 5),
        ("versions_list", at(&prompt, "/versions?"), "version_id", 5),
        ("evaluations_of_prompt", at(&prompt, "/evals?"), "eval_run_id", 5),
        ("evaluations_list", format!("/api/evals?status={}", text(&status)), "eval_run_id", 5),
        ("evaluations_cases", format!("/api/evals/{run}/cases?"), "number", 5),
        ("moves_history", at(&prompt, "/history?"), "audit_id", 5),
        (
            "moves_changes",
            "/api/changes?since=2026-11-20T07:00:00Z".to_owned(),
            "audit_id",
            5 + 1 + 2 * 5 + 5 + 4,
        ),
        ("audit_list", "/api/audit?team_id=a".to_owned(), "audit_id", 4 + 4 + 4 + 5),
    ]
}

/// Five experiments and five canaries of a prompt of another team, and the five weights of an experiment that is cut
/// every day: the paths of their lists.
async fn trials(world: &World) -> (String, String, String) {
    let prompt = world.prompt("b", "tried", &json!({})).await;
    let mut versions = Vec::new();
    for number in 0..2 {
        versions.push(world.version(&prompt, &json!({ "template_text": format!("{number}") })).await);
    }
    world.promote(&prompt, &versions[0], "staging").await.expect(200);
    let [one, two] = [0, 1].map(|at: usize| versions[at]["version_id"].clone());
    let mut last = String::new();
    for number in 0..5 {
        let canary = json!({ "version_id": two, "environment": "staging" });
        let canary = world.admin(Call::post(at(&prompt, "/rollouts"), &canary)).await.expect(201);
        let abort = format!("/api/rollouts/{}/abort", text(&canary["rollout_id"]));
        world.admin(Call::post(abort, &json!({}))).await.expect(200);
        let experiment = json!({
            "environment": "staging", "variants": [{ "version_id": one }, { "version_id": two }],
        });
        let made = world.admin(Call::post(at(&prompt, "/experiments"), &experiment)).await.expect(201);
        last = format!("/api/experiments/{}", text(&made["experiment_id"]));
        if number < 4 {
            world.admin(Call::post(format!("{last}/stop"), &json!({}))).await.expect(200);
        }
    }
    for _ in 0..4 {
        world.clock.advance(std::time::Duration::from_hours(24));
        world.release().steer_trials().await.unwrap();
    }
    (at(&prompt, "/experiments?"), at(&prompt, "/rollouts?"), format!("{last}/weights?"))
}

/// All things of a list, page by page.
async fn walk(world: &World, path: &str, limit: usize, id: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.admin(Call::get(format!("{path}&limit={limit}{cursor}"))).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit, "{path}: {page}");
        ids.extend(data.iter().map(|thing| thing[id].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn every_list_shows_everything_exactly_once_whatever_the_limit() {
    let provider = ScriptedProvider::start(|_| Reply::Answer("no".to_owned())).unwrap();
    let world = api::with_model(&provider).await;
    let lists = filled(&world).await;
    let documented = operations();
    let with_limit = documented.iter().filter(|operation| {
        operation.value["parameters"].as_array().into_iter().flatten().any(|at| at["name"] == "limit")
    });
    let ids = |operation: &Operation| text(&operation.value["operationId"]).to_owned();
    let listed: BTreeSet<_> = lists.iter().map(|(id, ..)| (*id).to_owned()).collect();
    assert_eq!(with_limit.map(ids).collect::<BTreeSet<_>>(), listed);
    for (_, path, id, count) in &lists {
        let whole = walk(&world, path, 100, id).await;
        assert_eq!((whole.len(), whole.iter().collect::<BTreeSet<_>>().len()), (*count, *count), "{path}");
        for limit in [1, 2] {
            assert_eq!(walk(&world, path, limit, id).await, whole, "{path} by {limit}");
        }
    }
    for (_, path, ..) in &lists {
        for limit in ["0", "101", "-1", "4294967296"] {
            let answer = world.admin(Call::get(format!("{path}&limit={limit}"))).await;
            assert_eq!(pointers(&answer.refused(422, "invalid")), ["/limit"], "{path} by {limit}");
        }
        let foreign =
            if path.starts_with("/api/keys") { "/api/test-sets?team_id=a" } else { "/api/keys?team_id=a" };
        let foreign = world.admin(Call::get(format!("{foreign}&limit=1"))).await.expect(200);
        for cursor in ["", "nonsense", "e30", "bnVsbA", text(&foreign["next_cursor"])] {
            let answer = world.admin(Call::get(format!("{path}&cursor={cursor}"))).await;
            assert_eq!(pointers(&answer.refused(422, "invalid")), ["/cursor"], "{path}: `{cursor}`");
        }
    }
}

#[tokio::test]
async fn a_page_holds_50_when_nothing_is_said() {
    let world = api::start().await;
    let prompt = world.prompt("a", "greeter", &json!({})).await;
    for number in 0..51 {
        world.version(&prompt, &json!({ "template_text": number.to_string() })).await;
    }
    let page = world.admin(Call::get(at(&prompt, "/versions"))).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 50);
    assert_eq!(page["data"][0]["version_number"], 51, "newest first");
    let path = at(&prompt, &format!("/versions?cursor={}", text(&page["next_cursor"])));
    let rest = world.admin(Call::get(path)).await.expect(200);
    assert_eq!((&rest["data"][0]["version_number"], &rest["next_cursor"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn prompts_are_filtered_by_tag_text_and_status() {
    let world = api::start().await;
    let tagged = json!({ "tags": ["billing", "de"], "description": "Answers about INVOICES" });
    world.prompt("a", "one", &tagged).await;
    let two = world.prompt("a", "former", &json!({ "tags": ["billing"] })).await;
    let change = json!({ "name": "two", "description": "Asks ZÜRICH back" });
    world.admin(Call::patch(at(&two, ""), &change)).await.expect(200);
    world.admin(Call::delete(at(&two, ""))).await.expect(200);
    for (query, names) in [
        ("tag=billing", &["one", "two"] as &[_]),
        ("tag=de", &["one"]),
        ("tag=bill", &[]),
        ("q=invoices", &["one"]),
        ("q=TW", &["two"]),
        ("q=Z%C3%BCrich", &["two"]),
        ("q=former", &[]),
        ("status=active", &["one"]),
        ("status=archived", &["two"]),
        ("tag=billing&status=active&q=o", &["one"]),
    ] {
        // Those of a team are looked for among its names, those of all teams in the list of prompts.
        for team in ["team_id=a&", ""] {
            let page = world.admin(Call::get(format!("/api/prompts?{team}{query}"))).await.expect(200);
            let mut found: Vec<_> =
                page["data"].as_array().unwrap().iter().map(|prompt| text(&prompt["name"])).collect();
            found.sort_unstable();
            assert_eq!(found, names, "{team}{query}");
        }
    }
}
