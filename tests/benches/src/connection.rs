//! Requests over bare sockets, so that a generator of load costs little.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::Outcome;

/// One connection, kept open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens one.
    pub async fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the request and reads the whole answer into the buffer, and says where its body begins; anything but 200
    /// is an error of the bench.
    pub async fn ask(&mut self, request: &[u8]) -> Outcome<usize> {
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

    /// The last answer, as it came.
    pub fn answer(&self) -> &[u8] {
        &self.buffer
    }
}

fn content_length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())
}
