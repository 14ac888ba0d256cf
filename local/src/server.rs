//! The one HTTP server, on 127.0.0.1 alone.

use std::{net::Ipv4Addr, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

use crate::StartError;

/// How long running requests may take once the server is asked to end.
const GRACE: Duration = Duration::from_secs(3);

/// Opens the port (0: any that is free) and says under which URL it is reached.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), StartError> {
    let closed = |source| StartError::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(closed)?;
    let url = format!("http://{}", listener.local_addr().map_err(closed)?);
    Ok((listener, url))
}

/// A running server.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel();
        let listener = listener.tap_io(|stream| {
            // With Nagle's algorithm on, small answers wait up to 40 ms for a delayed ACK.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps Nagle's algorithm");
            }
        });
        let serving = axum::serve(listener, router).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let task = tokio::spawn(async {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the HTTP server ended");
            }
        });
        Self { stop, task }
    }

    /// Lets running requests finish, within [`GRACE`].
    pub(crate) async fn stop(mut self) {
        drop(self.stop);
        if timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
