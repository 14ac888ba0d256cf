//! The process of a sandbox.

use std::{
    io,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use super::{Settings, lines::Lines};
use crate::engines::{ACCESS_KEY, REGION, SECRET_KEY};

/// How long a process that ended is listened to: what it started may hold its pipes open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The authorities that this system trusts, in one file as the template says: on Debian, and where nothing is there no
/// authority is trusted.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A process that runs or has ended. It is killed when the last of these is dropped.
#[derive(Debug, Clone)]
pub(super) struct Process {
    id: u32,
    kill: mpsc::Sender<()>,
    killed: Arc<AtomicBool>,
    ended: watch::Receiver<bool>,
    stderr: Lines,
}

impl Process {
    /// Starts the program with the environment of Lambda. Its standard output goes to `stdout`.
    pub(super) fn start(settings: &Settings, runtime_api: &str, stdout: Lines) -> io::Result<Self> {
        let mut command = Command::new(&settings.program);
        command.env_clear().envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", &settings.name),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "cuecard-functions"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("SSL_CERT_FILE", AUTHORITIES),
        ]);
        if settings.concurrency > 1 {
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", settings.concurrency.to_string());
        }
        command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn()?;
        let (kill, killed) = mpsc::channel(1);
        let (ending, ended) = watch::channel(false);
        let stderr = Lines::default();
        let id = child.id().unwrap_or_default();
        let process = Self { id, kill, killed: Arc::default(), ended, stderr: stderr.clone() };
        tokio::spawn(async move {
            watch(child, killed, stdout, stderr).await;
            ending.send_replace(true);
        });
        Ok(process)
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits until the process has ended and all that it said has been read.
    pub(super) async fn ended(&self) {
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Ends the process with SIGKILL; whether it was still running and nobody killed it before.
    pub(super) async fn kill(&self) -> bool {
        let first = !self.has_ended() && !self.killed.swap(true, Ordering::SeqCst);
        let _ = self.kill.try_send(());
        self.ended().await;
        first
    }

    /// Whether somebody killed it before it ended by itself.
    pub(super) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// The last lines of its standard error.
    pub(super) fn stderr(&self) -> String {
        self.stderr.text()
    }
}

async fn watch(mut child: Child, mut killed: mpsc::Receiver<()>, stdout: Lines, stderr: Lines) {
    let mut readers = JoinSet::new();
    if let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) {
        readers.spawn(async move { stdout.read(output).await });
        readers.spawn(async move { stderr.read(errors).await });
    }
    tokio::select! {
        _ = child.wait() => {}
        _ = killed.recv() => drop(child.kill().await),
    }
    let _ = timeout(LAST_WORDS, readers.join_all()).await;
}
