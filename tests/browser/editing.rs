//! The editor: what is typed is shown as it will be sent, is tried, and is not lost.

use serde_json::json;

use crate::{stage::Stage, tab::Tab};

/// What the editor says where there is a draft.
const KEPT: &str = "A draft that you did not save";

/// Types a template, and waits until it is kept: the preview shows it then.
async fn write(tab: &mut Tab, template: &str) {
    tab.fill("Template", template).await;
    let shown = json!(template.split(' ').next());
    tab.until(&format!("document.getElementById('rendered').innerText.includes({shown})")).await;
}

#[tokio::test]
async fn the_preview_follows_what_is_typed() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("greeter", &json!({})).await;
    let version = stage.version(&prompt, "Hello {{ name }} of {{ place }}").await;
    stage.promote(&prompt, &version, "production").await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/prompts/{prompt}/edit")).await;
    tab.fill("Template", "Hi {{ name }}, how is {{ mood }}?").await;
    tab.sees("Lost: place").await;
    tab.sees("New: mood").await;
    tab.fill("name string", "Ann").await;
    tab.fill("mood string", "life").await;
    tab.sees("Hi Ann, how is life?").await;
    tab.fill("Template", "Hi {{ name").await;
    tab.sees_but_not("line 1", "Hi Ann").await;

    tab.fill("Template", "Bye {{ name }}").await;
    tab.sees("Bye Ann").await;
    tab.click("Try with these values").await;
    let answer = "document.getElementById('tried-here').innerText.includes('Bye Ann')";
    tab.until(answer).await;
    assert_eq!(stage.provider.calls_for("Bye Ann"), 1);
}

#[tokio::test]
async fn a_draft_survives_its_tab_and_is_gone_once_saved() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("greeter", &json!({})).await;
    stage.version(&prompt, "Hello {{ name }}").await;
    let editor = format!("/console/prompts/{prompt}/edit");
    let mut first = stage.admin().await;
    first.go(&editor).await;
    first.fill("Template", "Written at length, {{ name }}").await;
    // Once the preview shows it, it is kept.
    first.sees("Written at length").await;
    let mut second = first.another().await;
    first.close().await;

    second.go(&editor).await;
    second.sees(KEPT).await;
    assert_eq!(second.value("Template").await, "Hello {{ name }}");
    second.click("Bring it back").await;
    assert_eq!(second.value("Template").await, "Written at length, {{ name }}");
    second.sees("Written at length").await;
    second.follow("Save as version 2").await;
    second.sees("Written at length").await;
    second.go(&editor).await;
    second.sees_but_not("Preview", KEPT).await;

    second.fill("Template", "Not so good").await;
    second.sees("Not so good").await;
    second.go(&editor).await;
    second.click("Throw it away").await;
    second.go(&editor).await;
    second.sees_but_not("Preview", KEPT).await;
    assert_eq!(second.value("Template").await, "Written at length, {{ name }}");
}

#[tokio::test]
async fn a_draft_is_kept_until_it_is_saved_and_no_other_takes_its_place() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("greeter", &json!({})).await;
    stage.version(&prompt, "Hello").await;
    let editor = format!("/console/prompts/{prompt}/edit");
    let mut tab = stage.admin().await;
    tab.go(&editor).await;
    write(&mut tab, "First draft").await;
    tab.go(&editor).await;
    tab.click("Bring it back").await;
    assert_eq!(tab.value("Template").await, "First draft");
    // Whoever looks at it and leaves finds it again, and also whoever writes another beside it.
    tab.go(&editor).await;
    tab.sees(KEPT).await;
    write(&mut tab, "Second draft").await;
    tab.go(&editor).await;
    tab.click("Bring it back").await;
    assert_eq!(tab.value("Template").await, "Second draft");
    tab.follow("Save as version 2").await;
    tab.sees("It serves nobody until it is promoted").await;
    let saved = tab.path().await;
    tab.go(&editor).await;
    tab.click("Bring it back").await;
    assert_eq!(tab.value("Template").await, "First draft");

    // The page of what was saved, opened again, takes no draft away.
    write(&mut tab, "Third draft").await;
    tab.go(&saved).await;
    tab.go(&editor).await;
    tab.click("Throw it away").await;
    tab.sees_but_not("Preview", KEPT).await;
}

#[tokio::test]
async fn a_draft_comes_back_with_its_values_and_on_the_version_on_which_it_was_begun() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("greeter", &json!({})).await;
    stage.version(&prompt, "Hello {{ name }}").await;
    let editor = format!("/console/prompts/{prompt}/edit");
    let mut tab = stage.admin().await;
    tab.go(&editor).await;
    write(&mut tab, "Hi {{ name }}, how is {{ mood }}?").await;
    tab.fill("name string", "Ann").await;
    tab.fill("mood string", "life").await;
    tab.sees("Hi Ann, how is life?").await;
    stage.version(&prompt, "theirs").await;

    tab.go(&editor).await;
    tab.click("Bring it back").await;
    tab.sees("Hi Ann, how is life?").await;
    tab.sees("Another version was saved since this draft was begun").await;
    tab.follow("Save as version 3").await;
    tab.sees("version 2 is newer").await;
    assert_eq!(tab.value("Template").await, "Hi {{ name }}, how is {{ mood }}?");
    tab.follow("save on top of version 2").await;
    tab.sees("Version 3").await;
    tab.go(&editor).await;
    tab.sees_but_not("Preview", KEPT).await;
}

#[tokio::test]
async fn rows_are_added_and_whoever_is_late_loses_nothing() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("greeter", &json!({})).await;
    stage.version(&prompt, "one").await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/prompts/{prompt}/edit")).await;
    tab.click("Examples (0)").await;
    tab.click("Another example").await;
    tab.until("document.querySelectorAll('#examples .row').length === 2").await;
    tab.fill("Template", "mine").await;
    stage.version(&prompt, "theirs").await;
    tab.follow("Save as version 2").await;
    tab.sees("version 2 is newer").await;
    assert_eq!(tab.value("Template").await, "mine");
    tab.follow("save on top of version 2").await;
    tab.sees("Version 3").await;
    tab.sees("mine").await;
}
