//! Tests of the cache server: what happens to a client when the server dies and comes back.

use super::*;

/// Where `make tools` puts the program.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/bin/redis-server");

async fn server() -> CacheServer {
    CacheServer::start(Path::new(PROGRAM)).await.unwrap()
}

async fn get(server: &CacheServer, key: &str) -> String {
    ask(server.address(), &["GET", key]).await.unwrap()
}

async fn set(server: &CacheServer, key: &str) {
    assert_eq!(ask(server.address(), &["SET", key, "value"]).await.unwrap(), "OK");
}

#[tokio::test]
async fn what_was_stored_is_read_until_it_is_flushed() {
    let server = server().await;
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.address().port()));
    set(&server, "a").await;
    assert_eq!(get(&server, "a").await, "value");
    server.flush().await.unwrap();
    assert_eq!(get(&server, "a").await, "");
}

#[tokio::test]
async fn a_killed_server_refuses_and_comes_back_empty_on_its_port() {
    let mut server = server().await;
    let url = server.url();
    set(&server, "a").await;
    server.kill().await.unwrap();
    let refused = ask(server.address(), &["PING"]).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(server.flush().await.is_err());

    server.restart().await.unwrap();
    assert_eq!((server.url(), get(&server, "a").await), (url, String::new()));
    set(&server, "a").await;
    server.restart().await.unwrap();
    assert_eq!(get(&server, "a").await, "");
}

#[tokio::test]
async fn every_slot_of_a_cluster_is_served_here_also_after_a_restart() {
    let mut server = CacheServer::start_cluster(Path::new(PROGRAM)).await.unwrap();
    for _ in 0..2 {
        for key in ["a", "b", "{tenant}:c"] {
            assert_eq!(get(&server, key).await, "");
            set(&server, key).await;
        }
        let known = ask(server.address(), &["CLUSTER", "NODES"]).await.unwrap();
        assert!(known.contains(&format!("{}@", server.address())) && known.contains(" 0-16383"), "{known}");
        server.restart().await.unwrap();
    }
}

#[tokio::test]
async fn dropping_ends_the_process() {
    let server = server().await;
    let address = server.address();
    drop(server);
    // The kernel closes the port some moments after the signal.
    let gone = async { while ask(address, &["PING"]).await.is_ok() {} };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn a_program_that_is_not_there_or_ends_is_named() {
    let missing = CacheServer::start(Path::new("/nowhere/redis-server")).await.unwrap_err().to_string();
    assert!(missing.contains("/nowhere/redis-server") && missing.contains("make tools"), "{missing}");
    let ended = CacheServer::start(Path::new("/bin/false")).await.unwrap_err().to_string();
    assert!(ended.contains("/bin/false ended at once"), "{ended}");
}

#[test]
fn ports_and_their_partners_are_free_and_differ() {
    let ports = [free_port().unwrap(), free_port().unwrap()];
    assert_ne!(ports[0], ports[1]);
    for port in ports {
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let _partner = TcpListener::bind((Ipv4Addr::LOCALHOST, port + BUS)).unwrap();
    }
}
