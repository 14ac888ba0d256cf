//! Experiments and canaries.

use crate::stage::Stage;

const PROMPT: &str = "support/greeting";

/// A prompt without a gate, with two versions of which the first is live.
async fn with_two_versions() -> Stage {
    let stage = Stage::empty().await;
    stage.fields(&["prompts", "create", PROMPT, "--gate", r#"{"mode": "off"}"#]).await;
    for template in ["Hello", "Good morning"] {
        stage.fields(&["versions", "create", PROMPT, "--template", template, "--model", "mock/echo"]).await;
    }
    stage.fields(&["promote", PROMPT, "1", "--yes"]).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_is_started_read_and_stopped() {
    let mut stage = with_two_versions().await;
    let start = ["experiments", "start", PROMPT, "--variant", "production=0.5", "--variant", "newest=0.5"];
    stage.shows(&start, 2).await;
    stage.shows(&[&start[..], &["--strategy", "thompson_sampling", "--yes"]].concat(), 0).await;
    stage.shows(&[&start[..], &["--yes"]].concat(), 3).await;
    stage.shows(&["promote", PROMPT, "2", "--yes"], 3).await;
    let id = stage.fields(&["experiments", "list", PROMPT]).await["data"][0]["experiment_id"].clone();
    let id = id.as_str().unwrap().to_owned();
    stage.shows(&["experiments", "list", PROMPT], 0).await;
    stage.shows(&["experiments", "weights", &id], 0).await;
    stage.shows(&["experiments", "stop", &id, "--winner", "2", "--reason", "Clear enough", "--yes"], 0).await;
    stage.shows(&["prompts", "show", PROMPT], 0).await;

    stage.put(
        "experiment.yaml",
        "primary_metric: quality\nmin_samples: 200\nguardrails:\n- metric: error\n  ratio: 1.1\n",
    );
    let start = [
        "experiments",
        "start",
        PROMPT,
        "--file",
        "experiment.yaml",
        "--variant",
        "2",
        "--variant",
        "1",
        "--yes",
    ];
    let made = stage.fields(&start).await;
    assert_eq!((made["min_samples"].as_u64(), made["guardrails"].as_array().unwrap().len()), (Some(200), 1));
    let ended = stage.fields(&["rollback", PROMPT, "--yes"]).await;
    assert_eq!(ended["stopped_experiment_id"], made["experiment_id"]);
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_is_started_held_and_taken_back() {
    let mut stage = with_two_versions().await;
    let start = ["canary", "start", PROMPT, "newest", "--stage", "5:200:10", "--stage", "50:1000:30"];
    stage.shows(&start, 2).await;
    stage.shows(&[&start[..], &["--reason", "Warmer tone", "--yes"]].concat(), 0).await;
    stage.shows(&["canary", "list", PROMPT], 0).await;
    let id = stage.fields(&["canary", "list", PROMPT]).await["data"][0]["rollout_id"].clone();
    let id = id.as_str().unwrap().to_owned();
    stage.shows(&["canary", "pause", &id], 0).await;
    stage.shows(&["canary", "resume", &id, "--yes"], 0).await;
    stage.shows(&["canary", "advance", &id, "--yes"], 0).await;
    stage.shows(&["canary", "abort", &id, "--reason", "Ratings fell", "--yes"], 0).await;
    stage.shows(&["canary", "watch", &id], 3).await;
    stage.shows(&["canary", "start", PROMPT, "2", "--stage", "5:200"], 2).await;
    insta::assert_snapshot!(stage.transcript());
}
