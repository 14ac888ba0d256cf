//! What prompts are called.

use e2e::{Call, text};
use serde_json::json;

use crate::target::Target;

/// Names that mean something else in a URL, as a person and as a path would write them.
const NAMES: [(&str, &str); 5] = [
    ("what now?", ""),
    ("no. #1", "no.%20%231"),
    ("50%25 off", "50%2525%20off"),
    ("grüße/büro", ""),
    ("a+b & c", "a%2Bb%20%26%20c"),
];

pub(crate) async fn any_name_resolves(target: &Target) {
    let key = target.key("names", "resolver").await;
    let key = text(&key["secret"]);
    for (name, in_path) in NAMES {
        let prompt = target.prompt("names", name, &json!({})).await;
        let version = target.version(&prompt, &json!({ "template_text": name })).await;
        target.promote(&prompt, &version).await.expect(200);
        assert_eq!(target.resolve(key, name, 1).await["resolved_text"], name);
        // API Gateway decodes paths: `/` and `?` in a name are no part of it then. Such a name stands in the query or
        // the body.
        if !in_path.is_empty() {
            let answer = target.call(Call::get(format!("/api/resolve/{in_path}")).key(key)).await;
            assert_eq!(answer.json()["name"], name, "{}", answer.text());
        }
    }
}

pub(crate) async fn a_renamed_prompt_answers_to_both_names_and_an_archived_one_is_gone(target: &Target) {
    let key = target.key("names", "resolver").await;
    let key = text(&key["secret"]);
    let prompt = target.prompt("names", "before", &json!({})).await;
    let version = target.version(&prompt, &json!({ "template_text": "x" })).await;
    target.promote(&prompt, &version).await.expect(200);
    let path = format!("/api/prompts/{prompt}");
    target.admin(Call::patch(&path, &json!({ "name": "after" }))).await.expect(200);
    for name in ["before", "after"] {
        assert_eq!(target.resolve(key, name, 2).await["name"], "after");
    }
    target.admin(Call::delete(&path)).await.expect(200);
    let ask = || Call::get("/api/resolve/after").key(key);
    target.until(ask, |answer| answer.status.as_u16() == 410).await.refused(410, "archived");
    target.admin(Call::post(format!("{path}/restore"), &json!({}))).await.expect(200);
    target.until(ask, |answer| answer.status.as_u16() == 200).await;
}
