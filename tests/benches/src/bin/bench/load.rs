//! The load: connections that are kept busy with one request, over bare sockets, so that the generator costs little.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use crate::{Outcome, child::Child, report::rank};

/// A request that is sent again and again.
#[derive(Clone)]
pub(crate) struct Load {
    request: Vec<u8>,
}

/// What a measurement came to.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// Requests per second.
    pub(crate) rate: f64,
    /// The median latency.
    pub(crate) p50: Duration,
    /// The 99th percentile.
    pub(crate) p99: Duration,
    /// The server's CPU time per request, user and system.
    pub(crate) cpu: Duration,
    /// The server's resident memory, in MiB.
    pub(crate) memory: u64,
}

impl Load {
    /// A GET, with a key where one is needed.
    pub(crate) fn get(path: &str, key: Option<&str>) -> Self {
        let key = key.map_or(String::new(), |key| format!("authorization: Bearer {key}\r\n"));
        Self { request: format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{key}\r\n").into_bytes() }
    }

    /// The request of those handlers that have one route.
    pub(crate) fn reference() -> Self {
        Self::get("/", None)
    }

    /// One request: the head of the answer and the length of its body.
    pub(crate) async fn once(&self, address: &str) -> Outcome<(String, usize)> {
        let mut connection = Connection::open(address).await?;
        let body = connection.ask(&self.request).await?;
        let (head, body) = connection.buffer.split_at(body);
        Ok((String::from_utf8_lossy(head).into_owned(), body.len()))
    }

    /// One request on a new connection: how long it took.
    pub(crate) async fn timed(&self, address: &str) -> Outcome<Duration> {
        let began = Instant::now();
        self.once(address).await?;
        Ok(began.elapsed())
    }

    /// Keeps `connections` busy for a while.
    pub(crate) async fn run(&self, server: &Child, connections: usize, time: Duration) -> Outcome<Measured> {
        self.busy(server, connections, Duration::from_millis(500)).await?;
        let cpu = cpu_of(server);
        let began = Instant::now();
        let latencies = self.busy(server, connections, time).await?;
        let took = began.elapsed();
        let count = u32::try_from(latencies.len()).unwrap_or(u32::MAX).max(1);
        Ok(Measured {
            rate: f64::from(count) / took.as_secs_f64(),
            p50: rank(latencies.iter().copied(), 0.5),
            p99: rank(latencies.iter().copied(), 0.99),
            cpu: cpu_of(server).saturating_sub(cpu) / count,
            memory: memory_of(server),
        })
    }

    async fn busy(&self, server: &Child, connections: usize, time: Duration) -> Outcome<Vec<Duration>> {
        let until = Instant::now() + time;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let mut connection = Connection::open(&server.address).await?;
            let load = self.clone();
            tasks.spawn(async move {
                let mut latencies = Vec::with_capacity(1 << 17);
                while Instant::now() < until {
                    let began = Instant::now();
                    connection.ask(&load.request).await?;
                    latencies.push(began.elapsed());
                }
                Outcome::Ok(latencies)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done??);
        }
        Ok(all)
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the request and reads the whole answer into the buffer, and says where its body begins; anything but 200
    /// is an error of the bench.
    async fn ask(&mut self, request: &[u8]) -> Outcome<usize> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let (head, body) = self.buffer.split_at(head + 4);
            let head = std::str::from_utf8(head)?;
            let length = content_length(head).ok_or("an answer without a length")?;
            if body.len() < length {
                continue;
            }
            if !head.starts_with("HTTP/1.1 200") {
                return Err(format!("not 200: {head}{}", String::from_utf8_lossy(body)).into());
            }
            return Ok(head.len());
        }
    }
}

fn content_length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())
}

/// User and system time of the server so far.
fn cpu_of(server: &Child) -> Duration {
    server.server_id().map(e2e::cpu_of).unwrap_or_default()
}

fn memory_of(server: &Child) -> u64 {
    let kib = server.server_id().and_then(|id| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:").map(str::to_owned))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    kib.unwrap_or_default() / 1024
}
