//! What a cache does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use benches::Outcome;
use redis::aio::MultiplexedConnection;
use testkit::{cache_server::CacheServer, tcp_proxy::Behaviour};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::interval,
};

use super::Fault;
use crate::stage::Stage;

/// How slow it is: slower than anybody waits for it.
const SLOW: Duration = Duration::from_millis(300);
/// How long it is there, and then not, where it comes and goes.
const FLAP: Duration = Duration::from_millis(500);
/// How often its values are written over.
const SCRIBBLE: Duration = Duration::from_millis(50);
/// How often, and how long in ms, a primary is asked to wait for its replica.
const SYNCED: (usize, usize) = (100, 100);

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "cache down",
        breaks: |stage| Box::pin(async move { Ok(stage.cache.kill().await?) }),
        heals: |stage| {
            Box::pin(async move {
                stage.cache.restart().await?;
                Ok(untold(stage))
            })
        },
        moves: true,
    },
    Fault {
        name: "cache out of the mover's reach",
        breaks: |stage| {
            stage.way_of_mover.set(Behaviour::Refuse);
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.way_of_mover.set(Behaviour::Pass);
            Box::pin(async move { Ok(untold(stage)) })
        },
        moves: true,
    },
    Fault {
        name: "cache 300 ms slow",
        breaks: |stage| {
            stage.way.set(Behaviour::Delay(SLOW));
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.way.set(Behaviour::Pass);
            Box::pin(async move { Ok(untold(stage)) })
        },
        moves: true,
    },
    Fault {
        name: "cache silent",
        breaks: |stage| {
            stage.way.set(Behaviour::Blackhole);
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            stage.way.set(Behaviour::Pass);
            // Whoever met the silence would wait in it until the connection ends, as behind a freeze.
            stage.way.cut();
            Box::pin(async move { Ok(untold(stage)) })
        },
        moves: true,
    },
    Fault {
        name: "cache flapping",
        breaks: |stage| {
            let way = stage.way.clone();
            stage.meanwhile.spawn(async move {
                let mut beats = interval(FLAP);
                for behaviour in [Behaviour::Refuse, Behaviour::Pass].into_iter().cycle() {
                    beats.tick().await;
                    way.set(behaviour);
                }
                Ok(())
            });
            Box::pin(async move { Ok(()) })
        },
        heals: |stage| {
            Box::pin(async move {
                stage.rest().await?;
                stage.way.set(Behaviour::Pass);
                Ok(untold(stage))
            })
        },
        moves: true,
    },
    Fault {
        name: "cache answering another protocol",
        breaks: |stage| {
            Box::pin(async move {
                stage.cache.kill().await?;
                let listener = TcpListener::bind(stage.cache.address()).await?;
                stage.meanwhile.spawn(babble(listener));
                Ok(())
            })
        },
        heals: |stage| {
            Box::pin(async move {
                stage.rest().await?;
                stage.cache.restart().await?;
                Ok(untold(stage))
            })
        },
        moves: true,
    },
    Fault {
        name: "cache holding garbage",
        breaks: |stage| {
            Box::pin(async move {
                let connection = connect(&stage.cache).await?;
                stage.meanwhile.spawn(scribble(connection, stage.scribbled.clone()));
                Ok(())
            })
        },
        heals: |stage| {
            Box::pin(async move {
                stage.rest().await?;
                Ok(stage.scribbled.load(Ordering::SeqCst))
            })
        },
        moves: true,
    },
    Fault {
        name: "cache failing over",
        // Its address leads to what was the primary, which comes back empty as a replica, and takes no writes.
        breaks: |stage| {
            Box::pin(async move {
                let other = stage.another_cache().await?;
                follow(&other, Some(&stage.cache)).await?;
                synced(&stage.cache).await?;
                stage.cache.kill().await?;
                follow(&other, None).await?;
                stage.cache.restart().await?;
                follow(&stage.cache, Some(&other)).await?;
                stage.other_cache = Some(other);
                Ok(())
            })
        },
        heals: |stage| {
            Box::pin(async move {
                follow(&stage.cache, None).await?;
                stage.other_cache = None;
                Ok(untold(stage))
            })
        },
        moves: true,
    },
];

/// How many moves since it broke came to the cache late or not at all, as their answers say.
fn untold(stage: &Stage) -> u64 {
    stage.desk.ledger.untold(stage.broke, SLOW)
}

async fn connect(cache: &CacheServer) -> Outcome<MultiplexedConnection> {
    Ok(redis::Client::open(cache.url())?.get_multiplexed_async_connection().await?)
}

/// Makes a cache the replica of another, or a primary again.
async fn follow(cache: &CacheServer, primary: Option<&CacheServer>) -> Outcome<()> {
    let (host, port) = match primary.map(CacheServer::address) {
        Some(address) => (address.ip().to_string(), address.port().to_string()),
        None => ("NO".to_owned(), "ONE".to_owned()),
    };
    let mut connection = connect(cache).await?;
    Ok(redis::cmd("REPLICAOF").arg(host).arg(port).query_async(&mut connection).await?)
}

/// Waits until a primary's replica has all that it has.
async fn synced(primary: &CacheServer) -> Outcome<()> {
    let mut primary = connect(primary).await?;
    for _ in 0..SYNCED.0 {
        let replicas: usize = redis::cmd("WAIT").arg(1).arg(SYNCED.1).query_async(&mut primary).await?;
        if replicas == 1 {
            return Ok(());
        }
    }
    Err("the replica does not follow".into())
}

/// Answers whatever is said with what no client of a cache understands.
async fn babble(listener: TcpListener) -> Outcome<()> {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(nonsense(client));
    }
}

async fn nonsense(mut client: TcpStream) {
    let mut said = [0; 1024];
    while client.read(&mut said).await.is_ok_and(|bytes| bytes > 0) {
        if client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\x00\xff$-7\r\n").await.is_err() {
            return;
        }
    }
}

/// Writes over every value, again and again, in ways that are no value of anybody's, and counts them.
async fn scribble(mut connection: MultiplexedConnection, scribbled: Arc<AtomicU64>) -> Outcome<()> {
    let mut beats = interval(SCRIBBLE);
    for garbage in ["", "\u{0}\u{1}\u{2}", "{\"revision\":9}", "~~~~~~~~"].into_iter().cycle() {
        beats.tick().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await?;
        if keys.is_empty() {
            continue;
        }
        let mut all = redis::pipe();
        for key in &keys {
            all.set(key, garbage).ignore();
        }
        all.query_async::<()>(&mut connection).await?;
        scribbled.fetch_add(u64::try_from(keys.len())?, Ordering::SeqCst);
    }
    Ok(())
}
