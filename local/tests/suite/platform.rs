//! The platform in this process.

use std::time::Duration;

use local::{Output, Platform, Settings, demo};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::{client, get};

async fn start(folder: &TempDir) -> Platform {
    Platform::start(Settings::new(folder.path())).await.unwrap()
}

async fn get_from(platform: &Platform, path: &str) -> (u16, Value) {
    get(&format!("{}{path}", platform.url()), &platform.admin_key()).await
}

async fn post(platform: &Platform, path: &str, body: &Value) -> (u16, Value) {
    let call = client().post(format!("{}{path}", platform.url())).bearer_auth(platform.admin_key());
    let answer = call.json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn resolve(platform: &Platform, environment: &str) -> (u16, Value) {
    let request = json!({
        "prompt": "support/ticket-classifier", "env": environment,
        "variables": {"message": "I was charged twice this month."},
    });
    post(platform, "/api/resolve", &request).await
}

/// What of the workspace must be the same however often its loading began.
async fn workspace(platform: &Platform) -> Value {
    let (_, mut prompts) = get_from(platform, "/api/prompts").await;
    let prompts = prompts["data"].as_array_mut().unwrap();
    prompts.sort_by_key(|prompt| prompt["name"].to_string());
    let live = |prompt: &Value| -> Vec<Value> {
        let environments = prompt["environments"].as_array().unwrap();
        environments.iter().map(|at| json!([at["name"], at["version_number"], at["revision"]])).collect()
    };
    prompts.iter().map(|prompt| json!([prompt["team_id"], prompt["name"], live(prompt)])).collect()
}

#[tokio::test]
async fn the_demo_workspace_is_loaded_once_and_outlives_a_restart() {
    let folder = TempDir::new().unwrap();
    let first = start(&folder).await;
    demo::load(&first, Output::new(true)).await.unwrap();
    let loaded = workspace(&first).await;
    assert_eq!(
        loaded,
        json!([
            ["growth", "changelog-summary", [["production", 2, 2], ["staging", 3, 1]]],
            ["growth", "onboarding-email", [["staging", 2, 2]]],
            ["support", "refund-policy-answer", [["staging", 2, 1]]],
            ["support", "reply-drafter", [["production", 2, 2], ["staging", 3, 2]]],
            ["growth", "subject-line-writer", [["production", 2, 2], ["staging", 2, 1]]],
            ["support", "ticket-classifier", [["production", 2, 1], ["staging", 2, 2]]],
        ])
    );
    let (status, answer) = resolve(&first, "production").await;
    assert_eq!(
        (status, &answer["resolved_text"]),
        (200, &json!("I was charged twice this month.")),
        "{answer}"
    );
    assert_eq!((&answer["version_number"], &answer["model_id"]), (&json!(2), &json!("mock/nearest-example")));
    the_first_version_is_refused(&first).await;
    first.stop().await;

    let second = start(&folder).await;
    demo::load(&second, Output::new(true)).await.unwrap();
    assert_eq!(workspace(&second).await, loaded);
    let (status, again) = resolve(&second, "production").await;
    assert_eq!((status, &again["version_id"]), (200, &answer["version_id"]));
    second.stop().await;
}

/// The classifier with one example of each category fails its evaluation, so production does not take it.
async fn the_first_version_is_refused(platform: &Platform) {
    let (_, runs) = get_from(platform, "/api/prompts/ticket-classifier/evals").await;
    let run = runs["data"].as_array().unwrap().last().unwrap();
    let url = format!("/api/evals/{}?wait=25", run["eval_run_id"].as_str().unwrap());
    let (_, run) = get_from(platform, &url).await;
    assert_eq!((&run["gate_result"], &run["completed_cases"]), (&json!("fail"), &json!(200)), "{run}");
    let promotion = json!({"version_id": run["version_id"], "environment": "production"});
    let (status, problem) = post(platform, "/api/prompts/ticket-classifier/promote", &promotion).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["type"].as_str().unwrap().ends_with("/gate-failed"), "{problem}");
}

#[tokio::test]
async fn a_loading_that_is_cut_off_again_and_again_comes_to_the_same_end() {
    let folder = TempDir::new().unwrap();
    let mut cuts = 0;
    for patience in [10, 40, 100, 300, 700] {
        let platform = start(&folder).await;
        let loading =
            timeout(Duration::from_millis(patience), demo::load(&platform, Output::new(true))).await;
        cuts += u32::from(loading.is_err());
        // Dropped where it stands, like a process that is killed.
        drop(platform);
    }
    let platform = start(&folder).await;
    demo::load(&platform, Output::new(true)).await.unwrap();
    let loaded = workspace(&platform).await;
    assert_eq!(loaded.as_array().unwrap().len(), 6);
    assert_eq!(loaded[5], json!(["support", "ticket-classifier", [["production", 2, 1], ["staging", 2, 2]]]));
    assert!(cuts > 0, "the loading was too quick to be cut off");
    let versions = async |name: &str| {
        let (_, versions) = get_from(&platform, &format!("/api/prompts/{name}/versions")).await;
        versions["data"].as_array().unwrap().len()
    };
    assert_eq!((versions("ticket-classifier").await, versions("reply-drafter").await), (2, 3));
    platform.stop().await;
}

#[tokio::test]
async fn what_somebody_made_is_not_joined_by_a_demo() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let (status, made) = post(&platform, "/api/prompts", &json!({"team_id": "mine", "name": "first"})).await;
    assert_eq!(status, 201, "{made}");
    demo::load(&platform, Output::new(true)).await.unwrap();
    assert_eq!(workspace(&platform).await, json!([["mine", "first", []]]));
    platform.stop().await;
}

#[tokio::test]
async fn a_route_that_does_not_exist_answers_a_problem_document() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    for path in ["/", "/api/nothing", "/api/prompts/a/b/c"] {
        let answer = client().get(format!("{}{path}", platform.url())).send().await.unwrap();
        let media = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), media.as_str()), (404, "application/problem+json"), "{path}");
    }
    platform.stop().await;
}

#[tokio::test]
async fn a_direct_rollback_is_invoked_as_on_aws() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    post(&platform, "/api/prompts", &json!({"team_id": "mine", "name": "first"})).await;
    for text in ["one", "two"] {
        let version = json!({"template_text": text, "model_id": "mock/echo"});
        let (_, version) = post(&platform, "/api/prompts/first/versions", &version).await;
        let promotion = json!({"version_id": version["version_id"], "environment": "staging"});
        let (status, moved) = post(&platform, "/api/prompts/first/promote", &promotion).await;
        assert_eq!(status, 200, "{moved}");
    }
    let url = format!("{}/2015-03-31/functions/rollback/invocations", platform.url());
    let event = json!({"prompt": "mine/first", "environment": "staging", "reason": "wrong tone"});
    let invoke =
        |authorization: &str| client().post(&url).header("authorization", authorization).json(&event).send();
    let refused = invoke("Bearer none").await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    let answer: Value = invoke("AWS4-HMAC-SHA256 Credential=any").await.unwrap().json().await.unwrap();
    assert_eq!(answer["status"], json!(200), "{answer}");
    let (_, reference) = get_from(&platform, "/api/prompts/first/environments/staging").await;
    assert_eq!(reference["version_number"], json!(1), "{reference}");
    platform.stop().await;
}
