//! The platform: this program in another role, asked over HTTP.

use std::time::Duration;

use benches::{
    Outcome,
    child::{ADMIN, Child},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

/// The longest that one evaluation may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// What evaluating came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluated {
    /// The median time from the request that makes a version to the verdict on it.
    pub(crate) took: Duration,
    /// The most memory that the process ever held, in MiB.
    pub(crate) peak_memory: u64,
}

/// A platform in a process of its own.
pub(crate) struct Platform {
    child: Child,
    url: String,
    client: Client,
    /// Its data, which goes with it.
    _folder: TempDir,
}

impl Platform {
    /// Starts one whose model takes so long, over an empty folder.
    pub(crate) async fn start(latency: Duration, concurrency: Option<u32>) -> Outcome<Self> {
        let folder = TempDir::with_prefix("cuecard-bench-")?;
        let child = Child::evaluating(folder.path(), latency, concurrency).await?;
        let url = format!("http://{}", child.address);
        // Longer than the 25 s that a request may wait.
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { child, url, client, _folder: folder })
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Evaluates as many versions of a new prompt as there are rounds, each with all cases.
    pub(crate) async fn evaluate(&self, cases: u32, rounds: u32) -> Outcome<Evaluated> {
        let versions = self.prompt(cases).await?;
        let mut times = Vec::new();
        for round in 0..rounds {
            times.push(timeout(PATIENCE, self.version(&versions, round, cases)).await??);
        }
        times.sort_unstable();
        Ok(Evaluated { took: times[times.len() / 2], peak_memory: self.child.peak_memory()? })
    }

    /// Ends it, and waits for that.
    pub(crate) async fn stop(self) -> Outcome<()> {
        self.child.stop().await
    }

    /// A new prompt with so many cases that pass; returns the path of its versions.
    async fn prompt(&self, cases: u32) -> Outcome<String> {
        let set = json!({ "name": "cases", "team_id": "bench" });
        let set = self.send(Method::POST, "/api/test-sets", &set).await?;
        let set = text(&set, "test_set_id")?;
        let lines = (0..cases).map(|number| {
            let message = message(number);
            format!("{}\n", json!({ "vars": { "message": message }, "expected": message }))
        });
        let path = format!("/api/test-sets/{set}/versions");
        let put = self.client.put(format!("{}{path}", self.url)).bearer_auth(ADMIN);
        let put = put.header("content-type", "application/jsonl").body(lines.collect::<String>());
        put.send().await?.error_for_status()?;
        let prompt = json!({ "name": "echo", "team_id": "bench", "test_set_id": set });
        let prompt = self.send(Method::POST, "/api/prompts", &prompt).await?;
        Ok(format!("/api/prompts/{}/versions", text(&prompt, "prompt_id")?))
    }

    /// Makes a version, which is evaluated by itself; returns the time until all cases are judged.
    async fn version(&self, versions: &str, round: u32, cases: u32) -> Outcome<Duration> {
        let began = Instant::now();
        let content = json!({
            "template_text": "{{ message }}", "model_id": local::mock::ECHO, "config": { "round": round },
        });
        let version = self.send(Method::POST, versions, &content).await?;
        let path = format!("/api/evals/{}?wait=25", text(&version, "eval_run_id")?);
        loop {
            let run = self.send(Method::GET, &path, &Value::Null).await?;
            match run["status"].as_str() {
                Some("queued" | "running") => {}
                Some("completed") if run["passed_cases"] == cases => return Ok(began.elapsed()),
                _ => return Err(format!("{cases} cases were to pass: {run}").into()),
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(ADMIN);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status.is_success() { Ok(body) } else { Err(format!("{path}: {status} {body}").into()) }
    }
}

/// What a case says, and the model after it.
pub(crate) fn message(number: u32) -> String {
    format!("Where is my parcel number {number}?")
}

fn text<'a>(value: &'a Value, name: &str) -> Outcome<&'a str> {
    value[name].as_str().ok_or_else(|| format!("there is no {name} in {value}").into())
}
