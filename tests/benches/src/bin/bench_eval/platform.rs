//! The platform: this program in another role, asked over HTTP.

use std::{path::PathBuf, process::Stdio, time::Duration};

use clap::Subcommand;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout},
};

use crate::{Outcome, report::say};

/// The admin's key of the platform.
const ADMIN: &str = "cue_bench_only-for-this-run";
/// The longest that one evaluation may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// What this program is besides the bench.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Role {
    /// Serve the platform (started by the bench itself)
    Platform {
        /// The data folder
        folder: PathBuf,
        /// How long the model takes for an answer
        latency_ms: u64,
        /// How many cases are worked on at once
        concurrency: Option<usize>,
    },
}

impl Role {
    /// Serves until it is told to end, with the log on standard output.
    pub(crate) async fn serve(&self) -> Outcome<()> {
        let Self::Platform { folder, latency_ms, concurrency } = self;
        runtime::log::begin(&mut runtime::Variables::read(), runtime::log::LevelFilter::INFO);
        let default = local::Settings::new(folder);
        let latency = Duration::from_millis(*latency_ms);
        let platform = local::Platform::start(local::Settings {
            admin_key: Some(ADMIN.to_owned()),
            eval_concurrency: concurrency.unwrap_or(default.eval_concurrency),
            mock: local::mock::MockSettings { latency, ..default.mock },
            ..default
        })
        .await?;
        say(platform.url());
        signal(SignalKind::terminate())?.recv().await;
        platform.stop().await;
        Ok(())
    }
}

/// What evaluating came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluated {
    /// The median time from the request that makes a version to the verdict on it.
    pub(crate) took: Duration,
    /// The most memory that the process ever held, in MiB.
    pub(crate) peak_memory: u64,
}

/// A platform in a process of its own. It is ended by its own process id.
pub(crate) struct Platform {
    process: Child,
    url: String,
    client: Client,
    /// Its data, which goes with it.
    _folder: TempDir,
}

impl Platform {
    /// Starts one whose model takes so long, over an empty folder.
    pub(crate) async fn start(latency: Duration, concurrency: Option<u32>) -> Outcome<Self> {
        let folder = TempDir::with_prefix("cuecard-bench-")?;
        // Without a session of its own the scheduler puts it on one core with what it is compared with.
        let mut process = Command::new("setsid")
            .arg(std::env::current_exe()?)
            .arg("platform")
            .arg(folder.path())
            .arg(latency.as_millis().to_string())
            .args(concurrency.map(|concurrency| concurrency.to_string()))
            .stdin(Stdio::null())
            // The log is written in full, and nobody has to read it.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = process.stderr.take().ok_or("the platform cannot speak")?;
        let url = BufReader::new(said).lines().next_line().await?.ok_or("the platform said nothing")?;
        // Longer than the 25 s that a request may wait.
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { process, url, client, _folder: folder })
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
        Ok(Evaluated { took: times[times.len() / 2], peak_memory: self.peak_memory()? })
    }

    /// Ends it, and waits for that.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        let id = self.process.id().ok_or("the platform ended by itself")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        self.process.wait().await?;
        Ok(())
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

    fn peak_memory(&self) -> Outcome<u64> {
        let id = self.process.id().ok_or("the platform ended by itself")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no peak memory is known")?;
        Ok(kib.parse::<u64>()? / 1024)
    }
}

/// What a case says, and the model after it.
pub(crate) fn message(number: u32) -> String {
    format!("Where is my parcel number {number}?")
}

fn text<'a>(value: &'a Value, name: &str) -> Outcome<&'a str> {
    value[name].as_str().ok_or_else(|| format!("there is no {name} in {value}").into())
}
