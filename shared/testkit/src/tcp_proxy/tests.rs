//! Tests of the TCP proxy, in front of a server that echoes.

use tokio::{net::TcpSocket, time::timeout};

use super::*;

/// Long enough to be sure that nothing comes.
const SILENCE: Duration = Duration::from_millis(50);

/// A server that sends back what it gets, the proxy in front of it, and the task that ends with the test.
async fn echo() -> (TcpProxy, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = TcpProxy::start(listener.local_addr().unwrap()).unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = copy(&mut from, &mut to).await;
            });
        }
    });
    (proxy, task)
}

async fn connect(proxy: &TcpProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn exchange(stream: &mut TcpStream, text: &str) -> io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

/// What the client sees when the other side ends.
async fn end(stream: &mut TcpStream) -> io::Result<usize> {
    timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await.unwrap()
}

#[tokio::test]
async fn bytes_pass_in_both_directions_to_their_end() {
    let (proxy, _echo) = echo().await;
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, "hello").await.unwrap(), "hello");

    let text = "0123456789".repeat(100_000);
    let (mut from, mut to) = stream.into_split();
    let mut answer = String::new();
    let send = async {
        to.write_all(text.as_bytes()).await?;
        to.shutdown().await
    };
    try_join!(send, from.read_to_string(&mut answer)).unwrap();
    assert!(answer == text, "{} bytes came back", answer.len());
}

#[tokio::test]
async fn who_is_refused_is_cut_and_those_that_were_open_too() {
    let (proxy, _echo) = echo().await;
    let mut open = connect(&proxy).await;
    exchange(&mut open, "hello").await.unwrap();
    proxy.set(Behaviour::Refuse);
    assert_eq!(end(&mut open).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let mut new = connect(&proxy).await;
    assert_eq!(end(&mut new).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);

    proxy.set(Behaviour::Pass);
    assert_eq!(exchange(&mut connect(&proxy).await, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn a_cut_hits_what_is_open_and_nothing_later() {
    let (proxy, _echo) = echo().await;
    let mut open = [connect(&proxy).await, connect(&proxy).await];
    for stream in &mut open {
        exchange(stream, "hello").await.unwrap();
    }
    proxy.cut();
    for stream in &mut open {
        assert_eq!(end(stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    assert_eq!(exchange(&mut connect(&proxy).await, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_gives_nothing_back() {
    let (proxy, _echo) = echo().await;
    let mut open = connect(&proxy).await;
    exchange(&mut open, "hello").await.unwrap();
    proxy.set(Behaviour::Blackhole);
    let mut new = connect(&proxy).await;
    for stream in [&mut open, &mut new] {
        assert!(timeout(SILENCE, exchange(stream, "lost")).await.is_err());
    }

    proxy.set(Behaviour::Pass);
    assert_eq!(exchange(&mut connect(&proxy).await, "again").await.unwrap(), "again");
    for stream in [&mut open, &mut new] {
        assert!(timeout(SILENCE, exchange(stream, "lost")).await.is_err());
    }
    proxy.cut();
    assert!(end(&mut open).await.is_err() && end(&mut new).await.is_err());
}

#[tokio::test]
async fn what_is_open_is_lost_without_a_word_and_nothing_later_is() {
    let (proxy, _echo) = echo().await;
    let mut open = [connect(&proxy).await, connect(&proxy).await];
    for stream in &mut open {
        exchange(stream, "hello").await.unwrap();
    }
    proxy.lose();
    let mut new = connect(&proxy).await;
    assert_eq!(exchange(&mut new, "again").await.unwrap(), "again");
    for stream in &mut open {
        assert!(timeout(SILENCE, exchange(stream, "lost")).await.is_err());
    }
    assert_eq!(exchange(&mut new, "still").await.unwrap(), "still");
    proxy.cut();
    for stream in &mut open {
        assert_eq!(end(stream).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_delay_holds_each_chunk_for_its_time_and_not_for_that_of_those_before_it() {
    const CHUNKS: [u8; 10] = *b"abcdefghij";
    let (proxy, _echo) = echo().await;
    let mut stream = connect(&proxy).await;
    exchange(&mut stream, "hello").await.unwrap();
    let delay = Duration::from_millis(500);
    proxy.set(Behaviour::Delay(delay));
    let begun = Instant::now();
    let (mut from, mut to) = stream.split();
    let mut answer = Vec::new();
    let mut last = begun;
    for chunk in CHUNKS {
        last = Instant::now();
        to.write_all(&[chunk]).await.unwrap();
        // The next is written when this one has certainly been read: the echo answers them apart.
        let _ = timeout(SILENCE, from.read_buf(&mut answer)).await;
        assert!(answer.is_empty() || delay <= begun.elapsed(), "{:?}", begun.elapsed());
    }
    while answer.len() < CHUNKS.len() {
        assert_ne!(from.read_buf(&mut answer).await.unwrap(), 0);
    }
    assert_eq!(answer, CHUNKS);
    assert!(delay <= last.elapsed(), "the last was held for {:?}", last.elapsed());
    // Ten that waited for each other would take ten times the delay.
    assert!(begun.elapsed() < 5 * delay, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_closes_closes_the_connection_of_its_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = TcpProxy::start(listener.local_addr().unwrap()).unwrap();
    let mut stream = connect(&proxy).await;
    drop(listener.accept().await.unwrap());
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_ends_the_connection() {
    // Bound without listening, it keeps the port from those who would listen.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = TcpProxy::start(nobody.local_addr().unwrap()).unwrap();
    assert_eq!(end(&mut connect(&proxy).await).await.unwrap(), 0);
}

#[tokio::test]
async fn dropping_it_ends_its_connections() {
    let (proxy, _echo) = echo().await;
    let mut open = connect(&proxy).await;
    exchange(&mut open, "hello").await.unwrap();
    drop(proxy);
    assert!(!matches!(end(&mut open).await, Ok(1..)));
}
