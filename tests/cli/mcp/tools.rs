//! Tools, with the role of the key that they are called with.

use client::Client;
use e2e::ADMIN;
use serde_json::{Value, json};

use super::{Served, admin, key, promote, prompt, version};
use crate::stage::Stage;

const PROMPT: &str = "support/greeting";

#[tokio::test(flavor = "multi_thread")]
async fn tools_say_what_they_take_and_what_they_do() {
    let stage = Stage::empty().await;
    let mut served = Served::with(&stage, ADMIN, &[]).await;
    let listed = served.ask("tools/list", json!({})).await["result"].clone();
    insta::assert_json_snapshot!(listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_written_listed_shown_and_compared() {
    let stage = Stage::empty().await;
    prompt(&admin(&stage), "greeting").await;
    let mut served = Served::with(&stage, &key(&stage, "author").await, &[]).await;
    let says = json!({ "template_text": "Grüße {{ name }} 🗝", "model_id": "mock/echo", "note": "Erste" });
    let write = json!({ "prompt": PROMPT, "version": says, "wait": true });
    let written = served.does("create_version", write.clone()).await;
    assert_eq!((&written["version_number"], &written["eval_status"]), (&json!(1), &json!("none")));
    assert_eq!(served.does("create_version", write).await["unchanged"], true);
    let says = json!({ "messages": [
        { "role": "system", "content": "Greet {{ name }}" },
        { "type": "placeholder", "name": "history" },
    ], "variables": [{ "name": "name", "default": "you" }, { "name": "history", "type": "json" }] });
    served.does("create_version", json!({ "prompt": PROMPT, "version": says })).await;

    let listed = served.does("list_versions", json!({ "prompt": PROMPT, "limit": 1 })).await;
    assert_eq!((&listed["versions"][0]["version_number"], &listed["more"]), (&json!(2), &json!(true)));
    assert!(listed["versions"][0].get("messages").is_none(), "what they say is shown one by one");
    let shown = served.does("show_version", json!({ "prompt": PROMPT, "version": "1" })).await;
    assert_eq!((&shown["template_text"], &shown["note"]), (&json!("Grüße {{ name }} 🗝"), &json!("Erste")));
    let shown = served.does("show_version", json!({ "prompt": PROMPT })).await;
    assert_eq!(shown["messages"][1], json!({ "type": "placeholder", "name": "history" }));
    let compared =
        served.does("diff_versions", json!({ "prompt": PROMPT, "from": "1", "to": "newest" })).await;
    assert_eq!(compared["to"]["version_number"], 2);
    assert!(!compared["text"].as_array().unwrap().is_empty());

    for (tool, arguments, words) in [
        ("show_version", json!({ "prompt": PROMPT, "version": "eu" }), "nothing live in `eu`"),
        ("show_version", json!({ "version": "1" }), "missing field `prompt`"),
        ("list_versions", json!({ "prompt": PROMPT, "limit": 1, "team": "x" }), "unknown field `team`"),
        ("list_versions", json!({ "prompt": "support/nobody" }), "No such prompt"),
        ("create_version", json!({ "prompt": PROMPT, "version": { "text": "x" } }), "unknown field `text`"),
        (
            "create_version",
            json!({ "prompt": PROMPT, "version": { "template_text": "{% for %}" } }),
            "/template_text",
        ),
    ] {
        let refused = served.call(tool, arguments).await;
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(refused["content"][0]["text"].as_str().unwrap().contains(words), "{words}: {refused}");
    }
    let ended = served.end().await;
    assert!(ended.noted.contains("show_version: "), "{}", ended.noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_is_run_and_its_cases_are_shown() {
    let stage = Stage::empty().await;
    let set = stage.fields(&["test-sets", "create", "Greetings", "--team", "support"]).await;
    let set = set["test_set_id"].as_str().unwrap().to_owned();
    let case =
        |at: usize| json!({ "case_id": format!("c{at}"), "vars": { "m": "hello" }, "expected": "hello" });
    stage.put("cases.jsonl", &(0..60).map(|at| case(at).to_string() + "\n").collect::<String>());
    stage.fields(&["test-sets", "put", &set, "cases.jsonl"]).await;
    let (admin, mut served) = (admin(&stage), Served::with(&stage, ADMIN, &[]).await);
    let greeting = prompt(&admin, "greeting").await;
    version(&admin, &greeting, json!({ "template_text": "Say {{ m }}" })).await;

    let refused = served.call("run_evaluation", json!({ "prompt": PROMPT })).await;
    assert_eq!(refused["isError"], true, "it has no test set yet: {refused}");
    let asked = json!({ "prompt": PROMPT, "version": "1", "test_set_id": set, "repeats": 1 });
    let run = served.does("run_evaluation", asked).await["eval_run_id"].clone();
    let shown = loop {
        let asked = json!({ "eval_run_id": run, "wait": 25, "cases": "failed" });
        let shown = served.does("show_evaluation", asked).await;
        if shown["evaluation"]["status"] == "completed" {
            break shown;
        }
    };
    assert_eq!(shown["evaluation"]["failed_cases"], 60);
    assert_eq!((shown["cases"].as_array().unwrap().len(), &shown["more_cases"]), (20, &json!(true)));
    assert_eq!(shown["cases"][0]["output"], "Say hello");
    let brief = served.does("show_evaluation", json!({ "eval_run_id": run })).await;
    assert!(brief.get("cases").is_none(), "{brief}");
}

/// The version that is live in an environment.
async fn live(admin: &Client, environment: &str) -> Option<u32> {
    admin.environment("support/greeting", environment).await.ok().and_then(|live| live.version_number)
}

fn promotion(version: &str, environment: &str) -> Value {
    json!({ "prompt": PROMPT, "version": version, "environment": environment, "reason": "Wärmer" })
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_confirmed_by_what_was_shown() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let greeting = prompt(&admin, "greeting").await;
    let first = version(&admin, &greeting, json!({ "template_text": "a" })).await;
    version(&admin, &greeting, json!({ "template_text": "b" })).await;
    let mut served = Served::with(&stage, &key(&stage, "releaser").await, &[]).await;

    let done = served.does("promote_version", promotion("newest", "staging")).await;
    assert_eq!((&done["done"], live(&admin, "staging").await), (&json!(true), Some(2)));

    let mut wish = promotion("newest", "production");
    let shown = served.does("promote_version", wish.clone()).await;
    assert_eq!((&shown["done"], live(&admin, "production").await), (&json!(false), None));
    assert!(shown["would"].as_str().unwrap().starts_with("make version 2 of support/greeting"), "{shown}");
    for guess in [json!("yes"), json!("")] {
        wish["confirm"] = guess;
        assert_eq!(served.does("promote_version", wish.clone()).await["done"], false);
    }
    // Neither what would be replaced nor what is newest may change between the question and the answer.
    wish["confirm"] = shown["confirm"].clone();
    promote(&admin, &first, "production").await;
    let again = served.does("promote_version", wish.clone()).await;
    assert_eq!((&again["done"], live(&admin, "production").await), (&json!(false), Some(1)));
    assert!(again["would"].as_str().unwrap().contains("in place of version 1"), "{again}");
    wish["confirm"] = again["confirm"].clone();
    version(&admin, &greeting, json!({ "template_text": "c" })).await;
    let again = served.does("promote_version", wish.clone()).await;
    assert_eq!((&again["done"], live(&admin, "production").await), (&json!(false), Some(1)));
    wish["confirm"] = again["confirm"].clone();
    let done = served.does("promote_version", wish).await;
    assert_eq!((&done["done"], live(&admin, "production").await), (&json!(true), Some(3)));
    assert_eq!(done["promoted"]["previous_version_id"], first.version_id.to_string());
    let history = admin.history(PROMPT, 1).await.unwrap();
    assert_eq!(history.data[0].reason.as_deref(), Some("Wärmer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_more_by_a_tool_than_by_the_key() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let greeting = prompt(&admin, "greeting").await;
    version(&admin, &greeting, json!({ "template_text": "a" })).await;
    let mut author = Served::with(&stage, &key(&stage, "author").await, &["--yes"]).await;
    let refused = author.call("promote_version", promotion("1", "production")).await;
    assert_eq!(
        (&refused["isError"], &refused["structuredContent"]["problem"]["status"]),
        (&json!(true), &json!(403))
    );
    assert_eq!(live(&admin, "production").await, None);
    assert_eq!(author.does("promote_version", promotion("1", "staging")).await["done"], true);

    let mut resolver = Served::with(&stage, &key(&stage, "resolver").await, &["--yes"]).await;
    for (tool, arguments) in [
        ("promote_version", promotion("1", "staging")),
        ("show_version", json!({ "prompt": PROMPT })),
        ("create_version", json!({ "prompt": PROMPT, "version": { "template_text": "b" } })),
        ("run_evaluation", json!({ "prompt": PROMPT })),
    ] {
        let refused = resolver.call(tool, arguments).await;
        assert_eq!(refused["structuredContent"]["problem"]["status"], 403, "{tool}: {refused}");
    }

    // The gate holds for an admin, too: no tool passes by it.
    admin
        .update_prompt(PROMPT, &serde_json::from_value(json!({ "gate": { "mode": "required" } })).unwrap())
        .await
        .unwrap();
    let mut admins = Served::with(&stage, ADMIN, &["--yes"]).await;
    let refused = admins.call("promote_version", promotion("1", "production")).await;
    let kind = refused["structuredContent"]["problem"]["type"].as_str().unwrap();
    assert!(refused["isError"] == true && kind.ends_with("/not-evaluated"), "{refused}");
    assert_eq!(live(&admin, "production").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_and_yes_asks_for_nothing() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let greeting = prompt(&admin, "greeting").await;
    version(&admin, &greeting, json!({ "template_text": "a" })).await;
    let mut dry = Served::with(&stage, ADMIN, &["--dry-run", "--yes"]).await;
    for (tool, arguments) in [
        ("promote_version", promotion("1", "staging")),
        ("create_version", json!({ "prompt": PROMPT, "version": { "template_text": "b" } })),
        ("run_evaluation", json!({ "prompt": PROMPT })),
    ] {
        let answer = dry.does(tool, arguments).await;
        assert!(answer["dry_run"] == true && answer["would"].is_string(), "{tool}: {answer}");
    }
    assert_eq!(live(&admin, "staging").await, None);
    assert_eq!(admin.versions(PROMPT, 10).await.unwrap().data.len(), 1);
    assert!(admin.prompt_evals(PROMPT, 10).await.unwrap().data.is_empty());

    let mut told = Served::with(&stage, ADMIN, &["--yes"]).await;
    assert_eq!(told.does("promote_version", promotion("1", "production")).await["done"], true);
    assert_eq!(live(&admin, "production").await, Some(1));
}
