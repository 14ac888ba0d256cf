//! The client of the tables, which is made anew when its connections have died without a word.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_sdk_dynamodb::Client;
use tokio::time::timeout;

/// How long the first try of a read may take. A process that was frozen finds its idle connections dead, which nobody
/// tells it: the second try is on a fresh one, before anybody gives up on the table.
const FIRST_TRY: Duration = Duration::from_secs(1);

/// The client that all clones of a store share.
#[derive(Debug, Clone)]
pub(crate) struct Tables(Arc<RwLock<Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    client: Client,
    /// Tells it from those before it.
    number: u64,
}

impl Tables {
    pub(crate) fn new(client: Client) -> Self {
        Self(Arc::new(RwLock::new(Kept { client, number: 0 })))
    }

    pub(crate) fn client(&self) -> Client {
        self.kept().client
    }

    /// Reads, and once more on a fresh connection where the first try takes too long.
    pub(crate) async fn read<T, F: Future<Output = T>>(&self, read: impl Fn(Client) -> F) -> T {
        let Kept { client, number } = self.kept();
        match timeout(FIRST_TRY, read(client)).await {
            Ok(answer) => answer,
            Err(_late) => read(self.renewed(number)).await,
        }
    }

    /// A client with no connections yet, in place of the one of this number: whoever comes second takes the first
    /// one's.
    fn renewed(&self, number: u64) -> Client {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.number == number {
            tracing::warn!("a read of the table took too long; its connections are made anew");
            let client = Client::from_conf(kept.client.config().clone());
            *kept = Kept { client, number: number + 1 };
        }
        kept.client.clone()
    }

    fn kept(&self) -> Kept {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
