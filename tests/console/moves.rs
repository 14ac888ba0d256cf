//! The way of a version through the console: written, promoted, rolled back, and each step says what it does.

use e2e::{Call, World, text};
use serde_json::{Value, json};

use crate::browser::{Browser, hidden, location};

#[tokio::test]
async fn a_version_is_promoted_and_rolled_back_and_each_step_says_what_it_does() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let id = text(&prompt["prompt_id"]);
    let first = world.version(&prompt, &json!({ "template_text": "Hello {{ name }}" })).await;
    let second = world.version(&prompt, &json!({ "template_text": "Goodbye {{ name }}" })).await;
    world.promote(&prompt, &first, "production").await.expect(200);
    let browser = Browser::of_admin(&world).await;

    let ask = format!("/console/versions/{}/promote?env=production", text(&second["version_id"]));
    let page = browser.page(&ask).await;
    for wanted in [
        "Promote version 2 to production",
        "version 1</a> to <strong>version 2",
        "support/greeter",
        "ungated",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let seen = hidden(&page, "expected_revision");
    let path = format!("/console/versions/{}/promote", text(&second["version_id"]));
    let wish =
        [("environment", "production"), ("expected_revision", seen.as_str()), ("reason", "It is warmer")];
    let done = browser.submit(&path, &wish).await;
    assert_eq!(done.status, 200, "{}", done.text());
    for wanted in ["went from version 1 to", "version 2</a>", "Everywhere by", "Written in", "Roll back</a>"]
    {
        assert!(done.text().contains(wanted), "{wanted}: {}", done.text());
    }
    let late = browser.submit(&path, &wish).await;
    assert_eq!(late.status, 412, "whoever looked before does not move it: {}", late.text());

    let ask = format!("/console/prompts/{id}/rollback?env=production");
    let page = browser.page(&ask).await;
    assert!(page.contains("back to <strong>version 1</strong>"), "{page}");
    let seen = hidden(&page, "expected_revision");
    let wish = [
        ("environment", "production"),
        ("expected_revision", &seen),
        ("target_version_id", ""),
        ("reason", "Too warm"),
    ];
    let done = browser.submit(&format!("/console/prompts/{id}/rollback"), &wish).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("went from version 2 to"), "{}", done.text());
    let live = world.admin(Call::get(format!("/api/prompts/{id}"))).await.expect(200);
    assert_eq!(live["production_version_id"], first["version_id"]);
    let history = browser.page(&format!("/console/prompts/{id}")).await;
    for wanted in ["rolled back", "Too warm", "It is warmer"] {
        assert!(history.contains(wanted), "{wanted}: {history}");
    }
}

#[tokio::test]
async fn a_rollback_goes_where_its_page_says_or_says_why_it_cannot() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let id = text(&prompt["prompt_id"]);
    let mut versions = Vec::new();
    for words in ["one", "two", "three", "four"] {
        versions.push(world.version(&prompt, &json!({ "template_text": words })).await);
    }
    for version in &versions[..3] {
        world.promote(&prompt, version, "production").await.expect(200);
    }
    let browser = Browser::of_admin(&world).await;
    let page = browser.page(&format!("/console/prompts/{id}")).await;
    assert_eq!(page.matches("Roll back to this").count(), 2, "{page}");

    let path = format!("/console/prompts/{id}/rollback");
    let ask = |to: &Value| format!("{path}?env=production&to={}", text(&to["version_id"]));
    let page = browser.page(&ask(&versions[0])).await;
    for wanted in ["version 3</a> back to <strong>version 1</strong>", "diff?from=3&amp;to=1"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let (target, revision) = (hidden(&page, "target_version_id"), hidden(&page, "expected_revision"));
    assert_eq!(target, text(&versions[0]["version_id"]));
    for (version, why) in [(&versions[3], "was never live in production"), (&versions[2], "is live in")] {
        let page = browser.page(&ask(version)).await;
        assert!(page.contains(&format!("version {}: it {why}", version["version_number"])), "{page}");
        assert!(!page.contains("target_version_id"), "nothing else is chosen instead: {page}");
    }
    let other = world.prompt("support", "other", &json!({})).await;
    let foreign = world.version(&other, &json!({ "template_text": "one" })).await;
    assert_eq!(browser.get(&ask(&foreign)).await.status, 404);

    let wish =
        [("environment", "production"), ("expected_revision", &revision), ("target_version_id", &target)];
    let done = browser.submit(&path, &wish).await.text();
    assert!(done.contains("went from version 3 to") && done.contains("version 1</a>"), "{done}");
}

#[tokio::test]
async fn the_gate_refuses_in_place_and_only_an_admin_is_offered_to_pass_it() {
    let world = World::start().await;
    let gate = json!({ "gate": { "mode": "required" } });
    let prompt = world.prompt("support", "greeter", &gate).await;
    let version = world.version(&prompt, &json!({ "template_text": "Hello" })).await;
    let path = format!("/console/versions/{}/promote", text(&version["version_id"]));
    let wish = [("environment", "production"), ("reason", "In a hurry")];
    let releaser = Browser::with_key(&world, &world.key("support", "releaser").await).await;
    let answer = releaser.submit(&path, &wish).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("The version has no verdict") && answer.text().contains("In a hurry"));
    assert!(!answer.text().contains("override_reason"));
    let admin = Browser::of_admin(&world).await;
    assert!(admin.submit(&path, &wish).await.text().contains("override_reason"));
    let overridden = [wish[0], wish[1], ("override_reason", "The shop is down")];
    assert_eq!(admin.submit(&path, &overridden).await.status, 200);
    let page = admin.page(&format!("/console/prompts/{}", text(&prompt["prompt_id"]))).await;
    assert!(page.contains("badge bad\">overrode the gate"), "{page}");
}

#[tokio::test]
async fn an_environment_is_locked_and_unlocked() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "Hello" })).await;
    world.promote(&prompt, &version, "production").await.expect(200);
    let path = format!("/console/prompts/{}", text(&prompt["prompt_id"]));
    let browser = Browser::of_admin(&world).await;
    let wish = [("environment", "production"), ("reason", "The fair"), ("hours", "4")];
    assert_eq!(location(&browser.submit(&format!("{path}/lock"), &wish).await), path);
    let page = browser.page(&path).await;
    assert!(page.contains("title=\"The fair\"") && page.contains("in 4 h"), "{page}");
    let off = [("environment", "production")];
    assert_eq!(location(&browser.submit(&format!("{path}/unlock"), &off).await), path);
    assert!(!browser.page(&path).await.contains("title=\"The fair\""));
}
