//! The servers: this program in another role, or another's program, in a session of its own.

use std::{ffi::OsStr, fs::File, path::Path, process::Stdio, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::header, response::IntoResponse, routing::get};
use clap::Subcommand;
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::Command,
};

use e2e::report;

use crate::Outcome;

/// The admin's key of the platform under load.
pub const ADMIN: &str = "cue_bench_only-for-this-run";

/// What a server is.
#[derive(Debug, Clone, Subcommand)]
pub enum Role {
    /// Serve the platform over a folder (started by the bench itself)
    Platform {
        /// The data folder
        folder: std::path::PathBuf,
        /// The cache
        #[arg(long)]
        cache_url: Option<String>,
        /// Serve no ref and no key from memory
        #[arg(long)]
        always_asks: bool,
        /// How long the development model takes for an answer
        #[arg(long, default_value_t = 0)]
        model_latency_ms: u64,
        /// How many cases of evaluations are worked on at once
        #[arg(long)]
        eval_concurrency: Option<usize>,
    },
    /// Serve prebuilt bytes (started by the bench itself)
    Bare {
        /// How long the body is
        bytes: usize,
    },
    /// Serve what one GET of a cache brings (started by the bench itself)
    PlainGet {
        /// The cache
        cache_url: String,
        /// How long the body is
        bytes: usize,
    },
}

/// A server under load. It and what it started are ended by their own process ids.
pub struct Child {
    process: tokio::process::Child,
    /// `127.0.0.1:<port>`.
    pub address: String,
}

impl Child {
    /// The platform over a folder, perhaps with a cache, perhaps without memory.
    pub async fn platform(folder: &Path, cache_url: Option<&str>, always_asks: bool) -> Outcome<Self> {
        let folder = folder.to_string_lossy();
        let mut role = vec!["platform", &folder];
        if let Some(url) = cache_url {
            role.extend(["--cache-url", url]);
        }
        if always_asks {
            role.push("--always-asks");
        }
        Self::start(&role).await
    }

    /// The platform over a folder, whose development model takes so long, perhaps with so many cases at once.
    pub async fn evaluating(folder: &Path, latency: Duration, concurrency: Option<u32>) -> Outcome<Self> {
        let (folder, latency) = (folder.to_string_lossy(), latency.as_millis().to_string());
        let concurrency = concurrency.map(|concurrency| concurrency.to_string());
        let mut role = vec!["platform", &folder, "--model-latency-ms", &latency];
        if let Some(concurrency) = &concurrency {
            role.extend(["--eval-concurrency", concurrency.as_str()]);
        }
        Self::start(&role).await
    }

    /// The bare handler, with a body of this length.
    pub async fn bare(bytes: usize) -> Outcome<Self> {
        Self::start(&["bare", &bytes.to_string()]).await
    }

    /// The handler that asks a cache once, for a value of this length.
    pub async fn plain_get(cache_url: &str, bytes: usize) -> Outcome<Self> {
        Self::start(&["plain-get", cache_url, &bytes.to_string()]).await
    }

    async fn start(role: &[&str]) -> Outcome<Self> {
        let mut process = in_a_session(std::env::current_exe()?).args(role).stderr(Stdio::piped()).spawn()?;
        let said = process.stderr.take().ok_or("the server cannot speak")?;
        let address = BufReader::new(said).lines().next_line().await?.ok_or("the server said nothing")?;
        Ok(Self { process, address })
    }

    /// Another's program, which is told where to listen and says into a file what it does.
    pub fn of_another(
        program: &Path,
        address: String,
        log: File,
        told: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Outcome<Self> {
        let process = told(&mut in_a_session(program)).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { process, address })
    }

    /// Whether it ended by itself.
    pub fn is_over(&mut self) -> Outcome<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// The server's own process id.
    fn server_id(&self) -> Outcome<u32> {
        let parent = self.process.id().ok_or("the server ended by itself")?;
        // Where `setsid` had no need to fork it became the server itself, and its children are the server's.
        if !e2e::session_of(parent)?.is_empty() {
            return Ok(parent);
        }
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        Ok(children.split_whitespace().next().ok_or("the server ended by itself")?.parse()?)
    }

    /// Its user and system time so far, and that of what it started.
    pub fn cpu(&self) -> Outcome<Duration> {
        let processes = e2e::session_of(self.server_id()?)?;
        Ok(processes.into_iter().map(e2e::cpu_of).sum::<std::io::Result<_>>()?)
    }

    /// The most that it ever held resident, in MiB.
    pub fn peak_memory(&self) -> Outcome<u64> {
        Ok(e2e::peak_memory_of(self.server_id()?)? / 1024)
    }

    /// Ends it, and waits for that.
    pub async fn stop(mut self) -> Outcome<()> {
        self.end()?;
        self.process.wait().await?;
        Ok(())
    }

    fn end(&self) -> Outcome<()> {
        let processes = e2e::session_of(self.server_id()?)?;
        std::process::Command::new("kill").args(processes.iter().map(u32::to_string)).status()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Whoever was stopped has no process any more.
        let _ = self.end();
    }
}

/// Runs a program in a session of its own: without one the scheduler puts server and load on one core.
fn in_a_session(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(program).stdin(Stdio::null()).kill_on_drop(true);
    // The log is written in full, and nobody who makes the load has to read it.
    command.stdout(Stdio::null());
    command
}

/// Serves until it is killed.
pub async fn serve(role: &Role) -> Outcome<()> {
    match role {
        Role::Platform { folder, cache_url, always_asks, model_latency_ms, eval_concurrency } => {
            let default = local::Settings::new(folder);
            let latency = Duration::from_millis(*model_latency_ms);
            let settings = local::Settings {
                admin_key: Some(ADMIN.to_owned()),
                cache_url: cache_url.clone(),
                always_asks: *always_asks,
                eval_concurrency: eval_concurrency.unwrap_or(default.eval_concurrency),
                mock: local::mock::MockSettings { latency, ..default.mock },
                ..default
            };
            serve_platform(settings).await
        }
        Role::Bare { bytes } => {
            let body = Bytes::from(vec![b'x'; *bytes]);
            serve_router(Router::new().route("/", get(|| async { json(body) }))).await
        }
        Role::PlainGet { cache_url, bytes } => {
            let client = redis::Client::open(cache_url.as_str())?;
            let mut connection = client.get_multiplexed_async_connection().await?;
            connection.set::<_, _, ()>(PLAIN_KEY, vec![b'x'; *bytes]).await?;
            serve_router(Router::new().route("/", get(plain_get)).with_state(connection)).await
        }
    }
}

/// Serves the platform until it is told to end, with its log on standard output.
async fn serve_platform(settings: local::Settings) -> Outcome<()> {
    runtime::log::begin(&mut runtime::Variables::read(), runtime::log::LevelFilter::INFO);
    let platform = local::Platform::start(settings).await?;
    report::say(platform.url().trim_start_matches("http://"));
    let mut told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    told.recv().await;
    platform.stop().await;
    Ok(())
}

/// Serves with the same server and the same settings.
async fn serve_router(router: Router) -> Outcome<()> {
    use axum::serve::ListenerExt as _;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    report::say(&listener.local_addr()?.to_string());
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

const PLAIN_KEY: &str = "plain";

async fn plain_get(State(mut connection): State<MultiplexedConnection>) -> impl IntoResponse {
    let value: Vec<u8> = connection.get(PLAIN_KEY).await.map_err(|error| error.to_string())?;
    Ok::<_, String>(json(value.into()))
}

fn json(body: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}
