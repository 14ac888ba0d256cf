//! An evaluation as somebody follows it: it moves by itself, and says what came of it.

use serde_json::json;

use crate::stage::{Stage, cases};

#[tokio::test]
async fn progress_moves_by_itself_and_the_verdict_comes() {
    let stage = Stage::empty().await;
    let set = stage.test_set("questions", cases(150, 0)).await;
    let gate = json!({ "mode": "required", "min_pass_rate": 0.8, "min_cases": 1 });
    let prompt = stage.prompt("answers", &json!({ "test_set_id": set, "gate": gate })).await;
    stage.provider.answer_only(40);
    let version = stage.version(&prompt, "{{ message }}").await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/versions/{version}")).await;
    tab.follow("on test/model").await;
    tab.js::<()>("void (window.stays = true)").await;
    tab.sees("It is decided when all cases are in").await;
    // How many are done, as the bar says it; the page is the same one.
    let done = "window.stays && document.querySelector('#progress progress').value";
    tab.until(&format!("{done} === 40")).await;
    stage.provider.answer_only(90);
    tab.until(&format!("{done} === 90")).await;
    stage.provider.answer_only(u64::MAX);
    // At the end it comes whole.
    tab.until("!window.stays && document.readyState === 'complete'").await;
    tab.sees("150 of 150 cases").await;
    tab.sees_but_not("150 of 150 cases pass (100.0 %)", "It is decided when").await;
}

#[tokio::test]
async fn a_run_that_is_stopped_decides_nothing() {
    let stage = Stage::empty().await;
    let set = stage.test_set("questions", cases(150, 0)).await;
    let prompt = stage.prompt("answers", &json!({ "test_set_id": set })).await;
    stage.provider.answer_only(40);
    let version = stage.version(&prompt, "{{ message }}").await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/versions/{version}")).await;
    tab.follow("on test/model").await;
    tab.follow("Stop it").await;
    tab.sees_but_not("Somebody stopped the run", "It is decided when").await;
    tab.sees("cancelled").await;
}
