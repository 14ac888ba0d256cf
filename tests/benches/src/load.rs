//! The load: connections that are kept busy, over bare sockets, so that the generator costs little.

use std::{fmt::Display, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{Outcome, child::Child, connection::Connection, figures::rank};

/// Requests that are sent in turn, again and again.
#[derive(Clone)]
pub struct Load {
    requests: Arc<[Vec<u8>]>,
    /// Whether each has a connection of its own.
    apart: bool,
}

/// What a measurement came to.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Requests per second.
    pub rate: f64,
    /// The median latency.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The server's CPU time per request, user and system.
    pub cpu: Duration,
    /// The most that the server ever held resident, in MiB.
    pub memory: u64,
}

impl Load {
    /// A GET, with a key where one is needed.
    pub fn get(path: &str, key: Option<&str>) -> Self {
        Self::of_all([path], key)
    }

    /// A GET of each path. Some servers answer to no host but that on which they listen.
    pub fn of_all(paths: impl IntoIterator<Item = impl Display>, key: Option<&str>) -> Self {
        let key = key.map_or(String::new(), |key| format!("authorization: Bearer {key}\r\n"));
        let requests = paths
            .into_iter()
            .map(|path| format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}\r\n").into_bytes());
        Self { requests: requests.collect(), apart: false }
    }

    /// The request of those handlers that have one route.
    pub fn reference() -> Self {
        Self::get("/", None)
    }

    /// The same, with a new connection for each request.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { apart: true, ..self.clone() }
    }

    /// One request of each: the answers' heads and bodies.
    pub async fn each(&self, address: &str) -> Outcome<Vec<(String, Vec<u8>)>> {
        let mut connection = Connection::open(address).await?;
        let mut answers = Vec::new();
        for request in &*self.requests {
            let body = connection.ask(request).await?;
            let (head, body) = connection.answer().split_at(body);
            answers.push((String::from_utf8_lossy(head).into_owned(), body.to_vec()));
        }
        Ok(answers)
    }

    /// The first request: the head of the answer and the length of its body.
    pub async fn once(&self, address: &str) -> Outcome<(String, usize)> {
        let answer = self.each(address).await?.into_iter().next();
        let (head, body) = answer.ok_or("there is nothing to ask")?;
        Ok((head, body.len()))
    }

    /// One request on a new connection: how long it took.
    pub async fn timed(&self, address: &str) -> Outcome<Duration> {
        let began = Instant::now();
        self.once(address).await?;
        Ok(began.elapsed())
    }

    /// Keeps `connections` busy for a while.
    pub async fn run(&self, server: &Child, connections: usize, time: Duration) -> Outcome<Measured> {
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
        for number in 0..connections {
            let mut connection = Connection::open(&server.address).await?;
            let (load, address) = (self.clone(), server.address.clone());
            tasks.spawn(async move {
                let mut latencies = Vec::with_capacity(1 << 17);
                for request in load.requests.iter().cycle().skip(number) {
                    let began = Instant::now();
                    if began >= until {
                        break;
                    }
                    if load.apart {
                        connection = Connection::open(&address).await?;
                    }
                    connection.ask(request).await?;
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
