//! A system under load, and how another's is started and filled.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    time::Duration,
};

use benches::{Outcome, child::Child, load::Load};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::texts::Text;

/// The longest that a server may take until it answers.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(100);
/// What another's server says.
const LOG: &str = "log";

/// What a system is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It does as little as can be done.
    Limit,
    Ours,
    Peer,
}

/// A server with the prompts.
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) server: Child,
    /// A read of each prompt.
    pub(crate) load: Load,
    /// Its data, which goes with it.
    pub(crate) _folder: Option<TempDir>,
}

impl System {
    /// How long an answer is, on average. Each has to hold the text that was asked for.
    pub(crate) async fn bytes(&self, texts: &[Text]) -> Outcome<usize> {
        let answers = self.load.each(&self.server.address).await?;
        for (text, (_, body)) in texts.iter().zip(&answers) {
            if self.kind != Kind::Limit && !holds(&serde_json::from_slice(body)?, &text.text) {
                return Err(format!("{} does not answer with the text of {}", self.name, text.name).into());
            }
        }
        Ok(answers.iter().map(|(_, body)| body.len()).sum::<usize>() / answers.len().max(1))
    }

    /// Ends it, and waits for that.
    pub(crate) async fn stop(self) -> Outcome<()> {
        self.server.stop().await
    }
}

/// Whether the text is somewhere in an answer, whole.
fn holds(answer: &Value, text: &str) -> bool {
    match answer {
        Value::String(own) => own == text,
        Value::Array(values) => values.iter().any(|value| holds(value, text)),
        Value::Object(values) => values.values().any(|value| holds(value, text)),
        _ => false,
    }
}

/// Starts another's program, in a folder of its own and on a port that nobody has, and waits until it answers at this
/// path.
pub(crate) async fn start(
    program: &Path,
    health: &str,
    told: impl FnOnce(&mut Command, u16),
) -> Outcome<(Child, TempDir)> {
    if !program.exists() {
        return Err(format!("There is no {}: `make bench-peers` sets it up.", program.display()).into());
    }
    let folder = TempDir::with_prefix("cuecard-bench-")?;
    let log = folder.path().join(LOG);
    let port = free_port()?;
    let address = format!("127.0.0.1:{port}");
    let mut server = Child::of_another(program, address, File::create(&log)?, |command| {
        told(command, port);
        command.current_dir(folder.path())
    })?;
    let (health, began) = (Load::get(health, None), Instant::now());
    while let Err(error) = health.once(&server.address).await {
        if server.is_over()? || began.elapsed() > PATIENCE {
            let said = fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("{} does not answer: {error}\n{said}", program.display()).into());
        }
        sleep(PAUSE).await;
    }
    Ok((server, folder))
}

/// The version of a package that `make bench-peers` installs.
pub(crate) fn version(package: &str) -> &'static str {
    let mut pinned = include_str!("../../../../../tools/peers.txt").lines();
    pinned.find_map(|line| line.strip_prefix(package)?.strip_prefix("==")).unwrap_or_default()
}

/// A port that nobody has.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Writes into a system.
pub(crate) struct Api {
    client: Client,
    /// What all paths begin with.
    url: String,
    key: Option<&'static str>,
}

impl Api {
    /// Of a server; its paths begin so.
    pub(crate) fn of(server: &Child, path: &str, key: Option<&'static str>) -> Outcome<Self> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { client, url: format!("http://{}{path}", server.address), key })
    }

    /// Posts, and returns what is answered, if anything.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let request = if let Some(key) = self.key { request.bearer_auth(key) } else { request };
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("{path}: {status} {body}").into());
        }
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? })
    }
}
