//! Figures over many prompts: those of the overview and of the dashboard.

use std::time::Duration;

use e2e::{Call, World, text};
use regex::Regex;
use serde_json::{Value, json};

use crate::browser::Browser;

/// A live prompt of a team of which so many calls are reported, of one cent each.
async fn called(world: &World, team: &str, name: &str, calls: usize) {
    let prompt = world.prompt(team, name, &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let event = json!({ "version_id": version["version_id"], "cost_usd": 0.01, "user_rating": 4 });
    report(world, &vec![event; calls]).await;
}

/// Reports calls, and waits until they are counted.
pub(crate) async fn report(world: &World, events: &[Value]) {
    let answer = world.admin(Call::post("/api/metrics", &json!({ "events": events }))).await.expect(202);
    assert_eq!(answer["accepted"], events.len());
    while world.step_metrics().await > 0 {}
}

/// A figure of the overview, by what stands behind it.
fn figure(page: &str, what: &str) -> String {
    let pattern = format!(r#"<span class="figure">([^<]*)</span> {what}"#);
    Regex::new(&pattern).unwrap().captures(page).unwrap_or_else(|| panic!("no {what}: {page}"))[1].to_owned()
}

#[tokio::test]
async fn the_overview_sums_today_over_all_prompts_and_the_dashboard_over_those_of_a_team() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let page = browser.page("/console").await;
    assert_eq!(
        (figure(&page, "calls today"), figure(&page, "mean rating")),
        ("0".to_owned(), "–".to_owned())
    );
    called(&world, "support", "greeter", 3).await;
    called(&world, "growth", "writer", 4).await;
    // Figures stay as they are for a minute.
    world.clock.advance(Duration::from_mins(1));
    let page = browser.page("/console").await;
    let said = ["calls today", "cost today", "errors", "mean rating"].map(|what| figure(&page, what));
    assert_eq!(said, ["7", "$0.07", "0.0\u{a0}%", "4.00"]);

    let all = browser.page("/console/dashboard").await;
    assert!(all.contains("greeter</a>") && all.contains("writer</a>"), "{all}");
    let one = browser.page("/console/dashboard?team=growth").await;
    assert!(!one.contains("greeter</a>") && one.contains("writer</a>"), "{one}");
    // An admin sees all teams, also with the key of one, and nobody sees what was added up for an admin.
    let admin = Browser::with_key(&world, &world.key("support", "admin").await).await;
    assert_eq!(figure(&admin.page("/console").await, "calls today"), "7");
    let stranger = Browser::with_key(&world, &world.key("support", "author").await).await;
    let page = stranger.page("/console").await;
    assert_eq!(figure(&page, "calls today"), "3", "whoever is of one team sees that team's alone");
    let page = stranger.page("/console/dashboard?team=growth").await;
    assert!(!page.contains("writer</a>"), "{page}");
}

#[tokio::test]
async fn the_dashboard_draws_a_line_for_each_team_prompt_or_version_and_says_where_latency_is() {
    let world = World::start().await;
    let browser = Browser::of_admin(&world).await;
    let page = browser.page("/console/dashboard?by=version").await;
    assert!(page.contains("there is no prompt whose versions could be drawn"), "{page}");
    let mut prompts = Vec::new();
    for (team, name) in [("support", "greeter"), ("growth", "writer")] {
        let prompt = world.prompt(team, name, &json!({})).await;
        for words in ["one", "two"] {
            let version = world.version(&prompt, &json!({ "template_text": words })).await;
            let days = ["2026-11-19T12:00:00Z", "2026-11-20T06:00:00Z"];
            let event =
                |at: &str| json!({ "version_id": version["version_id"], "timestamp": at, "latency_ms": 5 });
            report(&world, &days.map(event)).await;
        }
        prompts.push(prompt);
    }
    // Figures stay as they are for a minute.
    world.clock.advance(Duration::from_mins(1));
    let latencies = ["Median of the latency, ms</", "95th percentile of the latency, ms</"];
    let greeter = format!("by=version&prompt={}", text(&prompts[0]["prompt_id"]));
    for (query, lines, others, latency) in [
        ("", [""; 2], "</li>", false),
        ("by=team", [">support</li>", ">growth</li>"], ">version", false),
        ("by=team&team=growth", [">growth</li>"; 2], ">support</li>", false),
        ("by=prompt", [">support/greeter</li>", ">growth/writer</li>"], ">version", true),
        ("by=prompt&team=growth", [">growth/writer</li>"; 2], ">support/greeter</li>", true),
        (greeter.as_str(), [">version 1</li>", ">version 2</li>"], ">growth/writer</li>", true),
    ] {
        let page = browser.page(&format!("/console/dashboard?{query}")).await;
        let figures = &page[page.find("class=\"figures\"").unwrap()..page.find("id=\"ranking\"").unwrap()];
        for line in lines {
            assert!(figures.contains(line), "{query}: {line}: {figures}");
        }
        assert!(!figures.contains(others), "{query}: {figures}");
        assert_eq!(latencies.map(|title| figures.contains(title)), [latency; 2], "{query}: {figures}");
        assert_eq!(figures.contains("Latency is counted by version"), !latency, "{query}: {figures}");
    }
}

#[tokio::test]
async fn the_requests_of_a_day_are_those_of_every_version_that_answered_them() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let mut versions = Vec::new();
    for (words, calls) in [("one", 3), ("two", 2)] {
        let version = world.version(&prompt, &json!({ "template_text": words })).await;
        world.promote(&prompt, &version, "production").await.expect(200);
        let event = json!({ "version_id": version["version_id"], "latency_ms": 5 });
        report(&world, &vec![event; calls]).await;
        versions.push(version);
    }
    let browser = Browser::of_admin(&world).await;
    let first = text(&versions[0]["version_id"]);
    for path in [
        format!("/console/versions/{first}/promote?env=production"),
        format!("/console/versions/{first}/canary"),
        format!("/console/prompts/{}/rollback?env=production", text(&prompt["prompt_id"])),
    ] {
        let page = browser.page(&path).await;
        assert!(page.contains("5 requests in the last 24 hours"), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_charts_of_a_prompt_mark_what_went_live_today_and_nothing_else() {
    let world = World::start().await;
    let prompt = world.prompt("support", "greeter", &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let event = |at: &str| json!({ "version_id": version["version_id"], "timestamp": at, "latency_ms": 5 });
    report(&world, &[event("2026-11-19T12:00:00Z"), event("2026-11-20T06:00:00Z")]).await;
    let id = text(&prompt["prompt_id"]);
    let lock = format!("/api/prompts/{id}/environments/production/lock");
    world.admin(Call::put(&lock, &json!({ "reason": "The fair" }))).await.expect(200);
    world.admin(Call::delete(&lock)).await.expect(200);
    let browser = Browser::of_admin(&world).await;
    let page = browser.page(&format!("/console/prompts/{id}")).await;
    assert!(page.contains("class=\"chart\"") && !page.contains("#030303"), "a lock is no move: {page}");
    world.promote(&prompt, &version, "production").await.expect(200);
    let page = browser.page(&format!("/console/prompts/{id}")).await;
    assert!(page.contains("#030303"), "{page}");
}
