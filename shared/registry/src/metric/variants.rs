//! The hours of the arms of a prompt's experiments and canaries.
//!
//! Counters by the hour are of versions, and an arm is a version while its trial runs. So the hours in which a trial
//! begins and ends are whole: what its versions served just before and after is in them.

use domain::{PromptId, Result, Trial, metric::Hour};
use store::{PageRequest, TrialKind};

use super::{
    Range,
    reading::{Group, Part},
};
use crate::Registry;

/// How many of the newest experiments and canaries of a prompt are looked at, each.
const TRIALS: u32 = 50;

impl Registry {
    /// The arms of the trials that ran within a range.
    pub(super) async fn variants(&self, prompt: PromptId, range: Range) -> Result<Vec<Part>> {
        let request = PageRequest::first(TRIALS);
        let (experiments, canaries) = futures_util::try_join!(
            self.store.trials(prompt, TrialKind::Experiments, &request),
            self.store.trials(prompt, TrialKind::Rollouts, &request)
        )?;
        let trials = experiments.data.iter().chain(&canaries.data);
        Ok(trials.flat_map(|trial| parts(trial, range)).collect())
    }
}

fn parts(trial: &Trial, range: Range) -> Vec<Part> {
    let (from, to) = trial.time();
    let first = range.first().max(Hour::of(from));
    let last = to.map_or(range.last(), |to| range.last().min(Hour::of(to)));
    if first > last {
        return Vec::new();
    }
    let part = |(key, version): (&str, domain::VersionPointer)| Part {
        group: Group::Variant {
            trial: trial.id(),
            key: key.to_owned(),
            number: version.number,
            id: version.id,
        },
        version: version.id,
        environment: trial.environment().clone(),
        first,
        last,
    };
    trial.arms().into_iter().map(part).collect()
}
