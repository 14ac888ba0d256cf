//! A proxy in front of a TCP server, such as the cache, that does what networks do: it delays, cuts and loses.
//!
//! What [`crate::fault::FaultProxy`] is for calls of HTTP, this is for the bytes of any protocol.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
    try_join,
};

use crate::http::listen;

/// How many chunks of a connection are held at one time before the server has to wait.
const HELD: usize = 64;

/// The most bytes of one chunk.
const CHUNK: usize = 16 * 1024;

/// What the proxy does to connections, those that are open included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Passes everything on.
    Pass,
    /// Cuts what is open and each new connection at once.
    Refuse,
    /// Swallows what clients send and answers nothing. A connection that met it stays so until it is closed: what
    /// was lost would be missing from its protocol.
    Blackhole,
    /// Passes everything on; what the server says is held for this long.
    Delay(Duration),
}

/// A running proxy. Dropping it closes its connections.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    _task: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    behaviour: Behaviour,
    /// How often the connections were cut.
    cuts: u64,
    /// How often they were lost.
    losses: u64,
}

impl TcpProxy {
    /// Starts a proxy in front of `upstream`, `<host>:<port>`, to which each connection connects anew.
    pub fn start(upstream: impl ToString) -> io::Result<Self> {
        let listener = listen()?;
        let address = listener.local_addr()?;
        let state = watch::Sender::new(State { behaviour: Behaviour::Pass, cuts: 0, losses: 0 });
        let mut task = JoinSet::new();
        task.spawn(accept(listener, upstream.to_string(), state.subscribe()));
        Ok(Self { address, state, _task: task })
    }

    /// Where the proxy listens, to be used in place of `upstream`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what happens from now on.
    pub fn set(&self, behaviour: Behaviour) {
        self.state.send_modify(|state| {
            state.behaviour = behaviour;
            state.cuts += u64::from(behaviour == Behaviour::Refuse);
        });
    }

    /// Resets the connections that are open, once.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Lets the connections that are open lead nowhere from now on, as after a freeze: nothing is answered on them, and
    /// nothing says that they are gone. New ones pass.
    pub fn lose(&self) {
        self.state.send_modify(|state| state.losses += 1);
    }
}

async fn accept(listener: TcpListener, upstream: String, state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(serve(client, upstream.clone(), state.clone()))),
                // No file descriptor left: some connection has to end first.
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

async fn serve(mut client: TcpStream, upstream: String, mut state: watch::Receiver<State>) {
    let State { behaviour, cuts, losses } = *state.borrow_and_update();
    let mut changes = state.clone();
    let cut = async {
        if behaviour != Behaviour::Refuse {
            let _ = changes.wait_for(|state| state.cuts != cuts).await;
        }
    };
    let cut = tokio::select! {
        biased;
        () = cut => true,
        () = live(&mut client, &upstream, losses, state) => false,
    };
    if cut {
        // Closing then resets the connection.
        let _ = client.set_zero_linger();
    }
}

async fn live(client: &mut TcpStream, upstream: &str, losses: u64, mut state: watch::Receiver<State>) {
    let now = state.clone();
    let lost = |state: &State| state.behaviour == Behaviour::Blackhole || state.losses != losses;
    tokio::select! {
        biased;
        _ = state.wait_for(lost) => {}
        _ = pass(client, upstream, &now) => return,
    }
    let _ = copy(client, &mut sink()).await;
}

/// Passes bytes on until both sides have said all or one breaks.
async fn pass(client: &mut TcpStream, upstream: &str, state: &watch::Receiver<State>) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let (hold, mut chunks) = mpsc::channel(HELD);
    let asked = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    // Reading goes on while a chunk is held, so that none waits for those before it.
    let said = async move {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            let length = from_server.read_buf(&mut chunk).await?;
            let delay = match state.borrow().behaviour {
                Behaviour::Delay(time) => time,
                _ => Duration::ZERO,
            };
            if length == 0 || hold.send((Instant::now() + delay, chunk)).await.is_err() {
                return Ok(());
            }
        }
    };
    let answered = async {
        while let Some((due, chunk)) = chunks.recv().await {
            sleep_until(due).await;
            to_client.write_all(&chunk).await?;
        }
        to_client.shutdown().await
    };
    try_join!(asked, said, answered).map(drop)
}

#[cfg(test)]
mod tests;
