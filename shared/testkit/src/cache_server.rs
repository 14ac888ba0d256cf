//! A real Redis or Valkey server: a process that tests kill and start again.

mod resp;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{self, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use self::resp::ask;

/// How long a server may take until it answers. A node of a cluster waits for 2 s before it does.
const PATIENCE: Duration = Duration::from_secs(15);

/// The pause between two questions whether a server is ready.
const PAUSE: Duration = Duration::from_millis(5);

/// The file in the server's folder to which it says why it ends.
const LOG: &str = "log";

/// How many slots a cluster has.
const SLOTS: usize = 16_384;

/// How far above its port a node talks to other nodes.
const BUS: u16 = 10_000;

/// A cache server on a port of 127.0.0.1, with everything in memory. Dropping it kills its process.
#[derive(Debug)]
pub struct CacheServer {
    program: PathBuf,
    kind: Kind,
    address: SocketAddr,
    process: Option<Child>,
    folder: TempDir,
}

#[derive(Debug)]
enum Kind {
    Single,
    WholeCluster,
    /// With these options.
    Node(Vec<String>),
}

impl CacheServer {
    /// Starts `program`, a `redis-server` or `valkey-server`, and waits until it answers.
    pub async fn start(program: &Path) -> io::Result<Self> {
        Self::begin(program, Kind::Single).await
    }

    /// The same as the only node of a cluster, to which all slots belong. It takes 2 s.
    pub async fn start_cluster(program: &Path) -> io::Result<Self> {
        Self::begin(program, Kind::WholeCluster).await
    }

    /// The same as a node that has no slots and knows no other node, with further options. What it learns of its
    /// cluster it still knows after a restart.
    pub async fn start_node(program: &Path, options: &[&str]) -> io::Result<Self> {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self::begin(program, Kind::Node(options)).await
    }

    async fn begin(program: &Path, kind: Kind) -> io::Result<Self> {
        let address = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let folder = TempDir::with_prefix("cuecard-cache-")?;
        let mut server = Self { program: program.to_owned(), kind, address, process: None, folder };
        server.restart().await?;
        Ok(server)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `redis://127.0.0.1:<port>`, for a client of a single server and of a cluster alike.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Kills the process with SIGKILL. Whoever connects is refused until [`CacheServer::restart`].
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts an empty server on the same port; kills the running one first.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.kill().await?;
        self.process = Some(self.spawn()?);
        if timeout(PATIENCE, self.ready()).await?? {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        let reason = log.lines().last().unwrap_or("it says nothing");
        Err(io::Error::other(format!("{} ended at once: {reason}", self.program.display())))
    }

    /// Removes everything that is stored.
    pub async fn flush(&self) -> io::Result<()> {
        ask(self.address, &["FLUSHALL"]).await.map(drop)
    }

    fn spawn(&self) -> io::Result<Child> {
        let folder = self.folder.path();
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
        command.arg("--logfile").arg(folder.join(LOG));
        if !matches!(self.kind, Kind::Single) {
            // The node cannot know by itself where its clients see it.
            command.args(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
        }
        if let Kind::Node(options) = &self.kind {
            command.args(options);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().map_err(|error| {
            let program = self.program.display();
            io::Error::new(error.kind(), format!("{program} does not start ({error}): say `make tools`"))
        })
    }

    /// Waits until the server can be used; false when it ended instead.
    async fn ready(&mut self) -> io::Result<bool> {
        let Some(child) = &mut self.process else { return Ok(false) };
        // Somebody else's server on the same port would answer too.
        let own = format!("process_id:{}\r\n", child.id().unwrap_or_default());
        while !said(self.address, &["INFO", "server"], &own).await {
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            sleep(PAUSE).await;
        }
        if matches!(self.kind, Kind::WholeCluster) {
            // After a restart it still has those that it had.
            if said(self.address, &["CLUSTER", "INFO"], "cluster_slots_assigned:0\r\n").await {
                self.take_all_slots().await?;
            }
            while !said(self.address, &["CLUSTER", "INFO"], "cluster_state:ok").await {
                sleep(PAUSE).await;
            }
        }
        Ok(true)
    }

    async fn take_all_slots(&self) -> io::Result<()> {
        let slots: Vec<_> = (0..SLOTS).map(|slot| slot.to_string()).collect();
        for slots in slots.chunks(1024) {
            let words: Vec<_> =
                ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
            ask(self.address, &words).await?;
        }
        Ok(())
    }
}

async fn said(address: SocketAddr, question: &[&str], part: &str) -> bool {
    ask(address, question).await.is_ok_and(|answer| answer.contains(part))
}

/// A port that nobody listens on, with its partner for a cluster.
///
/// Both lie below those that the system gives to connections: a server that is killed finds its port free again.
fn free_port() -> io::Result<u16> {
    const PORTS: std::ops::Range<u16> = 12_000..22_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = process::id().wrapping_mul(97);
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let ports = PORTS.map(|_| {
        let place = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed).into())
            % u32::from(PORTS.end - PORTS.start);
        PORTS.start + u16::try_from(place).unwrap_or_default()
    });
    let mut free = ports.filter(|port| free(*port) && free(port + BUS));
    free.next().ok_or_else(|| io::Error::other("every port is taken"))
}

#[cfg(test)]
mod tests;
