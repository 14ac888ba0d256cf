//! Versions, compiled: what was put once never changes, and is read once.

use std::sync::Arc;

use domain::{Error, PromptId, Ref, Result, Version, VersionPointer, content::Content, template::Compiled};
use futures_util::future::try_join_all;
use quick_cache::{Weighter, sync::Cache as Bounded};
use tokio::try_join;

use crate::{
    Cache, Live,
    flight::{Flights, Seat},
    remote::RemoteKey,
    values::LoadedVersion,
};

/// How much of compiled versions memory keeps, in bytes of their content.
const VERSION_BYTES: u64 = 96 * 1024 * 1024;

type VersionKey = (PromptId, u32);

/// The versions that memory holds, and those that are being read.
pub(crate) struct Versions {
    loaded: Bounded<VersionKey, Arc<LoadedVersion>, ContentWeight>,
    flights: Flights<VersionKey, Option<Arc<LoadedVersion>>>,
}

impl Default for Versions {
    fn default() -> Self {
        let loaded = Bounded::with_weighter(10_000, VERSION_BYTES, ContentWeight);
        Self { loaded, flights: Flights::default() }
    }
}

#[derive(Clone)]
struct ContentWeight;

impl Weighter<VersionKey, Arc<LoadedVersion>> for ContentWeight {
    fn weight(&self, _: &VersionKey, version: &Arc<LoadedVersion>) -> u64 {
        version.weight
    }
}

impl Cache {
    /// The version, compiled.
    pub async fn version(&self, prompt: PromptId, number: u32) -> Result<Option<Arc<LoadedVersion>>> {
        let key = (prompt, number);
        loop {
            if let Some(loaded) = self.versions.loaded.get(&key) {
                return Ok(Some(loaded));
            }
            match self.versions.flights.board(&key).await {
                Seat::Pilot(flight) => {
                    let found = Box::pin(self.read_version(prompt, number)).await?;
                    flight.land(Some(found.clone()));
                    return Ok(found);
                }
                Seat::Passenger(Some(found)) => return Ok(found),
                Seat::Passenger(None) => {}
            }
        }
    }

    async fn read_version(&self, prompt: PromptId, number: u32) -> Result<Option<Arc<LoadedVersion>>> {
        // The flight before may have landed between the look and the take-off.
        if let Some(loaded) = self.versions.loaded.get(&(prompt, number)) {
            return Ok(Some(loaded));
        }
        let key = RemoteKey::Version(prompt, number);
        let found = self.through(&key, 0, None, || self.store.version(prompt, number)).await?;
        found.value.read().map(|version| self.load_version(version)).transpose()
    }

    /// Keeps a version that may go live in a moment: the news of it then waits for no read.
    pub fn keep_version(&self, version: &Version) -> Result<()> {
        if self.versions.loaded.get(&(version.prompt_id, version.number)).is_none() {
            self.load_version(version.clone())?;
        }
        Ok(())
    }

    /// Compiles a version and keeps it: it never changes.
    pub fn load_version(&self, version: Version) -> Result<Arc<LoadedVersion>> {
        let key = (version.prompt_id, version.number);
        let compiled = Compiled::new(&version.content).map_err(Error::internal)?;
        let loaded = Arc::new(LoadedVersion { weight: weight(&version.content)?, version, compiled });
        self.versions.loaded.insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// A ref with all versions that it names, read side by side; `None` where nothing is live.
    pub(crate) async fn live(&self, reference: Ref) -> Result<Option<Live>> {
        let Some(pointer) = reference.version else { return Ok(None) };
        let arms = reference.allocation.iter().flat_map(|allocation| &allocation.arms);
        let arms = try_join_all(arms.map(|arm| self.version_of(&reference, arm.version)));
        let (version, arms) = try_join!(self.version_of(&reference, pointer), arms)?;
        Ok(Some(Live { reference, version, arms }))
    }

    async fn version_of(&self, reference: &Ref, pointer: VersionPointer) -> Result<Arc<LoadedVersion>> {
        let version = self.version(reference.prompt_id, pointer.number).await?;
        version.ok_or_else(|| {
            let Ref { prompt_id, environment, .. } = reference;
            Error::internal(format!(
                "{prompt_id} {environment} points at version {}, which is missing",
                pointer.number
            ))
        })
    }
}

fn weight(content: &Content) -> Result<u64> {
    let bytes = serde_json::to_vec(content).map_err(Error::internal)?.len();
    // A compiled template takes about as much again, and an entry some more.
    Ok(2 * bytes as u64 + 2048)
}
