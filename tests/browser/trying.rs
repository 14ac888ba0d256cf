//! Versions served to a part of the users: a canary that is watched and taken back, an experiment that is stopped.

use serde_json::json;

use crate::stage::Stage;

/// A prompt with one version live and another beside it.
async fn two_versions(stage: &Stage) -> String {
    let prompt = stage.prompt("answers", &json!({})).await;
    let first = stage.version(&prompt, "one {{ message }}").await;
    stage.promote(&prompt, &first, "production").await;
    stage.version(&prompt, "two {{ message }}").await;
    prompt
}

/// Resolves as so many users, and reports how each answer was.
async fn traffic(stage: &Stage, prompt: &str, users: usize) {
    let variables = json!({ "message": "hello" }).to_string();
    let mut events = Vec::new();
    for user in 0..users {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("variables", variables.as_str()), ("user_id", &format!("user-{user}"))])
            .finish();
        let answer = stage.get(&format!("/api/resolve/{prompt}?{query}")).await;
        events.push(json!({
            "resolution_token": answer["resolution_token"], "latency_ms": 120, "user_rating": 4 + user % 2,
        }));
    }
    stage.post("/api/metrics", &json!({ "events": events })).await;
}

#[tokio::test]
async fn a_canary_is_started_watched_and_rolled_back() {
    let stage = Stage::empty().await;
    let prompt = two_versions(&stage).await;
    let mut tab = stage.admin().await;
    let page = format!("/console/prompts/{prompt}");
    tab.go(&page).await;
    tab.follow_in_row("version 2", "Canary").await;
    tab.fill("Stages, in percent", "50, 20").await;
    tab.follow("Start the canary").await;
    tab.sees("larger than the one before").await;
    tab.fill("Stages, in percent", "50").await;
    tab.fill("Why", "A few first").await;
    tab.follow("Start the canary").await;
    tab.sees("50.0 % of the users get the new version").await;
    tab.sees("of at least 50 requests").await;

    let canary = tab.path().await;
    traffic(&stage, &prompt, 24).await;
    let answered = "[...document.querySelectorAll('.stats > div')].find(box => box.innerText.includes('requests')).querySelector('.figure').innerText";
    let fresh = format!(
        "fetch({}).then(answer => answer.text()).then(text => new DOMParser().parseFromString(text, 'text/html')).then(document => Number({}) > 0)",
        json!(canary),
        answered.replace("innerText", "textContent")
    );
    tab.until(&fresh).await;
    tab.go(&canary).await;
    let requests: u32 = tab.js(&format!("Number({answered})")).await;
    assert!((1..24).contains(&requests), "{requests} of 24 users are in the canary");

    tab.follow("support/answers").await;
    tab.sees("canary: ").await;
    tab.follow_in_row("production", "Roll back").await;
    tab.sees("The canary that runs in production ends").await;
    tab.follow("Roll back production").await;
    tab.sees("It ended").await;
    tab.follow(canary.rsplit('/').next().unwrap()).await;
    tab.sees_but_not("Decision so far", "Take a hand").await;
    tab.go("/console").await;
    tab.sees("No canary and no experiment runs").await;
}

#[tokio::test]
async fn a_canary_is_held_resumed_and_aborted_by_hand() {
    let stage = Stage::empty().await;
    let prompt = two_versions(&stage).await;
    let mut tab = stage.admin().await;
    tab.go(&format!("/console/prompts/{prompt}")).await;
    tab.follow_in_row("version 2", "Canary").await;
    tab.follow("Start the canary").await;
    tab.follow("Pause").await;
    tab.sees("paused").await;
    tab.follow("Go on").await;
    // Without traffic it began with the last stage.
    tab.follow("Go to the next stage now").await;
    tab.sees("version 2 goes from 50.0 % to 100.0 %").await;
    tab.follow("Promote version 2 now").await;
    tab.fill("Why", "Enough seen").await;
    tab.follow("Abort: everybody gets version 1").await;
    tab.sees("version 1 goes from 0.0 % to 100.0 %").await;
    assert_eq!(tab.value("Why").await, "Enough seen");
    tab.follow("Abort: everybody gets version 1").await;
    tab.sees_but_not("Enough seen", "Take a hand").await;
}

#[tokio::test]
async fn an_experiment_is_started_and_stopped_with_a_winner() {
    let stage = Stage::empty().await;
    let prompt = two_versions(&stage).await;
    let mut tab = stage.admin().await;
    let page = format!("/console/prompts/{prompt}");
    tab.go(&page).await;
    tab.follow("Experiment").await;
    tab.click("version 2 not passed").await;
    tab.choose("Better in", "ratings of users").await;
    tab.choose("Traffic", "divided equally").await;
    tab.choose("A winner", "a person decides").await;
    tab.follow("Start it").await;
    tab.sees("No arm has an answer yet").await;
    let experiment = tab.path().await;
    traffic(&stage, &prompt, 24).await;
    let counted = format!(
        "fetch({}).then(answer => answer.text()).then(text => !text.includes('No arm has an answer yet'))",
        json!(experiment)
    );
    tab.until(&counted).await;
    tab.go(&experiment).await;
    tab.sees("The arm with the fewest answers has").await;
    tab.choose("Then live", "version 2").await;
    tab.fill("Why", "People like it").await;
    tab.follow("Stop the experiment").await;
    tab.sees("version 2 goes from 50.0 % to 100.0 %").await;
    assert_eq!(tab.value("Why").await, "People like it");
    tab.follow("Stop it: everybody gets version 2").await;
    tab.sees("winner").await;
    tab.go(&page).await;
    tab.follow_in_row("production", "version 2").await;
    tab.sees("live in production").await;
}
