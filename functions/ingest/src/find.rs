//! What events are about: it is looked for once per request, whatever number of events are about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    Error, PromptId, Result, SigningKeyId, TeamId, VersionId,
    allocation::TrialId,
    model::ModelEntry,
    token::{Signer, kid_of},
    trial::Trial,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::App;

/// How many things are looked for at one time.
const AT_ONCE: usize = 16;

/// What is known of a version.
pub(crate) struct Known {
    pub(crate) prompt_id: PromptId,
    pub(crate) team_id: TeamId,
    pub(crate) model_id: String,
}

/// What is known of a trial.
pub(crate) struct KnownTrial {
    arms: BTreeMap<String, VersionId>,
    /// How long it lets an answer take, in milliseconds, if it watches that.
    pub(crate) slo_ms: Option<u64>,
}

impl KnownTrial {
    /// Whether this version is what an arm serves; it is then one of the trial's prompt.
    pub(crate) fn serves(&self, arm: &str, version: VersionId) -> bool {
        self.arms.get(arm) == Some(&version)
    }
}

impl From<Trial> for KnownTrial {
    fn from(trial: Trial) -> Self {
        let arms = trial.arms().into_iter().map(|(key, version)| (key.to_owned(), version.id)).collect();
        Self { arms, slo_ms: trial.slo_ms() }
    }
}

impl App {
    /// What verifies tokens, by the keys that they name. No key of ours has no entry.
    pub(crate) async fn signers(
        &self,
        tokens: impl Iterator<Item = &str>,
    ) -> Result<BTreeMap<SigningKeyId, Arc<Signer>>> {
        // One token of each key finds it.
        let tokens: BTreeMap<_, _> =
            tokens.filter_map(|token| Some((kid_of(token)?, token.to_owned()))).collect();
        let look = |(kid, token): (SigningKeyId, String)| async move {
            Ok((kid, self.registry.cache.signer_of(&token).await?))
        };
        found(stream::iter(tokens).map(look).buffer_unordered(AT_ONCE)).await
    }

    /// The versions with these ids, whoever may see them. What does not exist has no entry.
    pub(crate) async fn versions(&self, ids: BTreeSet<VersionId>) -> Result<BTreeMap<VersionId, Arc<Known>>> {
        let look = |id: VersionId| async move { Ok((id, self.version(id).await?)) };
        found(stream::iter(ids).map(look).buffer_unordered(AT_ONCE)).await
    }

    /// The models with these ids. What is not in the catalogue has no entry.
    pub(crate) async fn models(&self, ids: BTreeSet<String>) -> Result<BTreeMap<String, ModelEntry>> {
        let look = |id: String| async move {
            let model = match self.registry.models.builtin(&id) {
                Some(builtin) => Some(builtin.clone()),
                None => self.registry.store.model(&id).await?,
            };
            Ok((id, model))
        };
        found(stream::iter(ids).map(look).buffer_unordered(AT_ONCE)).await
    }

    /// The trials with these ids, whoever may see them. What does not exist has no entry.
    pub(crate) async fn trials(&self, ids: BTreeSet<TrialId>) -> Result<BTreeMap<TrialId, Arc<KnownTrial>>> {
        let look = |id: TrialId| async move { Ok((id, self.trial(id).await?)) };
        found(stream::iter(ids).map(look).buffer_unordered(AT_ONCE)).await
    }

    async fn trial(&self, id: TrialId) -> Result<Option<Arc<KnownTrial>>> {
        if let Some(known) = self.trials.get(&id) {
            return Ok(Some(known));
        }
        let Some(trial) = self.registry.store.trial_by_id(id).await? else { return Ok(None) };
        let known = Arc::new(KnownTrial::from(trial));
        self.trials.insert(id, Arc::clone(&known));
        Ok(Some(known))
    }

    async fn version(&self, id: VersionId) -> Result<Option<Arc<Known>>> {
        if let Some(known) = self.versions.get(&id) {
            return Ok(Some(known));
        }
        let store = &self.registry.store;
        let Some((prompt_id, number)) = store.version_place(id).await? else { return Ok(None) };
        let (prompt, version) = tokio::try_join!(store.prompt(prompt_id), store.version(prompt_id, number))?;
        let (Some(prompt), Some(version)) = (prompt, version) else {
            return Err(Error::internal(format!(
                "{id} has a place, but its prompt or its content is missing"
            )));
        };
        let (team_id, model_id) = (prompt.team_id, version.content.model_id);
        let known = Arc::new(Known { prompt_id, team_id, model_id });
        self.versions.insert(id, Arc::clone(&known));
        Ok(Some(known))
    }
}

async fn found<K: Ord, V>(
    looks: impl stream::Stream<Item = Result<(K, Option<V>)>>,
) -> Result<BTreeMap<K, V>> {
    looks
        .try_filter_map(|(key, found)| async move { Ok(found.map(|found| (key, found))) })
        .try_collect()
        .await
}
