//! Test sets, evaluations, the gate, reviews.

use serde_json::json;

use crate::stage::Stage;

/// Cases of which so many fail with a model that answers with the question.
fn cases(count: usize, wrong: usize) -> String {
    let case = |at: usize| {
        let expected = if at < wrong { "something else" } else { "hello" };
        json!({ "case_id": format!("case-{at:03}"), "vars": { "message": "hello" }, "expected": expected })
            .to_string()
    };
    (0..count).map(case).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_evaluated_refused_and_fixed() {
    let mut stage = Stage::empty().await;
    let set = stage.fields(&["test-sets", "create", "Greetings", "--team", "support"]).await;
    let set = set["test_set_id"].as_str().unwrap().to_owned();
    stage.put("cases.jsonl", &cases(60, 0));
    stage.put("bad.jsonl", "{\"vars\": {}}\nno\n");
    stage.put("cases.txt", "");
    stage.shows(&["test-sets", "put", &set, "bad.jsonl"], 2).await;
    stage.shows(&["test-sets", "put", &set, "cases.txt"], 2).await;
    stage.shows(&["test-sets", "put", &set, "cases.jsonl"], 0).await;
    let case = r#"{"vars": {"message": "bye"}, "expected": "bye"}"#;
    stage.shows(&["test-sets", "add", &set, case], 0).await;
    stage.shows(&["test-sets", "list", "--team", "support"], 0).await;
    stage.shows(&["test-sets", "versions", &set], 0).await;
    assert_eq!(stage.run(&["test-sets", "cases", &set]).await.stdout.lines().count(), 61);

    let prompt = "support/greeting";
    stage.shows(&["prompts", "create", prompt, "--test-set", &set], 0).await;
    let create = ["versions", "create", prompt, "--wait", "--model", "mock/echo", "--template"];
    stage.shows(&[&create[..], &["Say {{ message }}"]].concat(), 3).await;
    stage.shows(&["promote", prompt, "newest", "--yes"], 3).await;
    let run = stage.fields(&["eval", "list", prompt]).await;
    let run = run["data"][0]["eval_run_id"].as_str().unwrap().to_owned();
    stage.shows(&["eval", "cases", &run, "--outcome", "failed", "--limit", "2"], 0).await;
    stage.shows(&["eval", "watch", &run], 3).await;
    assert!(stage.run(&["eval", "summary", &run]).await.stdout.starts_with("### Evaluation"));
    assert_eq!(stage.run(&["eval", "cases", &run, "--csv"]).await.stdout.lines().count(), 62);

    stage.shows(&[&create[..], &["{{ message }}"]].concat(), 0).await;
    stage.shows(&["eval", "run", prompt, "--watch", "--repeats", "2"], 0).await;
    stage.shows(&["models", "matrix", prompt], 0).await;
    stage.shows(&["promote", prompt, "newest", "--yes"], 0).await;
    stage.shows(&["eval", "run", prompt, "1", "--model", "nobody/nothing", "--watch"], 1).await;
    stage.shows(&["eval", "list", "--status", "errored"], 0).await;
    stage.shows(&["try", prompt, "--var", "message=moin", "--save", &set, "--expected", "moin"], 0).await;
    stage.shows(&["test-sets", "delete", &set], 0).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_that_are_too_large_for_a_request_are_uploaded() {
    let stage = Stage::empty().await;
    let set = stage.fields(&["test-sets", "create", "Letters", "--team", "support"]).await;
    let set = set["test_set_id"].as_str().unwrap().to_owned();
    let letter = "a long letter ".repeat(4000);
    let case =
        |at: usize| json!({ "case_id": format!("c{at}"), "vars": { "letter": letter }, "expected": "x" });
    let cases: String = (0..100).map(|at| case(at).to_string() + "\n").collect();
    assert!(cases.len() > 5 * 1024 * 1024);
    stage.put("letters.jsonl", &cases);
    let put = stage.fields(&["test-sets", "put", &set, "letters.jsonl"]).await;
    assert_eq!((&put["version"], &put["cases"]), (&json!(1), &json!(100)));
    let kept = stage.run(&["test-sets", "cases", &set]).await.stdout;
    assert_eq!(kept.trim_end(), cases.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_close_to_call_waits_for_a_person() {
    let mut stage = Stage::empty().await;
    let set = stage.fields(&["test-sets", "create", "Greetings", "--team", "support"]).await;
    let set = set["test_set_id"].as_str().unwrap().to_owned();
    stage.put("cases.jsonl", &cases(60, 14));
    stage.fields(&["test-sets", "put", &set, "cases.jsonl"]).await;
    let prompt = "support/greeting";
    stage.fields(&["prompts", "create", prompt, "--test-set", &set]).await;
    stage.shows(&["review", "list"], 0).await;
    let author = stage.fields(&["keys", "create", "ann", "--role", "author", "--of-team", "support"]).await;
    let author = author["secret"].as_str().unwrap().to_owned();
    let write =
        ["versions", "create", prompt, "--template", "{{ message }}", "--model", "mock/echo", "--wait"];
    let written = stage.run(&[&["--api-key", &author][..], &write, &["-o", "json"]].concat()).await;
    assert_eq!(written.code, 3, "{}{}", written.stdout, written.stderr);
    let run = written.json()["eval_run_id"].as_str().unwrap().to_owned();
    stage.shows(&["review", "list"], 0).await;
    let approve = ["review", "approve", &run, "--reason", "The fourteen are better answers"];
    let own = stage.run(&[&["--api-key", &author][..], &approve].concat()).await;
    assert_eq!(own.code, 5, "{}", own.stderr);
    stage.shows(&approve, 0).await;
    stage.shows(&["review", "list"], 0).await;
    stage.shows(&["versions", "approve", prompt, "newest", "--reason", "Read it twice"], 0).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_verdict_there_is_no_success_and_what_was_measured_on_another_model_waits_too() {
    let stage = Stage::empty().await;
    let set = stage.fields(&["test-sets", "create", "Greetings", "--team", "support"]).await;
    let set = set["test_set_id"].as_str().unwrap().to_owned();
    stage.put("cases.jsonl", &cases(60, 14));
    stage.fields(&["test-sets", "put", &set, "cases.jsonl"]).await;
    let author = stage.fields(&["keys", "create", "ann", "--role", "author", "--of-team", "support"]).await;
    let author = author["secret"].as_str().unwrap().to_owned();
    let prompt = "support/greeting";
    let write = ["versions", "create", prompt, "--wait", "--model", "nobody/nothing", "--template"];
    let write = |template: &'static str| [&["--api-key", &author][..], &write, &[template]].concat();
    stage.fields(&["prompts", "create", prompt]).await;
    let said = stage.run(&write("Hello")).await;
    assert_eq!(said.code, 0, "there is nothing to evaluate on: {}", said.stderr);
    stage.fields(&["prompts", "update", prompt, "--test-set", &set]).await;
    let said = stage.run(&write("{{ message }}")).await;
    assert!(said.code == 1 && said.stderr.contains("there is no verdict"), "{}", said.stderr);

    let mut runs = Vec::new();
    for _ in 0..2 {
        let said = stage.run(&["eval", "run", prompt, "--model", "mock/echo", "--watch", "-o", "json"]).await;
        assert_eq!(said.code, 3, "{}{}", said.stdout, said.stderr);
        runs.push(said.json()["eval_run_id"].clone());
    }
    let waiting = async || -> Vec<_> {
        let list = stage.fields(&["review", "list"]).await;
        list["data"].as_array().unwrap().iter().map(|run| run["eval_run_id"].clone()).collect()
    };
    assert_eq!(waiting().await, [runs[1].clone()], "the newest run on a model decides there");
    let run = runs[1].as_str().unwrap().to_owned();
    stage.fields(&["review", "reject", &run, "--reason", "The fourteen matter"]).await;
    assert!(waiting().await.is_empty());
}
