//! Test sets as people have them: CSV, promptfoo's YAML, and files too large for a request.

use axum::http::Method;
use e2e::{Answer, Call, text};
use serde_json::{Value, json};

use crate::lab::{Lab, any_size, cases, echo, jsonl, members, tally};

/// A test set without cases.
async fn empty(lab: &Lab) -> String {
    let body = json!({ "name": "imported", "team_id": "support" });
    text(&lab.post("/api/test-sets", &body, 201).await["test_set_id"]).to_owned()
}

async fn put(lab: &Lab, set: &str, media_type: &str, file: &str) -> Answer {
    let call = Call::new(Method::PUT, format!("/api/test-sets/{set}/versions"));
    lab.world.admin(call.bytes(media_type, file)).await
}

/// The cases as they are kept.
async fn kept(lab: &Lab, set: &str) -> Vec<Value> {
    let cases = lab.world.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await;
    cases.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn newest_version(lab: &Lab, set: &str) -> Value {
    lab.get(&format!("/api/test-sets/{set}")).await["newest_version"].clone()
}

/// What an echo makes of them.
async fn evaluated(lab: &Lab, set: &str, name: &str) -> Value {
    let prompt = lab.world.prompt("support", name, &json!({ "test_set_id": set, "gate": any_size() })).await;
    let version = lab.world.version(&prompt, &json!({ "template_text": "{{ message }}" })).await;
    lab.finished(&version).await
}

const CSV: &str = "\u{feff}message,__expected1,__expected2,__metadata:tags[],case_id\r\n\
    \"Hello, you\",\"contains: you\",icontains: HELLO,critical,greeting\r\n\
    Bye,equals: Hi,,,\"fare\"\"well\"\r\n\
    \"{\"\"label\"\": 1}\",is-json,,,json\r\n";

const YAML: &str = "\
description: how we greet
prompts: [file://prompt.txt]
providers: [openai:gpt-4o-mini]
defaultTest:
  assert:
    - type: icontains
      value: hello
tests:
  - description: greeting
    vars:
      message: Hello you
  - vars:
      message: [Bye, Hello again]
    assert:
      - type: not-contains
        value: you
        weight: 2
";

#[tokio::test]
async fn csv_and_promptfoos_yaml_become_cases_that_run() {
    let lab = Lab::new(echo).await;
    let set = empty(&lab).await;
    let version = put(&lab, &set, "text/csv; charset=utf-8", CSV).await.expect(201);
    assert_eq!(members(&version, &["version", "cases"]), json!([1, 3]));
    let found = kept(&lab, &set).await;
    let ids: Vec<_> = found.iter().map(|case| &case["case_id"]).collect();
    assert_eq!(ids, ["greeting", "fare\"well", "json"]);
    assert_eq!(members(&found[0], &["vars", "tags"]), json!([{ "message": "Hello, you" }, ["critical"]]));
    assert_eq!(found[0]["assert"].as_array().unwrap().len(), 2);
    assert_eq!(tally(&evaluated(&lab, &set, "csv").await), json!([3, 3, 2, 1, 0]));

    for (number, media_type) in
        ["application/yaml", "application/x-yaml", "text/yaml"].into_iter().enumerate()
    {
        let version = put(&lab, &set, media_type, YAML).await.expect(201);
        assert_eq!(members(&version, &["version", "cases"]), json!([number + 2, 3]));
    }
    let messages: Vec<_> =
        kept(&lab, &set).await.iter().map(|case| case["vars"]["message"].clone()).collect();
    assert_eq!(messages, ["Hello you", "Bye", "Hello again"], "a list of values is a case for each");
    assert_eq!(tally(&evaluated(&lab, &set, "yaml").await), json!([3, 3, 2, 1, 0]));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name_and_line_and_nothing_is_stored() {
    let lab = Lab::new(echo).await;
    let set = empty(&lab).await;
    let yaml = |rest: &str| format!("- {{ vars: {{ message: hi }}, expected: hi }}\n{rest}");
    for (media_type, file, line, named) in [
        ("text/csv", "message,__config\nhi,x\n".to_owned(), "/1", "`__config`"),
        ("text/csv", "message,__expected\nhi,javascript: 1\n".to_owned(), "/2", "javascript"),
        ("text/csv", "message,expected\nhi,hi\nbye\n".to_owned(), "/3", "1 cell,"),
        ("application/yaml", yaml("- assert: [{ type: python, value: x }]\n"), "/2", "python"),
        ("application/yaml", yaml("\n- provider: openai:x\n"), "/3", "`provider`"),
        ("application/yaml", yaml("- file://more.yaml\n"), "/2", "file"),
        ("application/yaml", "tests: file://cases.csv\n".to_owned(), "/1", "`tests`"),
        (
            "application/jsonl",
            "{\"vars\": {}, \"expected\": \"\"}\n{\"vras\": {}}\n".to_owned(),
            "/2",
            "vras",
        ),
    ] {
        let refused = put(&lab, &set, media_type, &file).await.refused(422, "invalid");
        let problem = &refused["errors"][0];
        assert_eq!(problem["pointer"], line, "{refused}");
        assert!(text(&problem["detail"]).contains(named), "{named}: {refused}");
    }
    let unknown = put(&lab, &set, "application/xml", "<cases/>").await.refused(415, "unsupported-media-type");
    assert!(text(&unknown["detail"]).contains("`text/csv`"), "{unknown}");
    assert_eq!(newest_version(&lab, &set).await, 0);
}

/// An upload into which these bytes were put.
async fn uploaded(lab: &Lab, set: &str, file: &str) -> String {
    let upload = lab.post(&format!("/api/test-sets/{set}/uploads"), &json!({}), 201).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.put(text(&upload["url"])).body(file.to_owned()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    text(&upload["upload_id"]).to_owned()
}

async fn put_uploaded(lab: &Lab, set: &str, upload: &str, media_type: &str) -> Answer {
    let body = json!({ "upload_id": upload, "content_type": media_type });
    lab.world.admin(Call::put(format!("/api/test-sets/{set}/versions"), &body)).await
}

#[tokio::test]
async fn ten_thousand_cases_in_more_than_four_mebibytes_come_by_an_upload() {
    let lab = Lab::new(echo).await;
    let set = empty(&lab).await;
    let mut many = cases(10_000, 0);
    for case in &mut many {
        case["metadata"] = json!({ "note": "n".repeat(400) });
    }
    let file = jsonl(&many);
    assert!(file.len() > 4 * 1024 * 1024);
    put(&lab, &set, "application/jsonl", &file).await.refused(413, "too-large");
    let upload = uploaded(&lab, &set, &file).await;
    assert_eq!(newest_version(&lab, &set).await, 0, "a file alone is no version");
    let version = put_uploaded(&lab, &set, &upload, "application/jsonl").await.expect(201);
    assert_eq!(members(&version, &["version", "cases"]), json!([1, 10_000]));
    let kept = lab.world.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await;
    assert!(kept.body == file.as_bytes(), "byte for byte");
    put_uploaded(&lab, &set, &upload, "application/jsonl").await.refused(422, "invalid");

    many.push(json!({ "case_id": "one more", "vars": {} }));
    let upload = uploaded(&lab, &set, &jsonl(&many)).await;
    let refused = put_uploaded(&lab, &set, &upload, "application/jsonl").await.refused(422, "invalid");
    assert!(text(&refused["detail"]).contains("at most 10000 cases"), "{refused}");
    assert_eq!(newest_version(&lab, &set).await, 1);
}

#[tokio::test]
async fn an_upload_with_mistakes_is_not_lost_and_one_of_somewhere_else_is_not_found() {
    let lab = Lab::new(echo).await;
    let (set, other) = (empty(&lab).await, empty(&lab).await);
    let upload = uploaded(&lab, &set, CSV).await;
    for (set, upload) in [(&other, upload.as_str()), (&set, &"0".repeat(32)), (&set, "../../other")] {
        let refused = put_uploaded(&lab, set, upload, "text/csv").await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/upload_id", "{refused}");
    }
    put_uploaded(&lab, &set, &upload, "application/pdf").await.refused(415, "unsupported-media-type");
    let refused = put_uploaded(&lab, &set, &upload, "application/jsonl").await.refused(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/1", "{refused}");
    assert_eq!(newest_version(&lab, &set).await, 0);
    let version = put_uploaded(&lab, &set, &upload, "text/csv").await.expect(201);
    assert_eq!(version["cases"], 3, "the same file, said to be what it is");
    let foreign = lab.world.key("growth", "author").await;
    let open = Call::post(format!("/api/test-sets/{set}/uploads"), &json!({}));
    lab.world.call(open.key(&foreign)).await.refused(404, "not-found");
}
