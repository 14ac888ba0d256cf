//! Prompts, as a client's user picks them.

use std::collections::BTreeSet;

use e2e::ADMIN;
use serde_json::{Value, json};

use super::{Served, admin, key, promote, prompt, version};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_live_is_listed_page_by_page() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let mut expected = BTreeSet::new();
    for at in 0..45 {
        let name = format!("Grüße/漢字 {at}");
        let prompt = prompt(&admin, &name).await;
        let version = version(&admin, &prompt, json!({ "template_text": "{{ x }}" })).await;
        promote(&admin, &version, if at % 3 == 0 { "staging" } else { "production" }).await;
        expected.extend((at % 3 != 0).then(|| format!("support/{name}")));
    }
    prompt(&admin, "without a version").await;
    let mut served = Served::with(&stage, &key(&stage, "author").await, &[]).await;
    let (mut listed, mut pages, mut cursor) = (Vec::new(), 0, Value::Null);
    loop {
        let asked = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
        let page = served.ask("prompts/list", asked).await["result"].clone();
        let prompts = page["prompts"].as_array().unwrap();
        listed.extend(prompts.iter().map(|prompt| prompt["name"].as_str().unwrap().to_owned()));
        pages += 1;
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((pages, listed.len()), (3, 30));
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_says_what_it_takes_and_is_resolved_with_it() {
    let stage = Stage::empty().await;
    let admin = admin(&stage);
    let greeting = prompt(&admin, "Grüße/漢字").await;
    let says = json!({
        "system_prompt": "Be kind.",
        "few_shot_examples": [{ "input": "Hi", "output": "Moin" }],
        "template_text": "{{ name }}, {{ age }}, {{ pets[0].name }}, {{ mood }}",
        "variables": [
            { "name": "name", "description": "Who is greeted." },
            { "name": "age", "type": "number", "description": "In years." },
            { "name": "pets", "type": "json" },
            { "name": "mood", "default": "well" },
        ],
    });
    let first = version(&admin, &greeting, says).await;
    promote(&admin, &first, "production").await;
    let second = version(&admin, &greeting, json!({ "template_text": "Hi {{ name }}" })).await;
    promote(&admin, &second, "staging").await;

    let mut served = Served::with(&stage, ADMIN, &["--team", "support"]).await;
    let listed = served.ask("prompts/list", json!({})).await["result"]["prompts"].clone();
    let argument = |name: &str, required: bool| json!({ "name": name, "required": required });
    let about = |mut argument: Value, words: &str| {
        argument["description"] = json!(words);
        argument
    };
    let expected = json!([{
        "name": "support/Grüße/漢字",
        "title": "Grüße/漢字",
        "description": "What Grüße/漢字 is for",
        "arguments": [
            about(argument("name", true), "Who is greeted."),
            about(argument("age", true), "In years. A number."),
            about(argument("pets", true), "JSON."),
            argument("mood", false),
        ],
    }]);
    assert_eq!(listed, expected);

    let values = json!({ "name": "Zoë 🗝\n\"x\"", "age": "1.50", "pets": r#"[{"name": "ÿ"}]"#, "no": "1" });
    let asked = json!({ "name": "support/Grüße/漢字", "arguments": values });
    let got = served.ask("prompts/get", asked).await["result"].clone();
    let message =
        |role: &str, text: &str| json!({ "role": role, "content": { "type": "text", "text": text } });
    let expected = json!([
        message("user", "Be kind."),
        message("user", "Hi"),
        message("assistant", "Moin"),
        message("user", "Zoë 🗝\n\"x\", 1.50, ÿ, well"),
    ]);
    assert_eq!(got["messages"], expected);
    let resolved = &got["_meta"]["cuecard.dev/resolved"];
    assert_eq!(resolved["version_id"], first.version_id.to_string());
    assert_eq!(
        (&resolved["model_id"], &resolved["ignored_variables"]),
        (&json!("mock/echo"), &json!(["no"]))
    );
    assert!(resolved["resolution_token"].is_string());

    let missing = json!({ "name": "support/Grüße/漢字", "arguments": { "name": "x", "age": "1" } });
    let refused = served.ask("prompts/get", missing).await["error"].clone();
    assert_eq!((&refused["code"], &refused["data"]["status"]), (&json!(-32602), &json!(422)), "{refused}");
    assert!(refused.to_string().contains("pets"), "{refused}");
    let broken = json!({ "name": "support/Grüße/漢字", "arguments": { "pets": "[" } });
    let refused = served.ask("prompts/get", broken).await["error"].clone();
    assert!(
        refused["code"] == -32602 && refused["message"].as_str().unwrap().contains("`pets`"),
        "{refused}"
    );

    let mut staging = Served::with(&stage, ADMIN, &["--env", "staging"]).await;
    let asked = json!({ "name": "support/Grüße/漢字", "arguments": { "name": "you" } });
    let got = staging.ask("prompts/get", asked).await["result"].clone();
    assert_eq!(got["messages"], json!([message("user", "Hi you")]));
    let mut nowhere = Served::with(&stage, ADMIN, &["--env", "eu"]).await;
    let refused = nowhere.ask("prompts/get", json!({ "name": "support/Grüße/漢字" })).await["error"].clone();
    assert!(refused["code"] == -32602 && refused["message"].as_str().unwrap().contains("`eu`"), "{refused}");
}
