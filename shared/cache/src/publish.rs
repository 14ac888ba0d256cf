//! What was written is made known: to this process's memory, and to the cache that all processes share.

use std::{sync::Arc, time::Duration};

use domain::{ApiKey, Environment, Error, PromptId, Ref, Result, TeamId};
use tokio::time::timeout;

use crate::{
    Cache, Live, Pair, ReadAt,
    remote::{RemoteKey, Shared},
    values::KeyEntry,
};

/// How long a mover waits for the cache in all.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How far a change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// There is no cache: every other process asks the table within [`crate::FRESH`].
    WithoutCache,
    /// The cache has it.
    Acknowledged,
    /// The cache did not say that it has it.
    Unanswered,
}

impl Cache {
    /// Makes a ref known that this process has just written. `read_at` is from before the write.
    ///
    /// The versions come first, in memory and in the cache: both hold whole pairs only. The change is made by then,
    /// so nothing here fails: what does not get through, the bound heals.
    pub async fn publish_ref(&self, reference: &Ref, read_at: ReadAt) -> Published {
        let live = self.live(reference.clone()).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error.chain(), "this process shows a move within the bound only");
            None
        });
        let live = live.map(Arc::new);
        if let Some(live) = &live {
            let key = (reference.prompt_id, reference.environment.clone());
            self.pairs.offer(key, Pair::Live(Arc::clone(live)), read_at);
        }
        let Some(remote) = &self.remote else { return Published::WithoutCache };
        if reference.version.is_some() && live.is_none() {
            return Published::Unanswered;
        }
        acknowledged(async {
            for loaded in live.iter().flat_map(|live| live.versions()) {
                let key = RemoteKey::Version(reference.prompt_id, loaded.version.number);
                remote.publish(&key, &loaded.version, read_at).await?;
            }
            let key = RemoteKey::Ref(reference.prompt_id, reference.environment.clone());
            remote.publish(&key, reference, read_at).await
        })
        .await
    }

    /// Makes a key known that this process has just written. `read_at` is from before the write.
    pub async fn publish_key(&self, key: &ApiKey, read_at: ReadAt) -> Published {
        self.keys.offer(key.id.clone(), KeyEntry(Some(Arc::new(key.clone()))), read_at);
        let Some(remote) = &self.remote else { return Published::WithoutCache };
        acknowledged(remote.publish(&RemoteKey::ApiKey(key.id.clone()), key, read_at)).await
    }
}

/// For who follows the changes of others: reads a thing anew and offers it to the cache, with a reader's patience.
impl Cache {
    /// A ref, and before it the versions that it names.
    pub async fn refresh_ref(&self, prompt: PromptId, environment: &Environment) -> Result<()> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let read_at = ReadAt::now(&self.sources);
        let Some(reference) = self.store.reference(prompt, environment).await? else { return Ok(()) };
        for loaded in self.live(reference.clone()).await?.iter().flat_map(Live::versions) {
            let key = RemoteKey::Version(prompt, loaded.version.number);
            remote.fill(&key, &loaded.version, ReadAt::now(&self.sources)).await;
        }
        remote.fill(&RemoteKey::Ref(prompt, environment.clone()), &reference, read_at).await;
        Ok(())
    }

    /// The prompt of a name.
    pub async fn refresh_name(&self, team: &TeamId, name: &str) -> Result<()> {
        let key = RemoteKey::Name(team.clone(), name.to_owned());
        self.refresh(key, self.store.prompt_named(team, name)).await
    }

    /// An API key.
    pub async fn refresh_key(&self, id: &str) -> Result<()> {
        self.refresh(RemoteKey::ApiKey(id.to_owned()), self.store.api_key(id)).await
    }

    async fn refresh<T: Shared>(
        &self,
        key: RemoteKey,
        table: impl Future<Output = Result<Option<T>>>,
    ) -> Result<()> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let read_at = ReadAt::now(&self.sources);
        if let Some(value) = table.await? {
            remote.fill(&key, &value, read_at).await;
        }
        Ok(())
    }
}

async fn acknowledged(put: impl Future<Output = Result<()>>) -> Published {
    let put = timeout(PATIENCE, put).await;
    match put.unwrap_or_else(|late| Err(Error::unavailable("The cache", late))) {
        Ok(()) => Published::Acknowledged,
        Err(error) => {
            tracing::warn!(error = %error.chain(), "the cache did not take a change; its bound heals that");
            Published::Unanswered
        }
    }
}
