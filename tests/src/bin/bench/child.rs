//! The servers: this program in another role, in a process and a session of its own.

use std::{path::Path, process::Stdio};

use axum::{Router, body::Bytes, http::header, routing::get, serve::ListenerExt as _};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::Command,
};

use crate::{Outcome, report};

/// The admin's key of the platform under load.
pub(crate) const ADMIN: &str = "cue_bench_only-for-this-run";

/// A server under load. It is ended by its own process id.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
}

impl Child {
    /// The platform over a folder.
    pub(crate) async fn platform(folder: &Path) -> Outcome<Self> {
        Self::start(&["platform", &folder.to_string_lossy()]).await
    }

    /// The bare handler, with a body of this length.
    pub(crate) async fn reference(bytes: usize) -> Outcome<Self> {
        Self::start(&["reference", &bytes.to_string()]).await
    }

    async fn start(role: &[&str]) -> Outcome<Self> {
        let program = std::env::current_exe()?;
        // Without a session of its own the scheduler puts server and load on one core.
        let mut process = Command::new("setsid")
            .arg("--wait")
            .arg(program)
            .args(role)
            .stdin(Stdio::null())
            // The log is written in full, and nobody who makes the load has to read it.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = process.stderr.take().ok_or("the server cannot speak")?;
        let address = BufReader::new(said).lines().next_line().await?.ok_or("the server said nothing")?;
        Ok(Self { process, address })
    }

    /// The server's own process id.
    pub(crate) fn server_id(&self) -> Option<u32> {
        let parent = self.process.id()?;
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
        // Where `setsid` had no need to fork it became the server itself.
        children.split_whitespace().next().and_then(|id| id.parse().ok()).or(Some(parent))
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        if let Some(id) = self.server_id() {
            let _ = Command::new("kill").arg(id.to_string()).status().await;
        }
        let _ = self.process.wait().await;
    }
}

/// Serves the platform until it is told to end, with its log on standard output.
pub(crate) async fn serve_platform(folder: &Path) -> Outcome<()> {
    runtime::log::begin(&mut runtime::Variables::read(), "info");
    let settings = local::Settings { admin_key: Some(ADMIN.to_owned()), ..local::Settings::new(folder) };
    let platform = local::Platform::start(settings).await?;
    report::say(platform.url().trim_start_matches("http://"));
    let mut told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    told.recv().await;
    platform.stop().await;
    Ok(())
}

/// Serves prebuilt bytes, with the same server and the same settings, until it is killed.
pub(crate) async fn serve_reference(bytes: usize) -> Outcome<()> {
    let body = Bytes::from(vec![b'x'; bytes]);
    let router =
        Router::new().route("/", get(|| async { ([(header::CONTENT_TYPE, "application/json")], body) }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    report::say(&listener.local_addr()?.to_string());
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
