//! Tests of the small Lambda. The process of a sandbox is a shell script that says where its Runtime API is and sleeps;
//! the test speaks with the Runtime API in its place.

mod events;
mod failures;
mod fronts;

use std::{path::Path, process::Command};

use serde_json::json;
use tempfile::TempDir;
use tokio::join;

use super::*;

/// Says its address and waits to be killed.
const SLEEPER: &str = r#"echo "$AWS_LAMBDA_RUNTIME_API"; exec sleep 1000"#;

/// A function and the folder of its program.
struct Scene {
    function: Arc<Function>,
    folder: TempDir,
}

impl Scene {
    fn new(script: &str, sandboxes: usize) -> Self {
        Self::with(script, sandboxes, 1, Duration::from_mins(1))
    }

    fn with(script: &str, sandboxes: usize, concurrency: usize, timeout: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let program = program(folder.path(), script);
        let mark = folder.path().join("mark").to_str().unwrap().to_owned();
        let environment = vec![("MARK".to_owned(), mark), ("AWS_REGION".to_owned(), "eu-west-1".to_owned())];
        let name = "resolve".to_owned();
        let settings = Settings { program, name, environment, sandboxes, concurrency, timeout };
        Self { function: Arc::new(Function::start(settings)), folder }
    }

    /// How often a script began that notes this in its mark.
    fn starts(&self) -> usize {
        let mark = std::fs::read_to_string(self.folder.path().join("mark"));
        mark.unwrap_or_default().lines().count()
    }

    /// Speaks for the process that started last.
    async fn process(&self) -> Process {
        let [address] = self.function.lines.wait(1).await.try_into().unwrap();
        Process::new(&address)
    }
}

/// Writes a script by way of a shell: a file that this process has open for writing, or another test's child does, cannot
/// be run.
fn program(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("bootstrap");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#;
    let written = Command::new("sh").args(["-c", write]).arg(&program).arg(script).status().unwrap();
    assert!(written.success());
    program
}

/// What a process does with its Runtime API.
struct Process {
    client: reqwest::Client,
    url: String,
}

impl Process {
    fn new(address: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { client, url: format!("http://{address}/2018-06-01/runtime/invocation") }
    }

    /// The id and the payload of the next event.
    async fn next(&self) -> (String, Value) {
        let event = self.client.get(format!("{}/next", self.url)).send().await.unwrap();
        let id = event.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
        (id, event.json().await.unwrap())
    }

    async fn post(&self, id: &str, kind: &str, body: Value) {
        let call = self.client.post(format!("{}/{id}/{kind}", self.url)).json(&body);
        assert_eq!(call.send().await.unwrap().status(), 202);
    }

    /// Answers the next event, and returns what it was.
    async fn respond(&self, answer: Value) -> Value {
        let (id, event) = self.next().await;
        self.post(&id, "response", answer).await;
        event
    }
}

#[tokio::test]
async fn an_event_is_answered_by_a_process() {
    let scene = Scene::new(SLEEPER, 1);
    let process = scene.process().await;
    for number in 0..3 {
        let event = json!({ "number": number });
        let (answer, seen) = join!(scene.function.invoke(event.clone()), process.respond(json!(number)));
        assert_eq!((answer, seen), (Ok(json!(number)), event));
    }
    assert_eq!(scene.function.peaks(), [1]);
}

#[tokio::test]
async fn events_go_to_idle_sandboxes_and_the_others_wait() {
    let scene = Scene::new(SLEEPER, 2);
    let addresses = scene.function.lines.wait(2).await;
    let [first, second] = [Process::new(&addresses[0]), Process::new(&addresses[1])];
    let invoke = |number: u8| {
        let function = scene.function.clone();
        tokio::spawn(async move { function.invoke(json!(number)).await })
    };
    let calls = [invoke(0), invoke(1), invoke(2)];
    let ((id, one), (other, two)) = join!(first.next(), second.next());
    assert_ne!(one, two);
    first.post(&id, "response", one).await;
    let three = first.next().await;
    assert_ne!(three.0, id);
    first.post(&three.0, "response", three.1).await;
    second.post(&other, "response", two).await;
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(json!(number)));
    }
}

#[tokio::test]
async fn a_process_that_may_have_several_events_at_one_time_asks_for_them_and_answers_in_any_order() {
    let script = format!(r#"echo "$AWS_LAMBDA_MAX_CONCURRENCY"; {SLEEPER}"#);
    let scene = Scene::with(&script, 1, 2, Duration::from_mins(1));
    let lines = scene.function.lines.wait(2).await;
    assert_eq!(lines[0], "2");
    let process = Process::new(&lines[1]);
    let answering = async {
        let (one, two) = join!(process.next(), process.next());
        process.post(&two.0, "response", two.1).await;
        process.post(&one.0, "response", one.1).await;
    };
    let invoke = |number: u8| scene.function.invoke(json!(number));
    let answers = join!(invoke(1), invoke(2), answering);
    assert_eq!((answers.0, answers.1), (Ok(json!(1)), Ok(json!(2))));
    assert_eq!(scene.function.peaks(), [2]);
}

#[tokio::test]
async fn a_process_has_the_environment_of_lambda_and_no_other() {
    let scene = Scene::new("env; exec sleep 1000", 1);
    let names = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let environment = scene.function.lines.wait(10).await;
    let mut environment: Vec<_> =
        environment.iter().filter(|line| !names.iter().any(|name| line.starts_with(name))).collect();
    environment.sort();
    let expected = [
        "AWS_ACCESS_KEY_ID=cuecard",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
        "AWS_LAMBDA_FUNCTION_NAME=resolve",
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME=cuecard-functions",
        "AWS_LAMBDA_RUNTIME_API=127.0.0.1:",
        "AWS_REGION=eu-west-1",
        "AWS_SECRET_ACCESS_KEY=cuecard-secret",
        "MARK=",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "SSL_CERT_FILE=",
    ];
    assert_eq!(environment.len(), expected.len(), "{environment:?}");
    for (line, expected) in environment.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
}
