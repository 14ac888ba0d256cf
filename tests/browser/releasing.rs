//! A release from its first version to its rollback.

use serde_json::json;

use crate::stage::{Stage, cases};

#[tokio::test]
async fn the_gate_refuses_a_version_the_fixed_one_is_released_and_taken_back() {
    let stage = Stage::empty().await;
    stage.test_set("questions", cases(50, 0)).await;
    let prompt = stage.prompt("answers", &json!({})).await;
    let first = stage.version(&prompt, "{{ message }}").await;
    for environment in ["staging", "production"] {
        stage.promote(&prompt, &first, environment).await;
    }
    let mut tab = stage.admin().await;
    let page = format!("/console/prompts/{prompt}");
    tab.go(&page).await;
    tab.follow("Settings").await;
    tab.choose("Test set", "questions").await;
    tab.choose("Mode", "required").await;
    tab.fill("Least share of cases that pass, 0 to 1", "0.8").await;
    tab.fill("Least cases", "10").await;
    tab.follow("Save").await;
    tab.sees("Tested with questions").await;

    // A change that does harm: the evaluation says so, and the gate refuses it.
    tab.follow("New version").await;
    tab.fill("Template", "Please answer: {{ message }}").await;
    tab.follow("Save as version 2").await;
    tab.follow("Its evaluation").await;
    tab.sees("0 of 50 cases pass").await;
    tab.follow("failed").await;
    tab.sees("c7").await;
    tab.go(&page).await;
    tab.follow_in_row("version 2", "Promote").await;
    tab.sees("goes from version 1 to version 2").await;
    tab.fill("Why", "It is more polite").await;
    tab.follow("Promote version 2 to production").await;
    tab.sees("0 of 50 cases pass").await;
    assert_eq!(tab.value("Why").await, "It is more polite");
    tab.go(&page).await;
    tab.until("document.querySelector('tbody tr').innerText.includes('version 1')").await;

    // The fixed one passes, and goes to staging and to production.
    tab.follow("New version").await;
    tab.fill("Template", "{{ message }}").await;
    tab.fill("Note", "Without the politeness").await;
    tab.follow("Save as version 3").await;
    tab.follow("Its evaluation").await;
    tab.sees("50 of 50 cases pass").await;
    for (button, environment) in [("To staging", "staging"), ("Promote", "production")] {
        tab.go(&page).await;
        tab.follow_in_row("version 3", button).await;
        tab.fill("Why", "It answers again").await;
        tab.follow(&format!("Promote version 3 to {environment}")).await;
        tab.sees(&format!("{environment} went from version 1 to version 3")).await;
    }

    // Taken back in two clicks, with what it means in between.
    tab.follow("Roll back").await;
    tab.sees("production of answers goes from version 3 back to version 1").await;
    tab.fill("Why", "The help desk complains").await;
    tab.follow("Roll back production").await;
    tab.sees("production went from version 3 to version 1").await;
    tab.follow("Back to answers").await;
    tab.sees("The help desk complains").await;
    tab.sees("automation held").await;
    tab.go("/console").await;
    tab.sees("rolled back support/answers production version 3 → version 1 by admin").await;
    tab.go(&page).await;
    tab.follow("The whole audit").await;
    for shown in ["rolled back", "The help desk complains", "It answers again"] {
        tab.sees(shown).await;
    }
}

#[tokio::test]
async fn a_locked_environment_refuses_and_says_whose_lock_it_is() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("answers", &json!({})).await;
    let first = stage.version(&prompt, "one").await;
    stage.promote(&prompt, &first, "production").await;
    stage.version(&prompt, "two").await;
    let mut tab = stage.admin().await;
    let page = format!("/console/prompts/{prompt}");
    tab.go(&page).await;
    tab.follow("Lock").await;
    tab.fill("Why", "The audit is on Friday").await;
    tab.follow("Lock production").await;
    tab.sees("locked by").await;
    tab.follow_in_row("version 2", "Promote").await;
    tab.sees("The audit is on Friday").await;
    tab.follow("Promote version 2 to production").await;
    tab.sees("locked").await;
    tab.go(&page).await;
    tab.follow("Unlock").await;
    tab.follow_in_row("version 2", "Promote").await;
    tab.follow("Promote version 2 to production").await;
    tab.sees("production went from version 1 to version 2").await;
}
