//! The platform in this process over HTTP, with its own pumps and clock: what waiting and pace are really like.

use std::time::Duration;

use local::{Platform, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::provider::ScriptedProvider;

use crate::{
    MACHINE,
    lab::{any_size, cases, echo, jsonl, members, run_path, tally},
};

/// A caller of a platform that listens.
pub(crate) struct Api {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Api {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        // A request may wait for 25 s, and a disk that flushes a build may take its time.
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().unwrap();
        Self { client, url: url.to_owned(), key: key.to_owned() }
    }

    async fn send(&self, method: Method, path: &str, media_type: &str, body: String) -> (u16, Value) {
        let call = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer = call.header("content-type", media_type).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, "application/json", body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, "application/json", String::new()).await.1
    }

    /// All cases of the run of a version.
    pub(crate) async fn cases(&self, version: &Value) -> Vec<Value> {
        let (mut cases, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&run_path(version, &format!("/cases?limit=100{cursor}"))).await;
            cases.extend(page["data"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return cases };
            cursor = format!("&cursor={next}");
        }
    }

    /// A prompt of the team `support` with these cases, on the model `test/model` of this provider. Returns the
    /// path of its versions.
    pub(crate) async fn prompt(&self, provider: &ScriptedProvider, cases: &[Value]) -> String {
        let model = json!({
            "provider": "openai", "base_url": provider.url(), "input_usd_per_mtok": 0, "output_usd_per_mtok": 0,
        });
        let put = async |path: &str, media_type: &str, body| {
            let (status, answer) = self.send(Method::PUT, path, media_type, body).await;
            assert!(status < 300, "{answer}");
        };
        put("/api/models/test/model", "application/json", model.to_string()).await;
        let (_, set) = self.post("/api/test-sets", &json!({ "name": "cases", "team_id": "support" })).await;
        let set = set["test_set_id"].as_str().unwrap();
        put(&format!("/api/test-sets/{set}/versions"), "application/jsonl", jsonl(cases)).await;
        let prompt = json!({ "name": "echo", "team_id": "support", "test_set_id": set, "gate": any_size() });
        let (_, prompt) = self.post("/api/prompts", &prompt).await;
        format!("/api/prompts/{}/versions", prompt["prompt_id"].as_str().unwrap())
    }
}

/// A version that says the message of a case; another number makes it another version.
pub(crate) fn content(number: usize) -> Value {
    json!({ "template_text": "{{ message }}", "model_id": "test/model", "config": { "number": number } })
}

async fn platform(folder: &TempDir) -> (Platform, Api) {
    let platform = Platform::start(Settings::new(folder.path())).await.unwrap();
    let api = Api::new(platform.url(), &platform.admin_key());
    (platform, api)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_is_answered_with_the_verdict() {
    let folder = TempDir::new().unwrap();
    let (platform, api) = platform(&folder).await;
    let provider = ScriptedProvider::start(echo).unwrap();
    let versions = api.prompt(&provider, &cases(9, 1)).await;
    let (status, version) = api.post(&format!("{versions}?wait=25"), &content(1)).await;
    assert_eq!(
        (status, &version["eval_status"], &version["eval_score"]),
        (201, &json!("passed"), &json!(0.9))
    );
    let asked = format!("/api/versions/{}/evals", version["version_id"].as_str().unwrap());
    let (status, run) = api.post(&asked, &json!({})).await;
    assert_eq!(status, 202, "{run}");
    let run = api.get(&run_path(&run, "?wait=25")).await;
    assert_eq!(members(&run, &["status", "gate_result"]), json!(["completed", "pass"]));
    assert_eq!(provider.calls(), 20);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_cases_on_a_model_that_takes_a_second_are_asked_side_by_side() {
    let _alone = MACHINE.lock().await;
    let folder = TempDir::new().unwrap();
    let (platform, api) = platform(&folder).await;
    let provider = ScriptedProvider::start(echo).unwrap();
    provider.set_latency(Duration::from_secs(1));
    let versions = api.prompt(&provider, &cases(180, 20)).await;
    let (status, version) = api.post(&format!("{versions}?wait=25"), &content(1)).await;
    assert_eq!((status, &version["eval_status"]), (201, &json!("passed")), "{version}");
    let run = api.get(&run_path(&version, "")).await;
    assert_eq!(tally(&run), json!([200, 200, 180, 20, 0]));
    assert!(run["p50_latency_ms"].as_u64().unwrap() >= 1000, "{run}");
    assert_eq!(provider.calls(), 200);
    // How long that takes on a quiet machine is what `make bench-eval` measures.
    assert!(provider.peak() >= 25, "{} at once", provider.peak());
    platform.stop().await;
}
