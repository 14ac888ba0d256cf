//! The load: connections that are kept busy with one request, over bare sockets, so that the generator costs little.

use std::time::Duration;

use benches::{Outcome, child::Child, connection::Connection};
use tokio::time::Instant;

use crate::report::rank;

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
    /// The most that the server ever held resident, in MiB.
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
        let (head, body) = connection.answer().split_at(body);
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
        let cpu = server.cpu()?;
        let began = Instant::now();
        let latencies = self.busy(server, connections, time).await?;
        let took = began.elapsed();
        let count = u32::try_from(latencies.len()).unwrap_or(u32::MAX).max(1);
        Ok(Measured {
            rate: f64::from(count) / took.as_secs_f64(),
            p50: rank(latencies.iter().copied(), 0.5),
            p99: rank(latencies.iter().copied(), 0.99),
            cpu: server.cpu()?.saturating_sub(cpu) / count,
            memory: server.peak_memory()?,
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
