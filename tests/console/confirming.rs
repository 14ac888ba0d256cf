//! Before the traffic of a trial moves, its page says what changes and for whom, and asks. What was typed stays.

use e2e::{Call, text};
use serde_json::json;

use crate::{
    browser::{Browser, location},
    figures::report,
    scene::Scene,
};

#[tokio::test]
async fn a_canary_is_taken_further_or_back_only_after_a_question() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let page = format!("/console/canaries/{}", scene.canary);
    let step = format!("{page}/step");
    let goes = |from: &str, to: &str| format!("goes from {from}\u{a0}% to <strong>{to}\u{a0}%</strong>");
    for (word, name, ours, theirs) in [
        ("advance", "Promote version 2 now", "100.0", "0.0"),
        ("abort", "Abort: everybody gets version 1", "0.0", "100.0"),
    ] {
        let asked = browser.submit(&step, &[("step", word), ("reason", "Seen enough")]).await;
        assert_eq!(asked.status, 200, "{word}: {}", asked.text());
        let shown = asked.text();
        for wanted in [
            format!("{name}?</h2>"),
            goes("5.0", ours),
            goes("95.0", theirs),
            "Of the requests of <strong>production</strong>".to_owned(),
            "requests in the last 24 hours".to_owned(),
            "value=\"Seen enough\"".to_owned(),
        ] {
            assert!(shown.contains(&wanted), "{word}: {wanted}: {shown}");
        }
    }
    let shown = browser.page(&page).await;
    assert!(shown.contains("5.0\u{a0}%</span> of the users"), "nothing was done yet: {shown}");
    let stale = [("step", "advance"), ("reason", "Seen enough"), ("seen", "0"), ("sure", "yes")];
    let refused = browser.submit(&step, &stale).await;
    assert_eq!(refused.status, 412, "{}", refused.text());
    for wanted in ["moved since you looked", "name=\"seen\" value=\"1\"", "Promote version 2 now?</h2>"] {
        assert!(refused.text().contains(wanted), "it is asked again: {wanted}: {}", refused.text());
    }
    let sure = [("step", "abort"), ("reason", "Seen enough"), ("sure", "yes")];
    assert_eq!(location(&browser.submit(&step, &sure).await), page);
    let late = browser.submit(&step, &[("step", "advance"), ("reason", "Once more")]).await;
    assert_eq!(late.status, 409, "{}", late.text());
    for wanted in ["The canary was stopped", "<q>Once more</q>"] {
        assert!(late.text().contains(wanted), "what cannot be done is not asked about: {}", late.text());
    }
}

#[tokio::test]
async fn a_canary_is_held_without_a_question_for_nobody_gets_another_version_by_that() {
    let scene = Scene::of("words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let page = format!("/console/canaries/{}", scene.canary);
    for (word, held) in [("pause", true), ("resume", false)] {
        let done = browser.submit(&format!("{page}/step"), &[("step", word)]).await;
        assert_eq!(location(&done), page);
        assert_eq!(browser.page(&page).await.contains(">paused</span>"), held, "{word}");
    }
}

#[tokio::test]
async fn a_winner_is_named_only_after_a_question() {
    let scene = Scene::of("words").await;
    let world = &scene.world;
    let path = format!("/api/prompts/{}", scene.prompt_id());
    let prompt = world.admin(Call::get(&path)).await.expect(200);
    let event = json!({ "version_id": prompt["production_version_id"], "latency_ms": 5 });
    report(world, &vec![event; 20]).await;
    let browser = Browser::of_admin(world).await;
    let page = format!("/console/experiments/{}", scene.experiment);
    let stop = format!("{page}/stop");
    let newer = text(&prompt["newest_version_id"]);
    for (winner, wanted) in [
        ("", ["Stop it: everybody gets version 1?</h2>", "its control stays live"]),
        (newer, ["Stop it: everybody gets version 2?</h2>", "version 2 is promoted"]),
    ] {
        let wish = [("winner_version_id", winner), ("reason", "People like it")];
        let asked = browser.submit(&stop, &wish).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        let said = [
            "goes from 50.0\u{a0}% to <strong>100.0\u{a0}%</strong>",
            "20 requests in the last 24 hours, so about 10 a day get another version",
            "value=\"People like it\"",
        ];
        for wanted in wanted.into_iter().chain(said) {
            assert!(asked.text().contains(wanted), "{wanted}: {}", asked.text());
        }
    }
    let live = world.admin(Call::get(&path)).await.expect(200);
    assert_eq!(live["production_version_id"], prompt["production_version_id"], "nothing was done yet");
    let sure = [("winner_version_id", newer), ("reason", "People like it"), ("sure", "yes")];
    assert_eq!(location(&browser.submit(&stop, &sure).await), page);
    let live = world.admin(Call::get(&path)).await.expect(200);
    assert_eq!(live["production_version_id"], prompt["newest_version_id"]);
    let late = browser.submit(&stop, &[("winner_version_id", ""), ("reason", "Once more")]).await;
    assert_eq!(late.status, 409, "{}", late.text());
    for wanted in ["has ended already", "<q>Once more</q>"] {
        assert!(late.text().contains(wanted), "what cannot be done is not asked about: {}", late.text());
    }
}
