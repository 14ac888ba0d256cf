//! What receivers are told.

use std::time::Duration;

use e2e::{Call, text};
use serde_json::json;

use crate::{
    receiver::Message,
    stage::{Stage, at},
};

#[tokio::test]
async fn a_receiver_is_told_what_it_asked_for_of_its_team_and_nothing_else() {
    let stage = Stage::new().await;
    let made = stage.webhook("support", &["promotion", "rollback"], "json").await;
    let everywhere = stage.webhook("*", &["rollback"], "json").await;
    let (prompt, versions) = stage.prompt("support", "greeting", 2).await;
    stage.world.promote(&prompt, &versions[1], "production").await.expect(200);
    stage.prompt("growth", "greeting", 1).await;
    let told = stage.told().await;
    assert_eq!(told.iter().map(Message::kind).collect::<Vec<_>>(), ["promotion", "promotion"]);
    let second = told.iter().map(Message::json).find(|body| !body["data"]["before"].is_null()).unwrap();
    let data = &second["data"];
    assert_eq!(
        [&data["team_id"], &data["prompt_id"], &data["prompt_name"], &data["environment"], &data["action"]],
        [
            &json!("support"),
            &prompt["prompt_id"],
            &json!("greeting"),
            &json!("production"),
            &json!("promoted")
        ],
    );
    assert_eq!(
        [&data["before"]["version_number"], &data["after"]["version_number"], &data["actor"]["name"]],
        [&json!(1), &json!(2), &json!("admin")],
    );
    let rollback = json!({ "environment": "production", "reason": "it was rude" });
    stage.post(&at(&prompt, "/rollback"), &rollback).await;
    let told = stage.told().await;
    assert_eq!(told.len(), 2, "the team's, and that of all teams");
    for message in &told {
        assert_eq!(
            (message.kind().as_str(), &message.json()["data"]["reason"]),
            ("rollback", &json!("it was rude"))
        );
        let signed = [&made, &everywhere].map(|webhook| message.is_signed_by(&webhook["secret"]));
        assert_eq!(signed.iter().filter(|signed| **signed).count(), 1, "by its own webhook alone");
    }
    assert_ne!(told[0].id, told[1].id);
}

#[tokio::test]
async fn what_happened_before_a_webhook_was_made_is_not_told() {
    let stage = Stage::new().await;
    stage.prompt("support", "greeting", 1).await;
    stage.world.clock.advance(Duration::from_secs(1));
    stage.webhook("support", &["promotion", "version.created"], "json").await;
    assert!(stage.told().await.is_empty());
}

#[tokio::test]
async fn verdicts_of_the_gate_and_of_people_are_told() {
    let stage = Stage::new().await;
    let events = ["version.created", "gate.passed", "gate.failed", "review.needed"];
    stage.webhook("support", &events, "json").await;
    stage.judged("good", 20, 0).await;
    assert_eq!(stage.kinds().await, ["version.created", "gate.passed"]);
    stage.judged("bad", 1, 19).await;
    assert_eq!(stage.kinds().await, ["version.created", "gate.failed"]);
    let close = stage.judged("close", 15, 5).await;
    assert_eq!(stage.kinds().await, ["version.created", "review.needed"]);
    let path = format!("/api/evals/{}/review", text(&close["eval_run_id"]));
    let releaser = stage.world.key("support", "releaser").await;
    let review = json!({ "decision": "approve", "reason": "I read the cases." });
    stage.world.call(Call::post(path, &review).key(&releaser)).await.expect(200);
    let told = stage.told().await;
    assert_eq!(told.iter().map(Message::kind).collect::<Vec<_>>(), ["gate.passed"]);
    assert_eq!(told[0].json()["data"]["after"]["version_number"], 1);
    // Whoever only wants to know decides nothing.
    let again = format!("/api/versions/{}/evals", text(&close["version_id"]));
    let other = stage.judged("other", 1, 0).await;
    assert_eq!(stage.kinds().await.len(), 2);
    let prompt = stage.world.admin(Call::get(at(&other, ""))).await.expect(200);
    let run = stage.post(&again, &json!({ "test_set_id": prompt["test_set_id"] })).await;
    assert!(stage.told().await.is_empty());
    let run =
        stage.world.admin(Call::get(format!("/api/evals/{}", text(&run["eval_run_id"])))).await.expect(200);
    assert_eq!(run["status"], "completed");
}

#[tokio::test]
async fn canaries_and_experiments_are_told_from_their_beginning_to_their_end() {
    let stage = Stage::new().await;
    let events = [
        "canary.started",
        "canary.advanced",
        "canary.paused",
        "canary.resumed",
        "canary.ended",
        "experiment.started",
        "experiment.ended",
    ];
    stage.webhook("support", &events, "json").await;
    let (prompt, versions) = stage.prompt("support", "greeting", 2).await;
    let canary =
        stage.post(&at(&prompt, "/rollouts"), &json!({ "version_id": versions[1]["version_id"] })).await;
    let canary = format!("/api/rollouts/{}", text(&canary["rollout_id"]));
    for step in ["pause", "resume", "advance", "abort"] {
        stage.post(&format!("{canary}/{step}"), &json!({})).await;
    }
    let wanted = ["canary.started", "canary.paused", "canary.resumed", "canary.advanced", "canary.ended"];
    assert_eq!(stage.kinds().await, wanted);
    let variants = json!([
        { "version_id": versions[0]["version_id"] }, { "version_id": versions[1]["version_id"] },
    ]);
    for winner in [json!({}), json!({ "winner_version_id": versions[1]["version_id"] })] {
        let experiment = stage.post(&at(&prompt, "/experiments"), &json!({ "variants": variants })).await;
        let stop = format!("/api/experiments/{}/stop", text(&experiment["experiment_id"]));
        stage.post(&stop, &winner).await;
        // With a winner the one entry is the promotion's.
        assert_eq!(stage.kinds().await, ["experiment.started", "experiment.ended"], "{winner}");
    }
}

#[tokio::test]
async fn archiving_a_prompt_ends_its_trials_and_their_ends_are_told() {
    let stage = Stage::new().await;
    stage.webhook("support", &["canary.ended", "experiment.ended"], "json").await;
    let kinds =
        [("rollouts", "rollout_id", "canary.ended"), ("experiments", "experiment_id", "experiment.ended")];
    for (trials, id, kind) in kinds {
        let (prompt, versions) = stage.prompt("support", trials, 2).await;
        let ids = [0, 1].map(|number: usize| json!({ "version_id": versions[number]["version_id"] }));
        let wish = if id == "rollout_id" { ids[1].clone() } else { json!({ "variants": ids }) };
        let trial = stage.post(&at(&prompt, &format!("/{trials}")), &wish).await;
        stage.world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
        let told = stage.told().await;
        assert_eq!(told.iter().map(Message::kind).collect::<Vec<_>>(), [kind]);
        assert_eq!(told[0].json()["data"]["evidence"], json!({ "trials_ended": [trial[id]] }));
    }
    let (prompt, _) = stage.prompt("support", "quiet", 1).await;
    stage.world.admin(Call::delete(at(&prompt, ""))).await.expect(200);
    assert!(stage.told().await.is_empty(), "nothing was tried");
}

#[tokio::test]
async fn slack_is_told_a_sentence_that_calls_nobody() {
    let stage = Stage::new().await;
    stage.webhook("support", &["promotion", "rollback"], "slack").await;
    let (prompt, versions) = stage.prompt("support", "a<b>&c", 2).await;
    stage.world.promote(&prompt, &versions[1], "production").await.expect(200);
    stage
        .post(&at(&prompt, "/rollback"), &json!({ "environment": "production", "reason": "<!channel> rude" }))
        .await;
    let mut said: Vec<_> =
        stage.told().await.into_iter().map(|message| (message.id.clone(), message.json())).collect();
    said.sort_by(|a, b| a.0.cmp(&b.0));
    let said: Vec<_> = said.iter().map(|(_, body)| text(&body["text"])).collect();
    assert_eq!(
        said,
        [
            "admin promoted version 1 of `a&lt;b&gt;&amp;c` in production",
            "admin promoted version 2 of `a&lt;b&gt;&amp;c` in production, where version 1 was live",
            "admin rolled back to version 1 of `a&lt;b&gt;&amp;c` in production, where version 2 was live: \
             &lt;!channel&gt; rude",
        ]
    );
}
