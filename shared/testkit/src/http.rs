//! The HTTP/1 server under each engine, the fault proxy and the scripted provider.
//!
//! It is written over hyper rather than a web framework because a service must be able to fail: hyper then closes
//! the connection without an answer, which is what a lost answer looks like to a client.

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, body::Body, body::Incoming, header, server::conn::http1, service::Service,
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// Any failure; a service that returns one drops its connection.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// How long running requests may take once the server is asked to end.
const GRACE: Duration = Duration::from_secs(3);

/// A server on a free port of this machine. Dropping it cuts its connections.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves a hyper service.
    pub(crate) fn start<S, B>(listener: TcpListener, service: S) -> io::Result<Self>
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Failure>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Failure>,
    {
        Ok(Self::spawn(listener.local_addr()?, |stop| accept(listener, service, stop)))
    }

    /// Runs any server that ends by itself after `stop` resolves.
    pub(crate) fn spawn<F>(address: SocketAddr, server: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { address, stop: Some(stop), task: tokio::spawn(server(stopped)) }
    }

    /// `http://127.0.0.1:<port>`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets running requests finish, within [`GRACE`].
    pub(crate) async fn stop(&mut self) {
        self.stop.take();
        if timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A listener on a free port of 127.0.0.1 whose connections have Nagle's algorithm off.
pub(crate) fn listen() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Accepted connections inherit this. With Nagle on, small answers wait up to 40 ms for a delayed ACK.
    socket.set_nodelay(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(1024)
}

/// The whole body of a request.
pub(crate) async fn read(body: Incoming) -> Result<Bytes, hyper::Error> {
    Ok(body.collect().await?.to_bytes())
}

/// An answer of JSON text.
pub(crate) fn json(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let media = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

async fn accept<S, B>(listener: TcpListener, service: S, mut stop: oneshot::Receiver<()>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Failure>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Failure>,
{
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                    connections.spawn(graceful.watch(connection));
                }
                // No file descriptor left: some connection has to end first.
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn accepted_connections_do_not_wait_for_more_to_send() {
        let listener = listen().unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(listener.accept().await.unwrap().0.nodelay().unwrap());
    }
}
