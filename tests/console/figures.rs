//! Figures over many prompts: those of the overview and of the dashboard.

use std::time::Duration;

use e2e::{Call, World};
use regex::Regex;
use serde_json::json;

use crate::browser::Browser;

/// A live prompt of a team of which so many calls are reported, of one cent each.
async fn called(world: &World, team: &str, name: &str, calls: usize) {
    let prompt = world.prompt(team, name, &json!({})).await;
    let version = world.version(&prompt, &json!({ "template_text": "a" })).await;
    let event = json!({ "version_id": version["version_id"], "cost_usd": 0.01, "user_rating": 4 });
    let body = json!({ "events": vec![event; calls] });
    let answer = world.admin(Call::post("/api/metrics", &body)).await.expect(202);
    assert_eq!(answer["accepted"], calls);
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
