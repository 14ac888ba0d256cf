//! The cache before the table: whom to ask, and whom to believe.

use domain::Result;

use crate::{
    Cache, ReadAt, RemoteKey, Source,
    layer::Loaded,
    remote::{Held, Shared},
};

/// What asking brought.
pub(crate) enum Found<T> {
    /// What the asker holds already.
    Held,
    /// This, or that there is none.
    Read(Option<T>),
}

impl<T> Found<T> {
    /// For an asker who held nothing.
    pub(crate) fn read(self) -> Option<T> {
        match self {
            Self::Held => None,
            Self::Read(found) => found,
        }
    }
}

impl<T> Held<T> {
    fn loaded(self, source: Source) -> Loaded<Found<T>> {
        let value = self.value.map_or(Found::Held, |value| Found::Read(Some(value)));
        Loaded { value, read_at: self.read_at, source }
    }
}

impl Cache {
    /// What the cache holds while its bound lasts; else what the table has, which the cache is told; else, when that
    /// fails, what the cache holds past its bound. Below the revision `least` the cache is behind, and not asked; of
    /// the revision that the caller `holds` it is not read again.
    pub(crate) async fn through<T: Shared, F: Future<Output = Result<Option<T>>>>(
        &self,
        key: &RemoteKey,
        least: u64,
        holds: Option<u64>,
        table: impl FnOnce() -> F,
    ) -> Result<Loaded<Found<T>>> {
        let (answering, held) = match &self.remote {
            Some(remote) => match remote.get::<T>(key, holds).await {
                Ok(held) => (Some(remote), held.filter(|held| held.revision >= least)),
                // Who has just waited for it in vain does not wait again to tell it something.
                Err(_) => (None, None),
            },
            None => (None, None),
        };
        let held = match held {
            Some(held) if held.age <= T::FRESH_FOR => {
                return Ok(held.loaded(Source::Cache));
            }
            held => held.filter(|held| held.age <= T::STALE_FOR),
        };
        let read_at = ReadAt::now(&self.sources);
        // Boxed, for it is large, and where the cache answers there is none.
        match (Box::pin(table()).await, held) {
            (Ok(found), _) => {
                if let (Some(remote), Some(value)) = (answering, &found) {
                    remote.fill(key, value, read_at).await;
                }
                Ok(Loaded::of_table(Found::Read(found), read_at))
            }
            (Err(error), Some(held)) => {
                tracing::warn!(key = %key, error = %error.chain(), "the cache answers for the table");
                Ok(held.loaded(Source::Stale))
            }
            (Err(error), None) => Err(error),
        }
    }
}
