//! What people do in the console, apart from trials.

use std::time::Duration;

use axum::http::Method;
use e2e::{
    Call,
    browser::{Browser, hidden, location},
    text,
};

use super::{
    stage::Stage,
    written::{Written, cases},
};

pub(super) async fn play(stage: &mut Stage, written: &Written) {
    stage.world.clock.advance(Duration::from_secs(10));
    let browser = Browser::of_admin(stage.acting("console")).await;
    for path in
        ["", "/dashboard", "/audit", "/keys", "/models", "/prompts", "/prompts?team=support", "/review"]
    {
        browser.page(&format!("/console{path}")).await;
    }
    browser.page(&format!("/console/runs/{}", text(&written.other["eval_run_id"]))).await;
    moves(stage, &browser, written).await;
    test_sets(stage, &browser).await;
    trial(stage, &browser).await;
    browser.submit("/console/sign-out", &[]).await;
}

/// The editor's trials go to another function, which has none of the pages.
async fn trial(stage: &mut Stage, browser: &Browser) {
    let csrf = hidden(&browser.page("/console/prompts/new").await, "csrf");
    let mut trying = Browser::new(&stage.acting("try").process.router);
    trying.take(browser.cookie());
    let fields =
        [("csrf", csrf.as_str()), ("kind", "text"), ("template_text", "hi"), ("model_id", "test/model")];
    let answer = trying.send(Call::new(Method::POST, "/console/try"), &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn moves(stage: &mut Stage, browser: &Browser, written: &Written) {
    let path = format!("/console/versions/{}/promote", text(&written.other["version_id"]));
    let page = browser.page(&format!("{path}?env=production")).await;
    let seen = hidden(&page, "expected_revision");
    let wish = [("environment", "production"), ("expected_revision", &seen), ("reason", "It is warmer")];
    let done = browser.submit(&path, &wish).await;
    assert_eq!(done.status, 200, "{}", done.text());

    let moved = stage.get("/api/prompts/by-name?name=moved").await;
    let path = format!("/console/prompts/{}/rollback", text(&moved["prompt_id"]));
    let seen = hidden(&browser.page(&format!("{path}?env=production")).await, "expected_revision");
    stage.hinder("console");
    let wish = [("environment", "production"), ("expected_revision", &seen), ("target_version_id", "")];
    let done = browser.submit(&path, &wish).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

/// One is made, filled, shown and deleted; and one is shown whose cases are lost.
async fn test_sets(stage: &mut Stage, browser: &Browser) {
    let fields = [("name", "of people"), ("team_id", "support")];
    let set = location(&browser.submit("/console/test-sets", &fields).await);
    let lines: Vec<_> = cases().iter().map(ToString::to_string).collect();
    let fields = [("format", "jsonl"), ("cases", &lines.join("\n"))];
    let path = format!("{set}/cases");
    assert_eq!(location(&browser.submit(&path, &fields).await), format!("{set}?saved=1"));
    browser.page(&set).await;
    let deleted = browser.submit(&format!("{set}/delete"), &[("confirm", "of people")]).await;
    assert_eq!(location(&deleted), "/console/test-sets");
    let lost = stage.test_set(&cases()).await;
    stage.lose(&lost).await;
    assert_eq!(browser.get(&format!("/console/test-sets/{lost}")).await.status, 404);
}
