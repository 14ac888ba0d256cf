//! The connection to the cache: made when it is first needed, thrown away when anything goes wrong with it.

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{Error, Result, Sources};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo as _, RedisError,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
};
use tokio::time::timeout;

use super::{Login, RemoteSettings};

/// How many failures in a row make readers leave the cache alone.
const FAILURES: u32 = 3;

/// For how long they do. After it one of them tries.
const REST: Duration = Duration::from_secs(1);

/// How long somebody waits for the cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    connect: Duration,
    answer: Duration,
    /// Whether to try even while readers leave the cache alone.
    insists: bool,
}

/// Who only reads has the table to turn to. A connection takes a login and some turns of TLS: given up too early it
/// would never be made.
pub(super) const READER: Patience =
    Patience { connect: Duration::from_millis(300), answer: Duration::from_millis(50), insists: false };

/// Who moved a ref wants everybody to see it.
pub(super) const MOVER: Patience =
    Patience { connect: Duration::from_millis(500), answer: Duration::from_secs(1), insists: true };

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The connection that is in use, told apart from those before it.
#[derive(Clone)]
struct Kept {
    connection: Connection,
    number: u64,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    made: u64,
    failures: u32,
    /// On the monotonic clock.
    rests_until: Duration,
}

pub(super) struct Link {
    address: ConnectionInfo,
    cluster: bool,
    login: Option<Login>,
    sources: Sources,
    state: Mutex<State>,
    connecting: tokio::sync::Mutex<()>,
}

impl Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("address", &self.address.addr()).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(settings: RemoteSettings, sources: Sources) -> Result<Self> {
        let address = settings.url.as_str().into_connection_info().map_err(|error| {
            let hint =
                "the cache's address is none: it looks like redis://127.0.0.1:6379 or rediss://host:6379";
            Error::internal(hint).caused_by(error)
        })?;
        let RemoteSettings { cluster, login, .. } = settings;
        let (state, connecting) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { address, cluster, login, sources, state, connecting })
    }

    /// Asks the cache. The failure is counted here; the caller goes on without.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd, patience: Patience) -> Result<T> {
        if !patience.insists && self.rests() {
            return Err(failed("it did not answer a moment ago and is left alone"));
        }
        let answer = self.try_on_kept_and_fresh(command, patience).await;
        self.note(answer.as_ref().err());
        answer
    }

    /// A connection that was kept may have died while the process was frozen: that says nothing about the cache.
    async fn try_on_kept_and_fresh<T: FromRedisValue>(&self, command: &Cmd, patience: Patience) -> Result<T> {
        let kept = self.lock().kept.clone();
        if let Some(kept) = kept {
            match self.ask_on(kept, command, patience).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    tracing::debug!(error = %error.chain(), "a connection to the cache is given up");
                }
            }
        }
        let fresh = timeout(patience.connect, self.connect()).await;
        let fresh = fresh.unwrap_or_else(|late| Err(Error::unavailable("The cache", late)))?;
        self.ask_on(fresh, command, patience).await
    }

    async fn ask_on<T: FromRedisValue>(&self, kept: Kept, command: &Cmd, patience: Patience) -> Result<T> {
        let Kept { mut connection, number } = kept;
        let answer = timeout(patience.answer, command.query_async(&mut connection)).await;
        let answer = match answer {
            Ok(answer) => answer.map_err(unanswered),
            Err(late) => Err(Error::unavailable("The cache", late)),
        };
        if answer.is_err() {
            self.lock().kept.take_if(|kept| kept.number == number);
        }
        answer
    }

    /// One caller connects, the others wait and share what it made.
    async fn connect(&self) -> Result<Kept> {
        let _turn = self.connecting.lock().await;
        if let Some(kept) = self.lock().kept.clone() {
            return Ok(kept);
        }
        let mut address = self.address.clone();
        if let Some(login) = &self.login {
            let credentials = login().await?;
            let settings = address.redis_settings().clone();
            let settings = settings.set_username(credentials.user).set_password(credentials.password);
            address = address.set_redis_settings(settings);
        }
        let connection = if self.cluster { cluster(address).await } else { single(address).await };
        let connection = connection.map_err(unanswered)?;
        let mut state = self.lock();
        state.made += 1;
        let kept = Kept { connection, number: state.made };
        state.kept = Some(kept.clone());
        Ok(kept)
    }

    /// Whether the cache is left alone. When the rest is over, the one who asks first finds out how the cache is,
    /// and the others rest on.
    fn rests(&self) -> bool {
        let now = self.sources.clock.monotonic();
        let mut state = self.lock();
        if state.failures < FAILURES {
            return false;
        }
        let rests = now < state.rests_until;
        if !rests {
            state.rests_until = now + REST;
        }
        rests
    }

    fn note(&self, failure: Option<&Error>) {
        let mut state = self.lock();
        let Some(error) = failure else {
            state.failures = 0;
            return;
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES {
            state.rests_until = self.sources.clock.monotonic() + REST;
            tracing::warn!(error = %error.chain(), "the cache does not answer; the table is read instead");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn single(address: ConnectionInfo) -> redis::RedisResult<Connection> {
    // Whoever asks watches the time of the answer.
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(MOVER.connect)).set_response_timeout(None);
    let client = Client::open(address)?;
    client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Single)
}

/// The client of a cluster would try again by itself for longer than anybody here waits.
async fn cluster(address: ConnectionInfo) -> redis::RedisResult<Connection> {
    let client = ClusterClient::builder([address])
        .connection_timeout(MOVER.connect)
        .response_timeout(MOVER.answer)
        .retries(1)
        .build()?;
    client.get_async_connection().await.map(Connection::Cluster)
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> redis::RedisFuture<'a, redis::Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> redis::RedisFuture<'a, Vec<redis::Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        0
    }
}

fn unanswered(error: RedisError) -> Error {
    Error::unavailable("The cache", error)
}

fn failed(why: &'static str) -> Error {
    Error::unavailable("The cache", why)
}
