//! The read path for refs, versions, names and keys: memory first, then the cache that all processes share, then the
//! table.
//!
//! **Age.** What must be fresh carries `read_at`, taken before the read of the table that it came from; its age is
//! counted from there, wherever it was meanwhile. **Bound.** Memory serves a ref or a key up to [`FRESH`] old without
//! asking, the cache up to [`BOUND`]. **Pairs.** A ref is swapped in together with the versions that it names, and
//! published after them. **Fencing.** A lower revision never replaces a higher one. **Stale on error.** When the table
//! fails, the last known is served for a while, and says so.

mod flight;
mod layer;
mod listed;
mod locate;
mod publish;
mod remote;
mod signers;
mod through;
mod values;
mod versions;

use std::{sync::Arc, time::Duration};

pub use domain::ReadAt;
use domain::{ApiKey, Environment, Error, ErrorKind, PromptId, Ref, Result, SigningKeyId, Sources, TeamId};
use layer::{Layer, Loaded};
use quick_cache::sync::Cache as Bounded;
use store::Store;

pub use layer::{Answer, Source};
pub use listed::MOST_LISTED;
pub use publish::Published;
pub use remote::{BOUND, Credentials, Login, Remote, RemoteKey, RemoteSettings, WORST_AGE};
use through::Found;
use values::{FormerSignerEntry, KeyEntry, ListEntry, NameEntry, SignerEntry};
pub use values::{Live, LoadedVersion, Pair};
use versions::Versions;

/// How old a ref or a key in memory may be to be served without asking.
pub const FRESH: Duration = Duration::from_millis(750);

/// How long a demanded revision that was not reached is not asked for again.
const UNREACHED: Duration = Duration::from_secs(1);

/// How much of the way to an answer a load may take beyond [`BOUND`]: a quarter of a second, as [`WORST_AGE`] says.
const ON_THE_WAY: Duration = Duration::from_millis(250);

type RefKey = (PromptId, Environment);
type NameKey = (Option<TeamId>, String);

/// What was read before it was known who asks.
pub struct Likely {
    prompt_id: PromptId,
    found: Result<Answer<Pair>>,
}

/// The memory of a process, over the cache, where there is one, over the table.
pub struct Cache {
    store: Store,
    remote: Option<Remote>,
    sources: Sources,
    pairs: Layer<RefKey, Pair>,
    names: Layer<NameKey, NameEntry>,
    lists: Layer<Option<TeamId>, ListEntry>,
    keys: Layer<String, KeyEntry>,
    signer: Layer<(), SignerEntry>,
    former_signers: Layer<SigningKeyId, FormerSignerEntry>,
    versions: Versions,
    unreached: Bounded<(RefKey, u64), ReadAt>,
}

impl Cache {
    /// An empty memory over a cache, where there is one, and a table.
    pub fn new(store: Store, remote: Option<Remote>, sources: Sources) -> Self {
        Self {
            remote,
            pairs: Layer::new(100_000, sources.clone()),
            names: Layer::new(100_000, sources.clone()),
            lists: Layer::new(1_000, sources.clone()),
            keys: Layer::new(10_000, sources.clone()),
            signer: Layer::new(1, sources.clone()),
            former_signers: Layer::new(100, sources.clone()),
            versions: Versions::default(),
            unreached: Bounded::new(10_000),
            store,
            sources,
        }
    }

    /// The same, which asks for refs and keys each time: what is behind memory can be measured so. What never changes
    /// it keeps.
    #[must_use]
    pub fn always_asking(self) -> Self {
        Self { pairs: self.pairs.always_asking(), keys: self.keys.always_asking(), ..self }
    }

    /// Whether there is a cache beyond this process's memory.
    pub fn is_shared(&self) -> bool {
        self.remote.is_some()
    }

    /// What is live in an environment, with its age.
    pub async fn pair(&self, prompt: PromptId, environment: &Environment) -> Result<Answer<Pair>> {
        let key = (prompt, environment.clone());
        self.pairs.get(&key, || self.load_pair(prompt, environment, 0)).await
    }

    /// What the holder of a key most likely asks for, to be read while the key is looked at anew: what the name meant
    /// in the team that the key had, for all that memory knows. Nothing where nobody would have to wait for the key.
    pub async fn likely_pair(
        &self,
        key_id: &str,
        address: &str,
        environment: &Environment,
    ) -> Option<Likely> {
        let key = self.keys.outdated(&key_id.to_owned())?.0?;
        let prompt_id = self.remembered(key.team_id.team(), address)?;
        Some(Likely { prompt_id, found: self.pair(prompt_id, environment).await })
    }

    /// What is live in an environment: as it was found ahead, where that was this very prompt.
    pub async fn pair_or(
        &self,
        ahead: Option<Likely>,
        prompt: PromptId,
        environment: &Environment,
    ) -> Result<Answer<Pair>> {
        match ahead {
            Some(likely) if likely.prompt_id == prompt => likely.found,
            _ => self.pair(prompt, environment).await,
        }
    }

    /// The same answer, with its age by now, or another where it has grown too old: while its version was read, or its
    /// asker did other things.
    pub async fn still(
        &self,
        found: Answer<Pair>,
        prompt: PromptId,
        environment: &Environment,
    ) -> Result<Answer<Pair>> {
        let age = found.read_at.known_age(&self.sources);
        if found.source == Source::Stale || age <= BOUND + ON_THE_WAY {
            return Ok(Answer { age, ..found });
        }
        self.pair(prompt, environment).await
    }

    /// What is live, at `least` that revision or an error that says it was not reached: `known` if it will do, else
    /// what one more read brings, unless `known` was just read.
    pub async fn pair_at_least(
        &self,
        known: Answer<Pair>,
        prompt: PromptId,
        environment: &Environment,
        least: u64,
    ) -> Result<Answer<Pair>> {
        if known.value.revision() >= least {
            return Ok(known);
        }
        let key = (prompt, environment.clone());
        let question = (key.clone(), least);
        if known.source == Source::Table {
            self.unreached.insert(question.clone(), ReadAt::now(&self.sources));
        }
        let was_asked = || {
            let asked = self.unreached.get(&question).and_then(|at| at.age(&self.sources));
            asked.is_some_and(|age| age <= UNREACHED)
        };
        let load = || async {
            let read_at = ReadAt::now(&self.sources);
            let pair = self.load_pair(prompt, environment, least).await?;
            if pair.value.revision() < least {
                self.unreached.insert(question.clone(), read_at);
            }
            Ok(pair)
        };
        let wanted = |pair: &Pair| pair.revision() >= least || was_asked();
        let found = self.pairs.get_if(&key, wanted, load).await?;
        let revision = found.value.revision();
        if revision >= least {
            return Ok(found);
        }
        let detail = format!(
            "`{environment}` stands at revision {revision}; revision {least} was asked for. Ask again in a moment."
        );
        Err(Error::new(ErrorKind::RevisionNotReached, detail).fact("revision", revision))
    }

    /// The key with this public part; `None` when there is none.
    pub async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>> {
        let key = id.to_owned();
        let load = || async {
            let held = self.keys.held(&key).and_then(|entry| entry.0);
            let holds = held.as_ref().map(|held| held.revision);
            let asked = RemoteKey::ApiKey(key.clone());
            let found =
                self.through(&asked, holds.unwrap_or_default(), holds, || self.store.api_key(id)).await?;
            Ok(found.map(|found| match found {
                Found::Held => KeyEntry(held),
                Found::Read(found) => KeyEntry(found.map(Arc::new)),
            }))
        };
        Ok(self.keys.get(&key, load).await?.value.0)
    }

    /// Loads at `least` that revision, or what the table has.
    async fn load_pair(
        &self,
        prompt: PromptId,
        environment: &Environment,
        least: u64,
    ) -> Result<Loaded<Pair>> {
        let key = (prompt, environment.clone());
        let held = self.pairs.held(&key);
        // A cache that is behind memory missed a move.
        let least = least.max(held.as_ref().map_or(0, Pair::revision));
        let held = held.filter(|pair| matches!(pair, Pair::Live(_)));
        let holds = held.as_ref().map(Pair::revision);
        let key = RemoteKey::Ref(prompt, key.1);
        let found = self.through(&key, least, holds, || self.store.reference(prompt, environment)).await?;
        let (read_at, source) = (found.read_at, found.source);
        let value = match (found.value, held) {
            (Found::Held, Some(held)) => held,
            (found, _) => self.pair_of(prompt, found.read()).await?,
        };
        Ok(Loaded { value, read_at, source })
    }

    async fn pair_of(&self, prompt: PromptId, reference: Option<Ref>) -> Result<Pair> {
        let revision = reference.as_ref().map_or(0, |reference| reference.revision);
        let live = match reference {
            Some(reference) => self.live(reference).await?,
            None => None,
        };
        if let Some(live) = live {
            return Ok(Pair::Live(Arc::new(live)));
        }
        let owner = Box::pin(self.store.prompt(prompt)).await?.map(Arc::new);
        Ok(Pair::NotLive { owner, revision })
    }
}
