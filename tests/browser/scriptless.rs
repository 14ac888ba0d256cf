//! Without scripts everything works but what only scripts can do.

use serde_json::{Value, json};

use crate::stage::{Stage, cases};

#[tokio::test]
async fn a_release_and_its_rollback_need_no_script() {
    let stage = Stage::empty().await;
    stage.test_set("questions", cases(20, 0)).await;
    let mut tab = stage.admin().await;
    tab.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    tab.go("/console/prompts/new").await;
    tab.fill("Name", "answers").await;
    tab.fill("Team", "support").await;
    tab.follow("Make it, and write its first version").await;
    let asked =
        |event: &Value| event["params"]["request"]["url"].as_str().unwrap_or_default().contains(".js");
    assert!(!tab.happened().iter().any(asked), "scripts run");
    tab.fill("Template", "{{ message }}").await;
    tab.fill("Model", "test/model").await;
    tab.follow("Preview").await;
    tab.fill("message string", "hello").await;
    tab.follow("Preview").await;
    tab.sees("hello").await;
    tab.follow("Save as version 1").await;
    tab.follow("support/answers").await;
    tab.follow("Settings").await;
    tab.choose("Test set", "questions").await;
    tab.choose("Mode", "required").await;
    tab.fill("Least cases", "1").await;
    tab.follow("Save").await;
    tab.follow_in_row("version 1", "Promote").await;
    tab.follow("Promote version 1 to production").await;
    tab.sees("not evaluated").await;
    tab.follow("Not now").await;
    tab.follow("Evaluate").await;
    let evaluation = tab.path().await;
    stage.decided(evaluation.rsplit('/').next().unwrap()).await;
    // It does not move by itself, but there is a link.
    tab.go(&evaluation).await;
    tab.sees("20 of 20 cases pass").await;
    tab.follow("version 1").await;
    tab.follow("Promote").await;
    tab.follow("Promote version 1 to production").await;
    tab.sees("production holds version 1").await;

    tab.follow("Back to answers").await;
    tab.follow("New version").await;
    tab.fill("Note", "The same, and shorter").await;
    tab.fill("Most tokens", "99").await;
    tab.follow("Save as version 2").await;
    tab.follow("Its evaluation").await;
    stage.decided(tab.path().await.rsplit('/').next().unwrap()).await;
    tab.follow("version 2").await;
    tab.follow("Promote").await;
    tab.follow("Promote version 2 to production").await;
    tab.sees("a person has to look at the regressed cases").await;
    tab.fill("Override: why the gate does not count here", "It only answers shorter").await;
    tab.follow("Promote version 2 to production").await;
    tab.sees("production went from version 1 to version 2").await;
    tab.follow("Roll back").await;
    tab.follow("Roll back production").await;
    tab.sees("production went from version 2 to version 1").await;
}
