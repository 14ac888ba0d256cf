//! Experiments and canaries, and the weights that they had.

use domain::{
    PromptId, Result, Trial,
    trial::{TrialId, Weights},
};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Page, PageRequest, Slot, Store,
    change::Guard,
    keys::{Key, List, TRIALS, prompt_partition, weights_partition},
    table::{Item, attribute, text, to_item},
};

/// Which trials of a prompt are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialKind {
    /// Experiments.
    Experiments,
    /// Canaries.
    Rollouts,
}

/// Where a trial is found by its id.
#[derive(Serialize, Deserialize)]
struct TrialPlace {
    prompt_id: PromptId,
}

impl Change {
    /// Puts a new trial, and where to find it.
    pub fn put_new_trial(&mut self, trial: &Trial) -> Result<()> {
        self.put_trial_if(trial, Guard::Absent)?;
        let place = TrialPlace { prompt_id: trial.prompt_id() };
        self.put(Slot::Trial, Key::TrialById(trial.id()), &place, Guard::Absent)
    }

    /// Puts a trial; nobody may have written it since the one before was read.
    pub fn put_trial(&mut self, trial: &Trial) -> Result<()> {
        self.put_trial_if(trial, Guard::before(trial.revision()))
    }

    fn put_trial_if(&mut self, trial: &Trial, guard: Guard) -> Result<()> {
        let key = Key::Trial(trial.prompt_id(), trial.id());
        if trial.is_active() {
            let list = (List::ActiveTrials, trial.id().to_string());
            return self.put_listed(Slot::Trial, key, trial, guard, &list);
        }
        self.put(Slot::Trial, key, trial, guard)
    }

    /// Puts the weights of an allocation version.
    pub fn put_weights(&mut self, weights: &Weights) -> Result<()> {
        let key = Key::Weights(weights.trial, weights.allocation_version);
        self.put(Slot::Trial, key, weights, Guard::Absent)
    }
}

impl Store {
    /// Reads a trial.
    pub async fn trial(&self, prompt: PromptId, trial: TrialId) -> Result<Option<Trial>> {
        self.get(&Key::Trial(prompt, trial)).await
    }

    /// Reads a trial of which only the id is known.
    pub async fn trial_by_id(&self, trial: TrialId) -> Result<Option<Trial>> {
        let Some(place): Option<TrialPlace> = self.get(&Key::TrialById(trial)).await? else {
            return Ok(None);
        };
        self.trial(place.prompt_id, trial).await
    }

    /// Writes what was seen of a trial that goes on as it was: nobody's decision, so no entry in the audit.
    ///
    /// Returns whether it took: somebody else may have written the trial since it was read.
    pub async fn keep_trial(&self, trial: &Trial) -> Result<bool> {
        let mut item: Item = to_item(&Key::Trial(trial.prompt_id(), trial.id()), trial)?;
        if trial.is_active() {
            item.insert(attribute::INDEX_PK.to_owned(), text(List::ActiveTrials.pk()));
            item.insert(attribute::INDEX_SK.to_owned(), text(trial.id().to_string()));
        }
        self.keep(&self.names.registry, item, trial, trial.revision() - 1).await
    }

    /// A page of a prompt's experiments or canaries, newest first.
    pub async fn trials(
        &self,
        prompt: PromptId,
        kind: TrialKind,
        request: &PageRequest,
    ) -> Result<Page<Trial>> {
        let prefix = match kind {
            TrialKind::Experiments => format!("{TRIALS}exp_"),
            TrialKind::Rollouts => format!("{TRIALS}rol_"),
        };
        let query = self.query(&self.names.registry, prompt_partition(prompt), &prefix);
        self.page(query.scan_index_forward(false), request).await
    }

    /// A page of all trials that run. The list follows the table a moment later.
    pub async fn active_trials(&self, request: &PageRequest) -> Result<Page<Trial>> {
        self.page(self.query_list(&List::ActiveTrials), request).await
    }

    /// The weights that a trial had, oldest first.
    pub async fn weights(&self, trial: TrialId) -> Result<Vec<Weights>> {
        self.all(self.query(&self.names.registry, weights_partition(trial), "")).await
    }

    /// A page of them.
    pub async fn weights_page(&self, trial: TrialId, request: &PageRequest) -> Result<Page<Weights>> {
        self.page(self.query(&self.names.registry, weights_partition(trial), ""), request).await
    }

    /// The newest weights that a trial had, as many as this at most; of these the oldest come first.
    pub async fn newest_weights(&self, trial: TrialId, most: u32) -> Result<Vec<Weights>> {
        let query = self.query(&self.names.registry, weights_partition(trial), "");
        let newest_first = query.scan_index_forward(false);
        let mut page: Page<Weights> = self.page(newest_first, &PageRequest::first(most)).await?;
        page.data.reverse();
        Ok(page.data)
    }

    /// The weights of one allocation version.
    pub async fn weights_of(&self, trial: TrialId, allocation_version: u64) -> Result<Option<Weights>> {
        self.get(&Key::Weights(trial, allocation_version)).await
    }
}
