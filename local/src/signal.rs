//! Being asked to end: Ctrl-C, or SIGTERM from whoever supervises the process.

use tokio::signal::unix::{SignalKind, signal};

use crate::StartError;

/// Listens from now on; the future resolves at the first signal.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = ()>, StartError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
