//! Resolves that a process has served and that no message says yet.

use std::{collections::BTreeMap, mem};

use super::{
    Count, Delta, Entry, Hour, Message, Tally,
    fold::{MAX_DELTAS, messages},
};
use crate::{Environment, PromptId, Ref, Sources, TeamId, Timestamp, VersionId};

/// Resolves, counted by version, environment and hour.
#[derive(Debug, Default)]
pub struct Resolves {
    /// A version has few counters, so the right one is looked for in a list: that copies no name, and counting is cheap.
    versions: BTreeMap<VersionId, Vec<Counter>>,
    counters: usize,
}

#[derive(Debug)]
struct Counter {
    team_id: TeamId,
    prompt_id: PromptId,
    environment: Environment,
    hour: Hour,
    resolves: i64,
}

impl Resolves {
    /// Counts a resolve that this version served; the ref says for whom.
    pub fn count(&mut self, reference: &Ref, version_id: VersionId, at: Timestamp) {
        let hour = Hour::of(at);
        let counters = self.versions.entry(version_id).or_default();
        let held = counters
            .iter_mut()
            .find(|counter| counter.hour == hour && counter.environment == reference.environment);
        if let Some(counter) = held {
            counter.resolves += 1;
            return;
        }
        let Ref { team_id, prompt_id, environment, .. } = reference;
        let (team_id, environment) = (team_id.clone(), environment.clone());
        counters.push(Counter { team_id, prompt_id: *prompt_id, environment, hour, resolves: 1 });
        self.counters += 1;
    }

    /// How many counters there are.
    pub fn counters(&self) -> usize {
        self.counters
    }

    /// Takes all of them out, as messages.
    pub fn take(&mut self, sources: &Sources) -> Vec<Message> {
        let mut teams: BTreeMap<TeamId, Vec<Delta>> = BTreeMap::new();
        for (version_id, counters) in mem::take(self).versions {
            for Counter { team_id, prompt_id, environment, hour, resolves } in counters {
                let counts = [(Count::Resolves, resolves)].into_iter().collect();
                let tally = Tally { counts, ..Tally::default() };
                let delta = Delta { prompt_id, version_id, environment, hour, tally };
                teams.entry(team_id).or_default().push(delta);
            }
        }
        let of_team = |(team_id, deltas): (TeamId, Vec<Delta>)| {
            let entries = deltas.chunks(MAX_DELTAS).map(|deltas| Entry {
                marks: Vec::new(),
                deltas: deltas.to_vec(),
                observations: Vec::new(),
            });
            messages(entries, &team_id, sources)
        };
        teams.into_iter().flat_map(of_team).collect()
    }
}

#[cfg(test)]
mod tests;
