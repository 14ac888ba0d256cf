//! promptfoo with the same cases and the same model.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use benches::Outcome;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{Instant, timeout},
};

use crate::platform::message;

/// Its program, where `make bench-eval` puts it.
pub(crate) fn program() -> PathBuf {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools");
    Path::new(tools).join("promptfoo/node_modules/.bin/promptfoo")
}

/// The longest that one evaluation may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// What evaluating came to.
pub(crate) struct Evaluated {
    /// From the start of its program to its end.
    pub(crate) took: Duration,
    /// What it says itself that evaluating took.
    pub(crate) evaluating: Duration,
}

/// Evaluates so many cases with the model of the platform at `url`.
pub(crate) async fn evaluate(
    program: &Path,
    url: &str,
    cases: u32,
    workers: Option<u32>,
) -> Outcome<Evaluated> {
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let [configuration, results] = ["cases.json", "results.json"].map(|name| folder.path().join(name));
    std::fs::write(&configuration, described(url, cases).to_string())?;
    let mut command = Command::new(program);
    command.args(["eval", "--no-cache", "--no-table", "--no-progress-bar", "--no-write", "--config"]);
    command.arg(&configuration).arg("--output").arg(&results);
    if let Some(workers) = workers {
        command.args(["--max-concurrency", &workers.to_string()]);
    }
    // It is to ask nobody but the model, and to leave nothing behind.
    for switch in ["TELEMETRY", "UPDATE", "REMOTE_GENERATION", "SHARING"] {
        command.env(format!("PROMPTFOO_DISABLE_{switch}"), "1");
    }
    command.env("PROMPTFOO_CONFIG_DIR", folder.path()).env("NO_PROXY", "127.0.0.1");
    command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let began = Instant::now();
    let output = timeout(PATIENCE, command.output()).await??;
    let took = began.elapsed();
    let results = std::fs::read(&results).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("promptfoo wrote no results: {}", said.trim())
    })?;
    let stats = &serde_json::from_slice::<Value>(&results)?["results"]["stats"];
    let evaluating = stats["durationMs"].as_u64().map(Duration::from_millis);
    match evaluating {
        Some(evaluating) if stats["successes"] == cases => Ok(Evaluated { took, evaluating }),
        _ => Err(format!("promptfoo was to pass {cases} cases: {stats}").into()),
    }
}

/// Its configuration: what a case of ours says and expects, in its words.
fn described(url: &str, cases: u32) -> Value {
    let model = json!({ "apiBaseUrl": format!("{url}{}", local::mock::PATH), "apiKey": "none" });
    let case = |number| {
        let message = message(number);
        json!({ "vars": { "message": message }, "assert": [{ "type": "equals", "value": message }] })
    };
    json!({
        "prompts": ["{{message}}"],
        "providers": [{ "id": format!("openai:chat:{}", local::mock::ECHO), "config": model }],
        "tests": (0..cases).map(case).collect::<Vec<_>>(),
    })
}
