//! From the first version to its rollback, as a person types it.

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_from_the_first_version_to_its_rollback() {
    let mut stage = Stage::empty().await;
    let off = r#"{"mode": "off"}"#;
    let prompt = "support/greeting";
    stage
        .shows(
            &["prompts", "create", prompt, "--description", "Says hello", "--tag", "tone", "--gate", off],
            0,
        )
        .await;
    let first = ["versions", "create", prompt, "--template", "Hello {{ name }}.", "--model", "mock/echo"];
    stage.shows(&first, 0).await;
    stage.shows(&["versions", "create", prompt, "--template", "Hello {{ name }}."], 0).await;
    let second = ["versions", "create", prompt, "--template", "Good morning {{ name }}.", "--note", "Warmer"];
    stage.shows(&[&second[..], &["--temperature", "0.2", "--based-on", "newest"]].concat(), 0).await;
    stage.shows(&["versions", "list", prompt], 0).await;
    stage.shows(&["versions", "diff", prompt, "1", "newest"], 0).await;
    stage.shows(&["render", prompt, "1", "--var", "name=Ada", "--var", "nobody=x"], 0).await;
    stage.shows(&["try", prompt, "--var", "name=Ada"], 0).await;

    stage.shows(&["promote", prompt, "1", "--to", "staging"], 0).await;
    stage.shows(&["promote", prompt, "staging", "--reason", "First"], 2).await;
    stage.shows(&["promote", prompt, "staging", "--reason", "First", "--dry-run"], 0).await;
    stage.shows(&["promote", prompt, "staging", "--reason", "First", "--yes"], 0).await;
    stage.shows(&["promote", prompt, "newest", "--reason", "Warmer", "--yes"], 0).await;
    stage.shows(&["resolve", prompt, "--var", "name=Ada"], 0).await;
    stage.shows(&["prompts", "list"], 0).await;
    stage.shows(&["prompts", "show", prompt], 0).await;
    stage.shows(&["rollback", prompt, "--reason", "Users complain"], 2).await;
    stage.shows(&["rollback", prompt, "--reason", "Users complain", "--yes"], 0).await;
    stage.shows(&["rollback", prompt, "--yes"], 6).await;
    stage.shows(&["resolve", prompt, "--var", "name=Ada"], 0).await;
    stage.shows(&["history", prompt], 0).await;
    stage.shows(&["changes", "--since", "1h", "--limit", "2"], 0).await;

    stage.shows(&["lock", prompt, "--reason", "Sale weekend"], 0).await;
    stage.shows(&["promote", prompt, "2", "--yes"], 3).await;
    stage.shows(&["lock", prompt, "--off"], 0).await;
    stage.shows(&["prompts", "update", prompt, "--rename", "hello"], 0).await;
    stage.shows(&["prompts", "archive", "support/hello", "--yes"], 0).await;
    stage.shows(&["versions", "create", "support/hello", "--template", "x"], 4).await;
    stage.shows(&["prompts", "restore", "support/hello"], 0).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_wrongly_ends_with_a_code_of_its_own() {
    let mut stage = Stage::empty().await;
    stage.shows(&["prompts", "show", "nobody/nothing"], 4).await;
    stage.shows(&["promote", "a/b"], 2).await;
    stage.shows(&["prompts", "create", "support/x", "--gate", "{\"mode\": \"strict\"}"], 2).await;
    stage.shows(&["prompts", "create", "x"], 2).await;
    stage.shows(&["prompts", "create", "support/x"], 0).await;
    stage.shows(&["prompts", "create", "support/x"], 6).await;
    stage.shows(&["versions", "show", "support/x"], 4).await;
    stage
        .shows(&["versions", "create", "support/x", "--template", "{% for %}", "--model", "mock/echo"], 2)
        .await;
    stage.shows(&["versions", "create", "support/x", "--template", "a", "--model", "mock/echo"], 0).await;
    stage.shows(&["promote", "support/x", "newest", "--yes"], 3).await;
    stage.shows(&["promote", "support/x", "newest", "--yes", "-o", "json"], 3).await;
    stage.shows(&["--api-key", "cue_no_body", "prompts", "list"], 5).await;
    stage.shows(&["--url", "ftp://x", "prompts", "list"], 2).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_tells_the_same() {
    let stage = Stage::empty().await;
    stage.fields(&["prompts", "create", "support/x", "--tag", "a"]).await;
    let json = stage.run(&["prompts", "show", "support/x", "-o", "json"]).await.json();
    let yaml = stage.run(&["prompts", "show", "support/x", "-o", "yaml"]).await.stdout;
    assert_eq!(yaml_serde::from_str::<serde_json::Value>(&yaml).unwrap(), json);
    let asked = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/api/prompts/{}", stage.platform.url(), json["prompt_id"].as_str().unwrap());
    let answered = asked.get(url).bearer_auth(e2e::ADMIN).send().await.unwrap();
    assert_eq!(answered.json::<serde_json::Value>().await.unwrap(), json);
}
