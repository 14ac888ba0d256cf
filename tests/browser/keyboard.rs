//! Without a mouse: everything is reached in its order, and one sees where one is.

use serde_json::json;

use crate::{stage::Stage, tab::Tab};

/// More stops than any page has before its main action.
const MOST_STOPS: usize = 80;

const TAB: u32 = 9;
const ENTER: u32 = 13;

/// What has the focus, and whether one sees it: it is drawn, in the window, and with an outline.
const FOCUS: &str = "(() => {
        const thing = document.activeElement;
        const [box, style] = [thing.getBoundingClientRect(), getComputedStyle(thing)];
        const drawn = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
        return [
            (thing.innerText || thing.labels?.[0]?.innerText || thing.tagName).trim(),
            drawn && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        ];
    })()";

/// Goes from stop to stop until that one, and says where that led over.
async fn until(tab: &mut Tab, wanted: &str) -> Vec<String> {
    let mut stops = Vec::new();
    while stops.len() < MOST_STOPS {
        tab.key("Tab", TAB).await;
        let (name, seen): (String, bool) = tab.js(FOCUS).await;
        assert!(seen, "one does not see that {name} has the focus");
        stops.push(name.clone());
        if name == wanted {
            return stops;
        }
    }
    panic!("{wanted} is not reached: {stops:?}");
}

#[tokio::test]
async fn a_rollback_needs_no_mouse() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("answers", &json!({})).await;
    for template in ["one", "two"] {
        let version = stage.version(&prompt, template).await;
        stage.promote(&prompt, &version, "production").await;
    }
    let mut tab = stage.admin().await;
    tab.go("/console").await;
    assert_eq!(until(&mut tab, "Skip to the content").await.len(), 1, "it is the first stop");
    tab.key("Enter", ENTER).await;
    tab.until("document.activeElement.id === 'main'").await;
    until(&mut tab, "support/answers").await;
    tab.enter().await;
    tab.sees("What is live").await;
    until(&mut tab, "Roll back").await;
    tab.enter().await;
    let stops = until(&mut tab, "Roll back production").await;
    assert!(stops.iter().any(|stop| stop == "Why"), "{stops:?}");
    tab.enter().await;
    tab.sees("production went from version 2 to version 1").await;
}

#[tokio::test]
async fn a_version_is_written_without_a_mouse() {
    let stage = Stage::empty().await;
    let prompt = stage.prompt("answers", &json!({})).await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/prompts/{prompt}/edit")).await;
    until(&mut tab, "Template").await;
    tab.call("Input.insertText", json!({ "text": "Hello {{ name }}" })).await;
    until(&mut tab, "Model").await;
    tab.call("Input.insertText", json!({ "text": "test/model" })).await;
    until(&mut tab, "Save as version 1").await;
    tab.enter().await;
    tab.sees("It serves nobody until it is promoted").await;
}
