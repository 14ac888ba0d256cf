//! As much of the Redis protocol as a server needs to be set up and asked whether it is ready.

use std::{fmt::Write, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends one command over a connection of its own. What is not there is answered as an empty text.
pub(super) async fn ask(address: SocketAddr, words: &[&str]) -> io::Result<String> {
    timeout(PATIENCE, exchange(address, words)).await?
}

async fn exchange(address: SocketAddr, words: &[&str]) -> io::Result<String> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        let _ = write!(command, "${}\r\n{word}\r\n", word.len());
    }
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(command.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.trim_end().split_at_checked(1) {
        Some(("-", error)) => Err(io::Error::other(error)),
        Some(("$", length)) => {
            let mut text = vec![0; length.parse().unwrap_or_default()];
            stream.read_exact(&mut text).await?;
            String::from_utf8(text).map_err(io::Error::other)
        }
        Some((_, text)) => Ok(text.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
