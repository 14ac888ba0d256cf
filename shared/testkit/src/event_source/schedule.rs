//! A schedule, as `EventBridge` keeps one.

use std::{fmt, pin::pin, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{Failure, chain};

/// Calls a handler at start and then at each interval, never twice at once.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// For the log.
    pub name: String,
    /// From one call to the next; a call that takes longer delays the next one.
    pub interval: Duration,
}

impl Schedule {
    /// Calls until `stop` resolves. A failed call is logged; the next one comes at its time.
    pub async fn run<H, F, E>(&self, stop: impl Future<Output = ()>, handler: H)
    where
        H: Fn() -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + fmt::Debug + Send + 'static,
    {
        let mut stop = pin!(stop);
        let mut pace = interval(self.interval);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                _ = pace.tick() => {}
            }
            let failure = match tokio::spawn(handler()).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.into(),
                Err(panic) => panic.into(),
            };
            tracing::error!(schedule = self.name, error = chain(&*failure), "a scheduled call failed");
        }
    }
}

#[cfg(test)]
mod tests;
