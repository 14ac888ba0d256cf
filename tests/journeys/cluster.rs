//! The cache as it is on AWS: nodes that share the slots, and that clients reach through TLS alone.
//!
//! The server that tests have knows no TLS. So each node has a proxy that ends it, and tells clients the proxy's port.

use std::{fs, time::Duration};

use e2e::cache_program;
use redis::{FromRedisValue, RedisResult};
use runtime::configuration::name::{CACHE_CLUSTER, CACHE_NAME, CACHE_URL, CACHE_USER};
use tempfile::TempDir;
use testkit::cache_server::CacheServer;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};
use tokio_rustls::TlsAcceptor;

use crate::tls::{Certificates, TlsFront};

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// The nodes that share the slots.
pub(crate) const MASTERS: usize = 3;

/// How many slots a cluster has.
const SLOTS: usize = 16_384;

/// How many of them a node has.
const SHARE: usize = SLOTS.div_ceil(MASTERS);

/// The options of a node. One that is lost takes nobody's slots but its own, and who stands in for it waits to be told.
const OPTIONS: [&str; 6] = [
    "--cluster-node-timeout",
    "5000",
    "--cluster-require-full-coverage",
    "no",
    "--cluster-replica-no-failover",
    "yes",
];

/// The user that processes are, whose password IAM would check.
const USER: [&str; 6] = ["--user", "cuecard", "on", "nopass", "~cue:*", "+@all"];

/// Running nodes. Dropping it kills their processes.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    server: TlsAcceptor,
    folder: TempDir,
}

/// A node, and the only way to it that clients hear of.
pub(crate) struct Node {
    pub(crate) server: CacheServer,
    pub(crate) front: TlsFront,
}

impl Cluster {
    /// Starts nodes that have the slots in equal shares.
    pub(crate) async fn start() -> Self {
        let Certificates { authority, server } = Certificates::new();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("authority.pem"), authority).unwrap();
        let mut cluster = Self { nodes: Vec::new(), server, folder };
        for index in 0..MASTERS {
            let slots = (index * SHARE)..SLOTS.min((index + 1) * SHARE);
            let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
            cluster.add().await.tell(&format!("CLUSTER ADDSLOTS {}", slots.join(" "))).await;
        }
        cluster.come_together().await;
        cluster
    }

    /// Adds an empty node that stands in for this one when it is told to.
    ///
    /// It copies nothing from it, for it would do that without TLS: who comes to it finds all entries lost.
    pub(crate) async fn add_replica(&mut self, of: usize) -> usize {
        self.add().await;
        self.come_together().await;
        let (replica, id) = (self.nodes.len() - 1, self.nodes[of].id().await);
        self.nodes[replica].tell(&format!("CLUSTER REPLICATE {id}")).await;
        for node in &self.nodes {
            let known = async || node.ask::<String>("CLUSTER NODES").await.contains(&format!(" {id} "));
            until("a replica is known", known).await;
        }
        replica
    }

    async fn add(&mut self) -> &Node {
        let node = Node::start(&self.server).await;
        // Of two nodes that begin at the same epoch, one has to take another.
        node.tell(&format!("CLUSTER SET-CONFIG-EPOCH {}", self.nodes.len() + 1)).await;
        if let Some(first) = self.nodes.first() {
            first.tell(&format!("CLUSTER MEET 127.0.0.1 {}", node.server.address().port())).await;
        }
        self.nodes.push(node);
        &self.nodes[self.nodes.len() - 1]
    }

    async fn come_together(&self) {
        let wanted = [
            "cluster_state:ok".to_owned(),
            format!("cluster_slots_ok:{SLOTS}"),
            format!("cluster_known_nodes:{}", self.nodes.len()),
        ];
        for node in &self.nodes {
            let ready = async || {
                let info: String = node.ask("CLUSTER INFO").await;
                wanted.iter().all(|line| info.lines().any(|said| said == line))
            };
            until("the nodes come together", ready).await;
        }
    }

    /// What the environment of a process says of the cache, as on AWS but for whom it trusts.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let trusted = self.folder.path().join("authority.pem");
        vec![
            (CACHE_URL, format!("rediss://{}", self.nodes[0].front.address)),
            (CACHE_CLUSTER, "true".to_owned()),
            (CACHE_USER, "cuecard".to_owned()),
            (CACHE_NAME, "prompts".to_owned()),
            ("SSL_CERT_FILE", trusted.to_str().unwrap().to_owned()),
        ]
    }

    /// The slot of a key.
    pub(crate) async fn slot(&self, key: &str) -> usize {
        self.nodes[0].ask(&format!("CLUSTER KEYSLOT {key}")).await
    }

    /// Which node had a slot at first.
    pub(crate) fn first_owner(slot: usize) -> usize {
        slot / SHARE
    }
}

impl Node {
    async fn start(server: &TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seen_at = listener.local_addr().unwrap().port().to_string();
        let options = [&OPTIONS[..], &["--cluster-announce-port", &seen_at], &USER[..]].concat();
        let node = CacheServer::start_node(&cache_program(), &options).await.unwrap();
        let front = TlsFront::start(listener, server.clone(), node.address());
        Self { server: node, front }
    }

    /// What it answers to these words, past its proxy.
    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &str) -> T {
        self.try_ask(words).await.unwrap()
    }

    async fn try_ask<T: FromRedisValue>(&self, words: &str) -> RedisResult<T> {
        let client = redis::Client::open(self.server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>()).query_async(&mut connection).await
    }

    /// The same where it has nothing to answer.
    pub(crate) async fn tell(&self, words: &str) {
        let _done: String = self.ask(words).await;
    }

    pub(crate) async fn id(&self) -> String {
        self.ask("CLUSTER MYID").await
    }

    /// Waits until it has an entry, whose slot is its own. One that has not heard from others for a while answers nothing.
    pub(crate) async fn has(&self, key: &str) {
        until(key, async || self.try_ask(&format!("EXISTS {key}")).await.unwrap_or(false)).await;
    }
}

/// Asks until it is so.
pub(crate) async fn until(what: &str, ask: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ask().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
