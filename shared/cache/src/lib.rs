//! The read path for refs, versions, names and keys: memory first, then the table.
//!
//! **Age.** What must be fresh carries `read_at`, taken before the read that it came from; its age is counted from
//! there. **Bound.** Memory serves a ref or a key up to [`FRESH`] old without asking. **Pairs.** A ref is swapped in
//! together with the version that it names. **Fencing.** A lower revision never replaces a higher one.
//! **Stale on error.** When the table fails, the last known is served for a while, and says so.

mod flight;
mod layer;
mod locate;
mod read_at;
mod values;

use std::{sync::Arc, time::Duration};

use domain::{
    ApiKey, Environment, Error, ErrorKind, PromptId, Ref, Result, Sources, TeamId, Version,
    content::Content,
    template::Compiled,
    token::{Signer, SigningKey, kid_of},
};
use layer::Layer;
use quick_cache::{Weighter, sync::Cache as Bounded};
use store::Store;

pub use layer::{Answer, Source};
pub use locate::no_such_prompt;
pub use read_at::ReadAt;
use values::{KeyEntry, NameEntry, SignerEntry};
pub use values::{Live, LoadedVersion, Pair};

/// How old a ref or a key in memory may be to be served without asking.
pub const FRESH: Duration = Duration::from_millis(750);

/// How long a demanded revision that was not reached is not asked for again.
const UNREACHED: Duration = Duration::from_secs(1);

/// How long a signing key verifies tokens: longer than they are valid.
const SIGNING_KEY_LIFE: Duration = Duration::from_hours(45 * 24);

/// How much of compiled versions memory keeps, in bytes of their content.
const VERSION_BYTES: u64 = 96 * 1024 * 1024;

type RefKey = (PromptId, Environment);
type NameKey = (Option<TeamId>, String);

/// The memory of a process, over the table.
pub struct Cache {
    store: Store,
    sources: Sources,
    pairs: Layer<RefKey, Pair>,
    names: Layer<NameKey, NameEntry>,
    keys: Layer<String, KeyEntry>,
    signers: Layer<(), SignerEntry>,
    versions: Bounded<(PromptId, u32), Arc<LoadedVersion>, ContentWeight>,
    unreached: Bounded<(RefKey, u64), ReadAt>,
}

#[derive(Clone)]
struct ContentWeight;

impl Weighter<(PromptId, u32), Arc<LoadedVersion>> for ContentWeight {
    fn weight(&self, _: &(PromptId, u32), version: &Arc<LoadedVersion>) -> u64 {
        version.weight
    }
}

impl Cache {
    /// An empty memory over a table.
    pub fn new(store: Store, sources: Sources) -> Self {
        Self {
            pairs: Layer::new(100_000, sources.clone()),
            names: Layer::new(100_000, sources.clone()),
            keys: Layer::new(10_000, sources.clone()),
            signers: Layer::new(1, sources.clone()),
            versions: Bounded::with_weighter(10_000, VERSION_BYTES, ContentWeight),
            unreached: Bounded::new(10_000),
            store,
            sources,
        }
    }

    /// What is live in an environment, with its age.
    pub async fn pair(&self, prompt: PromptId, environment: &Environment) -> Result<Answer<Pair>> {
        let key = (prompt, environment.clone());
        self.pairs.get(&key, || self.load_pair(prompt, environment)).await
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
            let pair = self.load_pair(prompt, environment).await?;
            if pair.revision() < least {
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

    /// Tells memory of a ref that this process has just written, if memory has its version: else the next read
    /// fetches both. `read_at` is from before the write.
    pub fn offer_ref(&self, reference: Ref, read_at: ReadAt) {
        let key = (reference.prompt_id, reference.environment.clone());
        let version = match reference.version {
            Some(pointer) => self.versions.get(&(reference.prompt_id, pointer.number)),
            None => None,
        };
        let Some(version) = version else { return };
        self.pairs.offer(key, Pair::Live(Arc::new(Live { reference, version })), read_at);
    }

    /// The key with this public part; `None` when there is none.
    pub async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>> {
        let key = id.to_owned();
        let load = || async { Ok(KeyEntry(self.store.api_key(id).await?.map(Arc::new))) };
        Ok(self.keys.get(&key, load).await?.value.0)
    }

    /// Tells memory of a key that this process has just written.
    pub fn offer_key(&self, key: ApiKey, read_at: ReadAt) {
        self.keys.offer(key.id.clone(), KeyEntry(Some(Arc::new(key))), read_at);
    }

    /// What signs resolution tokens now.
    pub async fn signer(&self) -> Result<Arc<Signer>> {
        let load = || async { Ok(SignerEntry(self.load_signer().await?)) };
        Ok(self.signers.get(&(), load).await?.value.0)
    }

    /// What verifies a token: the key that signed it, if there is one and it is young enough.
    pub async fn signer_of(&self, token: &str) -> Result<Option<Arc<Signer>>> {
        let Some(kid) = kid_of(token) else { return Ok(None) };
        let current = self.signer().await?;
        if current.kid() == kid {
            return Ok(Some(current));
        }
        let key = self.store.signing_key(kid).await?;
        let young = |key: &SigningKey| {
            self.sources.now().since(key.created_at).is_none_or(|age| age < SIGNING_KEY_LIFE)
        };
        Ok(key.filter(young).and_then(|key| Signer::new(&key)).map(Arc::new))
    }

    /// The version, compiled.
    pub async fn version(&self, prompt: PromptId, number: u32) -> Result<Option<Arc<LoadedVersion>>> {
        if let Some(loaded) = self.versions.get(&(prompt, number)) {
            return Ok(Some(loaded));
        }
        let Some(version) = self.store.version(prompt, number).await? else { return Ok(None) };
        self.load_version(version).map(Some)
    }

    /// Compiles a version and keeps it: it never changes.
    pub fn load_version(&self, version: Version) -> Result<Arc<LoadedVersion>> {
        let key = (version.prompt_id, version.number);
        let compiled = Compiled::new(&version.content).map_err(Error::internal)?;
        let loaded = Arc::new(LoadedVersion { weight: weight(&version.content)?, version, compiled });
        self.versions.insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    async fn load_pair(&self, prompt: PromptId, environment: &Environment) -> Result<Pair> {
        let Some(reference) = self.store.reference(prompt, environment).await? else {
            let owner = self.store.prompt(prompt).await?;
            return Ok(Pair::NotLive { owner: owner.map(Arc::new), revision: 0 });
        };
        let Some(pointer) = reference.version else {
            let owner = self.store.prompt(prompt).await?;
            return Ok(Pair::NotLive { owner: owner.map(Arc::new), revision: reference.revision });
        };
        let version = self.version(prompt, pointer.number).await?.ok_or_else(|| {
            Error::internal(format!(
                "{prompt} {environment} points at version {}, which is missing",
                pointer.number
            ))
        })?;
        Ok(Pair::Live(Arc::new(Live { reference, version })))
    }

    async fn load_signer(&self) -> Result<Arc<Signer>> {
        let key: SigningKey = self.store.newest_signing_key().await?.ok_or_else(|| {
            Error::unavailable(
                "The signing of tokens",
                "there is no signing key yet: `steer` makes the first one",
            )
        })?;
        Signer::new(&key).map(Arc::new).ok_or_else(|| Error::internal("the signing key is damaged"))
    }
}

fn weight(content: &Content) -> Result<u64> {
    let bytes = serde_json::to_vec(content).map_err(Error::internal)?.len();
    // A compiled template takes about as much again, and an entry some more.
    Ok(2 * bytes as u64 + 2048)
}
