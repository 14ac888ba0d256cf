//! The one browser of these tests: a real, headless Chromium that is spoken to in its own protocol over a pipe.
//!
//! Nothing stands between: no driver has to have the browser's version, and what a page logs, loads and is refused is
//! told as it happens. The browser ends with the pipe, so also when this program is killed.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    process::{ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// How long the browser may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// As root there is no sandbox, and nothing is asked of other hosts.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
];

/// Its protocol is read from descriptor 3 and written to 4; the profile goes when it has ended.
const SHELL: &str = r#"
    profile=$1 log=$2; shift 2
    "$@" "--user-data-dir=$profile" 3<&0 4>&1 </dev/null >/dev/null 2>"$log"
    rm -rf "$profile"
"#;

/// What it says besides.
const LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/chromium.log");

/// The browser.
pub(crate) struct Chromium {
    input: Mutex<ChildStdin>,
    calls: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// Who waits for what the browser says.
#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Value>>,
    events: HashMap<String, mpsc::UnboundedSender<Value>>,
    /// Whether nothing comes any more.
    ended: bool,
}

impl Chromium {
    /// The browser, which the first who asks starts.
    pub(crate) fn get() -> &'static Self {
        static ONE: LazyLock<Chromium> = LazyLock::new(Chromium::start);
        &ONE
    }

    fn start() -> Self {
        let profile = format!("{}/chromium-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh", &profile, LOG, "chromium"]).args(FLAGS);
        // A group of its own: Ctrl-C ends this program, the pipe the browser, and the shell tidies up after it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut shell = command.spawn().expect("there is a shell");
        let output = shell.stdout.take().unwrap();
        let input = Mutex::new(shell.stdin.take().unwrap());
        thread::spawn(move || {
            Self::listen(output);
            shell.wait()
        });
        Self { input, calls: AtomicU64::new(1), waiting: Mutex::default() }
    }

    /// Hands what the browser says to whoever waits for it.
    fn listen(output: ChildStdout) {
        for message in BufReader::new(output).split(0).map_while(Result::ok) {
            let message: Value = serde_json::from_slice(&message).unwrap();
            let mut waiting = Self::get().waiting.lock().unwrap();
            if let Some(answer) = message["id"].as_u64().and_then(|id| waiting.answers.remove(&id)) {
                // Whoever does not wait any more has failed already.
                let _ = answer.send(message);
            } else if let Some(events) = message["sessionId"].as_str().and_then(|id| waiting.events.get(id)) {
                let _ = events.send(message);
            }
        }
        let mut waiting = Self::get().waiting.lock().unwrap();
        waiting.ended = true;
        waiting.answers.clear();
    }

    /// Asks the browser, or a page by its session. An error is what the browser says is wrong.
    pub(crate) async fn call(&self, session: &str, method: &str, params: &Value) -> Result<Value, String> {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap();
            assert!(!waiting.ended, "Chromium is not there. {}", Self::complaint());
            waiting.answers.insert(id, answer);
        }
        self.send(id, session, method, params);
        let answer = timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("{method} is not answered"));
        let mut answer = answer.unwrap_or_else(|_| panic!("Chromium ended. {}", Self::complaint()));
        match answer["error"]["message"].as_str() {
            Some(error) => Err(format!("{method}: {error}")),
            None => Ok(answer["result"].take()),
        }
    }

    /// Tells the browser something without waiting.
    pub(crate) fn tell(&self, method: &str, params: &Value) {
        self.send(self.calls.fetch_add(1, Ordering::Relaxed), "", method, params);
    }

    fn send(&self, id: u64, session: &str, method: &str, params: &Value) {
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        // Where it has ended, whoever waits for an answer is told so.
        let _ = self.input.lock().unwrap().write_all(&bytes);
    }

    /// What a page tells from now on.
    pub(crate) fn events(&self, session: &str) -> mpsc::UnboundedReceiver<Value> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.waiting.lock().unwrap().events.insert(session.to_owned(), sender);
        receiver
    }

    /// What it said before it ended.
    fn complaint() -> String {
        let said = fs::read_to_string(LOG).unwrap_or_default();
        format!("`make tools` says how to install it. It said:\n{said}")
    }
}
