//! The editor: from an empty prompt to versions, with previews, and beside what somebody else wrote meanwhile.

use e2e::{Call, World, text};
use serde_json::json;

use crate::browser::{Browser, hidden, location};

#[tokio::test]
async fn a_prompt_is_made_and_its_first_version_written() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let fields = [("name", "greeter"), ("team_id", "support"), ("tags", "warm, short")];
    let editor = location(&browser.submit("/console/prompts/new", &fields).await);
    let path = editor.trim_end_matches("/edit");
    assert!(browser.page(&editor).await.contains("First version of greeter"));
    let draft = [
        ("kind", "text"),
        ("template_text", "Hello {{ name }}\r\nBye"),
        ("system_prompt", ""),
        ("model_id", "test/model"),
        ("temperature", "0.2"),
        ("max_tokens", "50"),
        ("example_input", "a"),
        ("example_output", "b"),
        ("note", "First"),
    ];
    let version = location(&browser.submit(&format!("{path}/versions"), &draft).await);
    assert!(version.ends_with("?saved=1"), "{version}");
    let page = browser.page(&version).await;
    for wanted in ["Hello {{ name }}\nBye", "0.2", "<code>name</code>", "It serves nobody until"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let again = location(&browser.submit(&format!("{path}/versions"), &draft).await);
    assert!(again.ends_with("?unchanged=1"), "the same content makes nothing: {again}");
}

#[tokio::test]
async fn a_preview_shows_the_messages_and_what_callers_would_miss() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let version =
        world.version(&prompt, &json!({ "template_text": "Hello {{ name }} of {{ place }}" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let browser = Browser::of_admin(&world).await;
    let path = format!("/console/prompts/{}/preview", text(&prompt["prompt_id"]));
    let draft = [
        ("kind", "text"),
        ("template_text", "Hi {{ name }}, {{ mood }}"),
        ("value:name", "Ann"),
        ("value:mood", "well"),
    ];
    let part = browser.submit(&format!("{path}?part=1"), &draft).await;
    assert_eq!(part.status, 200);
    let (part, page) = (part.text(), browser.submit(&path, &draft).await.text());
    for shown in [&part, &page] {
        for wanted in ["Hi Ann, well", "Lost: place", "New: mood"] {
            assert!(shown.contains(wanted), "{wanted}: {shown}");
        }
    }
    assert!(!part.contains("<html") && page.contains("<html"));
    let broken = browser.submit(&path, &[("kind", "text"), ("template_text", "Hi {{ name")]).await;
    assert!(broken.text().contains("Hi {{ name</textarea>"), "{}", broken.text());
}

#[tokio::test]
async fn a_preview_says_which_variables_callers_of_production_send_otherwise() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let template = "Hello {{ name }}{% if tone %}, {{ tone }}{% endif %}";
    let variables = json!([{ "name": "name" }, { "name": "tone", "required": false }]);
    let content = json!({ "template_text": template, "variables": variables });
    let version = world.version(&prompt, &content).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let browser = Browser::of_admin(&world).await;
    let path = format!("/console/prompts/{}/preview?part=1", text(&prompt["prompt_id"]));
    let preview = async |variables: &str| {
        let draft = [("kind", "text"), ("template_text", template), ("variables", variables)];
        browser.submit(&path, &draft).await.text()
    };
    let part = preview(r#"[{"name":"name","type":"json"},{"name":"tone"}]"#).await;
    for wanted in ["Another type: name.", "Required now: tone."] {
        assert!(part.contains(wanted), "{wanted}: {part}");
    }
    assert!(!part.contains("Lost:") && !part.contains("New:"), "{part}");
    let part = preview(r#"[{"name":"name"},{"name":"tone","default":"warmly"}]"#).await;
    assert!(!part.contains("Another type") && !part.contains("Required now"), "{part}");
}

#[tokio::test]
async fn values_that_were_tried_are_kept_as_a_case() {
    let world = World::start().await;
    let set = json!({ "team_id": "support", "name": "questions" });
    let set = world.admin(Call::post("/api/test-sets", &set)).await.expect(201);
    let set = text(&set["test_set_id"]);
    let browser = Browser::of_admin(&world).await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let editor = format!("/console/prompts/{}/edit", text(&prompt["prompt_id"]));
    assert!(browser.page(&editor).await.contains("With a test set, chosen in the prompt's settings"));
    let change = Call::patch(
        editor.trim_end_matches("/edit").replace("/console", "/api"),
        &json!({ "test_set_id": set }),
    );
    world.admin(change).await.expect(200);
    let path = format!("/console/test-sets/{set}/case");
    assert!(browser.page(&editor).await.contains(&path));
    let draft = [
        ("kind", "text"),
        ("template_text", "Hi {{ name }}, {{ facts }}"),
        ("variables", r#"[{"name":"name","type":"string"},{"name":"facts","type":"json"}]"#),
        ("model_id", "test/model"),
        ("value:name", "Ann"),
        ("value:facts", r#"{"n": 1.10}"#),
    ];
    let refused = async |fields: &[(&str, &str)], said: &str| {
        let answer = browser.submit(&path, fields).await;
        let page = answer.text();
        assert!(answer.status == 422 && page.contains(said), "{page}");
    };
    refused(&draft, "Say what the answer has to be").await;
    let wanted = [draft.as_slice(), &[("case_check", "icontains"), ("case_value", "ann")]].concat();
    let page = location(&browser.submit(&path, &wanted).await);
    assert!(page.ends_with("?saved=1"), "{page}");
    let cases = world.admin(Call::get(format!("/api/test-sets/{set}/cases"))).await;
    let kept = r#"{"vars":{"facts":{"n": 1.10},"name":"Ann"},"assert":[{"type":"icontains","value":"ann"}]}"#;
    assert_eq!(cases.text().trim_end(), kept);
    let broken = [("value:facts", "{")].iter().chain(&wanted).copied().collect::<Vec<_>>();
    refused(&broken, "is no JSON").await;
}

#[tokio::test]
async fn whoever_writes_on_an_old_version_is_told_and_loses_nothing() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    world.version(&prompt, &json!({ "template_text": "one" })).await;
    let browser = Browser::of_admin(&world).await;
    let path = format!("/console/prompts/{}", text(&prompt["prompt_id"]));
    let based_on = hidden(&browser.page(&format!("{path}/edit")).await, "based_on");
    let newest = world.version(&prompt, &json!({ "template_text": "two" })).await;
    let draft = [("kind", "text"), ("template_text", "mine"), ("based_on", based_on.as_str())];
    let refused = browser.submit(&format!("{path}/versions"), &draft).await;
    assert_eq!(refused.status, 409);
    let page = refused.text();
    for wanted in ["\nmine</textarea>", "version 2 is newer", "save on top of version 2"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let mut insisting = draft.to_vec();
    insisting.push(("based_on_now", text(&newest["version_id"])));
    location(&browser.submit(&format!("{path}/versions"), &insisting).await);
    assert!(browser.page(&path).await.contains("version 3"));
}
