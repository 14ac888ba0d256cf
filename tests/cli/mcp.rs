//! `cuecard mcp` as its clients start it: a process that is spoken to by its pipes.

mod others;
mod prompts;
mod protocol;
mod tools;

use std::{process::Stdio, time::Duration};

use client::{
    Client, Settings,
    gate::NewGate,
    moves::Promotion,
    prompts::{NewPrompt, Prompt},
    versions::{NewVersion, Version},
};
use e2e::ADMIN;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};

use crate::stage::Stage;

/// How long an answer may take; none takes a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of the protocol, and how it is spoken to.
struct Served {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

/// How a server ended.
struct Ended {
    code: i32,
    /// What it said that nobody heard.
    rest: String,
    /// What it noted for people.
    noted: String,
}

impl Served {
    /// A server that has been told nothing yet.
    fn silent(stage: &Stage, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = stage.program(&[&["mcp"], arguments].concat(), environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, to, from: BufReader::new(from).lines(), asked: 0 }
    }

    /// A server with this key, after the handshake.
    async fn with(stage: &Stage, key: &str, arguments: &[&str]) -> Self {
        let environment = [("CUECARD_URL", stage.platform.url()), ("CUECARD_API_KEY", key)];
        let mut served = Self::silent(stage, arguments, &environment);
        served.shake("2025-06-18").await;
        served
    }

    /// The handshake; the server's part of it.
    async fn shake(&mut self, revision: &str) -> Value {
        let us = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": us });
        let answer = self.ask("initialize", hello).await["result"].clone();
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
        answer
    }

    async fn say(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next message.
    async fn hear(&mut self) -> Value {
        let line = timeout(PATIENCE, self.from.next_line()).await.expect("it answers").unwrap();
        serde_json::from_str(&line.expect("it goes on")).expect("it says nothing but messages")
    }

    /// The answer to a question, whole.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let question = json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params });
        self.say(&question.to_string()).await;
        let answer = self.hear().await;
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(self.asked)), "{answer}");
        answer
    }

    /// What a tool that works answers.
    #[track_caller]
    fn does(&mut self, tool: &str, arguments: Value) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let result = self.call(tool, arguments).await;
            assert_eq!(result["isError"], false, "{at}: {result}");
            let text = result["content"][0]["text"].as_str().unwrap();
            let told: Value = serde_json::from_str(text).unwrap();
            assert_eq!(told, result["structuredContent"], "{at}: clients of both kinds are told the same");
            told
        }
    }

    /// What came of a tool.
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await["result"].clone()
    }

    /// Closes the client's end, and waits for the server's.
    async fn end(self) -> Ended {
        let Self { mut child, to, mut from, .. } = self;
        drop(to);
        let mut rest = String::new();
        while let Some(line) = timeout(PATIENCE, from.next_line()).await.expect("it ends").unwrap() {
            rest += &line;
        }
        let mut noted = String::new();
        child.stderr.take().unwrap().read_to_string(&mut noted).await.unwrap();
        let status = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
        Ended { code: status.code().unwrap(), rest, noted }
    }
}

/// The admin.
fn admin(stage: &Stage) -> Client {
    let settings =
        Settings { url: stage.platform.url().to_owned(), api_key: Some(ADMIN.to_owned()), user: None };
    Client::new(settings, runtime::sources::system()).unwrap()
}

/// A key of this role.
async fn key(stage: &Stage, role: &str) -> String {
    let key = stage.fields(&["keys", "create", role, "--role", role, "--of-team", "support"]).await;
    key["secret"].as_str().unwrap().to_owned()
}

/// A prompt of the team `support` that asks for no evaluation.
async fn prompt(admin: &Client, name: &str) -> Prompt {
    let new = NewPrompt {
        name: name.parse().unwrap(),
        team_id: "support".parse().unwrap(),
        description: Some(format!("What {name} is for")),
        tags: Vec::new(),
        test_set_id: None,
        gate: Some(NewGate { mode: Some("off".to_owned()), ..NewGate::default() }),
    };
    admin.create_prompt(&new).await.unwrap()
}

/// A version of it.
async fn version(admin: &Client, prompt: &Prompt, says: Value) -> Version {
    let mut new: NewVersion = serde_json::from_value(says).unwrap();
    new.model_id = Some("mock/echo".to_owned());
    admin.create_version(&prompt.prompt_id.to_string(), &new, 0).await.unwrap()
}

/// Makes a version live.
async fn promote(admin: &Client, version: &Version, environment: &str) {
    let promotion = Promotion {
        version_id: version.version_id,
        environment: environment.to_owned(),
        expected_revision: None,
        reason: None,
        overriding: None,
    };
    admin.promote(&version.prompt_id.to_string(), &promotion).await.unwrap();
}
