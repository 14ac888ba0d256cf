//! The figures of a prompt, and those of a team.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    Caller, Environment, Error, PromptId, Ref, Result, TeamId, TeamScope, VersionId,
    metric::{
        Count, Hour, Summary, Tally,
        summary::{Bucket, by_bucket},
    },
    name::production,
    trial::TrialId,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Range, Wanted, bounded};
use crate::Registry;

/// How many of a prompt's versions are looked at, newest first; those that are live are looked at besides.
const VERSIONS: usize = 100;

/// How many of a prompt's environments are looked at, last moved first; production is looked at besides.
const ENVIRONMENTS: usize = 10;

/// How many versions in environments are read at once.
const READS: usize = 16;

/// What figures of a prompt are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// Versions, in all environments.
    Version,
    /// Environments, whatever the version.
    Environment,
    /// Arms of an experiment or canary.
    Variant,
}

/// What figures are of. Versions are in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A version.
    Version {
        /// Its number.
        number: u32,
        /// Its id.
        id: VersionId,
    },
    /// An environment.
    Environment(Environment),
    /// An arm of an experiment or a canary, while that ran.
    Variant {
        /// Which one.
        trial: TrialId,
        /// The arm's key.
        key: String,
        /// The number of its version.
        number: u32,
        /// The version's id.
        id: VersionId,
    },
}

/// Hours of a version in an environment that are part of a group.
pub(super) struct Part {
    pub(super) group: Group,
    pub(super) version: VersionId,
    pub(super) environment: Environment,
    /// The first hour.
    pub(super) first: Hour,
    /// The last one; it is in it.
    pub(super) last: Hour,
}

/// The figures of a prompt.
#[derive(Debug, Clone)]
pub struct PromptMetrics {
    /// The time.
    pub range: Range,
    /// By bucket and group; a bucket of which nothing was counted is left out.
    pub rows: Vec<(Hour, Group, Summary)>,
    /// How many of the prompt's versions were not looked at.
    pub versions_left_out: usize,
    /// How many of its environments were not.
    pub environments_left_out: usize,
}

/// The figures of a team.
#[derive(Debug, Clone)]
pub struct TeamMetrics {
    /// The time.
    pub range: Range,
    /// By day and prompt. Of a summary only what days show is known: calls, resolves, errors, tokens, cost and
    /// ratings.
    pub rows: Vec<(Hour, PromptId, Summary)>,
}

/// Where a prompt's counters are looked for.
struct Places {
    versions: BTreeSet<(u32, VersionId)>,
    environments: BTreeSet<Environment>,
    versions_left_out: usize,
    environments_left_out: usize,
}

impl Registry {
    /// The figures of a prompt.
    pub async fn prompt_metrics(
        &self,
        caller: &Caller,
        address: &str,
        wanted: Wanted,
        group_by: GroupBy,
    ) -> Result<PromptMetrics> {
        let range = Range::of(wanted, self.sources.now())?;
        let prompt = self.prompt(caller, address).await?;
        let (parts, versions_left_out, environments_left_out) = if group_by == GroupBy::Variant {
            (self.variants(prompt.prompt_id, range).await?, 0, 0)
        } else {
            let places = self.places(prompt.prompt_id).await?;
            (places.parts(group_by, range), places.versions_left_out, places.environments_left_out)
        };
        let sums = self.summed(parts, range).await?;
        let rows = sums.iter().map(|((start, group), sum)| (*start, group.clone(), sum.into()));
        Ok(PromptMetrics { range, rows: bounded(rows.collect())?, versions_left_out, environments_left_out })
    }

    /// What parts come to together, by bucket and group.
    async fn summed(&self, parts: Vec<Part>, range: Range) -> Result<BTreeMap<(Hour, Group), Tally>> {
        let reads = stream::iter(parts).map(|part| async move {
            let hours = self.store.hours(part.version, &part.environment, part.first, part.last).await?;
            let hours = hours.into_iter().map(|(hour, tally)| (hour, part.group.clone(), tally));
            Ok::<_, Error>(by_bucket(hours, range.bucket))
        });
        // Each is summed as it comes: the hours of a year are many.
        let parts: Vec<BTreeMap<(Hour, Group), Tally>> = reads.buffer_unordered(READS).try_collect().await?;
        let parts = parts.into_iter().flatten().map(|((start, group), tally)| (start, group, tally));
        Ok(by_bucket(parts, range.bucket))
    }

    /// How much an environment answered in the last 24 hours, whichever of the versions that are looked at did.
    pub async fn answered_in(&self, reference: &Ref) -> Result<i64> {
        let range = Range::of(Wanted { from: None, to: None, bucket: Bucket::Hour }, self.sources.now())?;
        let versions = self.places(reference.prompt_id).await?.versions;
        let reads = stream::iter(versions).map(|(_, id)| async move {
            let hours = self.store.hours(id, &reference.environment, range.first(), range.last()).await?;
            let answered = |hour: &Tally| hour.counts.get(Count::Resolves).max(hour.counts.get(Count::Calls));
            Ok::<_, Error>(hours.values().map(answered).sum::<i64>())
        });
        let answered: Vec<i64> = reads.buffer_unordered(READS).try_collect().await?;
        Ok(answered.into_iter().sum())
    }

    /// The figures of a prompt by bucket, of all the versions and environments that are looked at together. Whoever asks
    /// has been let see the prompt.
    pub async fn prompt_totals(&self, prompt: PromptId, wanted: Wanted) -> Result<BTreeMap<Hour, Summary>> {
        let range = Range::of(wanted, self.sources.now())?;
        let parts = self.places(prompt).await?.parts(GroupBy::Version, range);
        let mut totals: BTreeMap<Hour, Tally> = BTreeMap::new();
        for ((start, _), sum) in self.summed(parts, range).await? {
            totals.entry(start).or_default().merge(&sum);
        }
        Ok(totals.iter().map(|(start, sum)| (*start, sum.into())).collect())
    }

    /// The figures of a team's prompts by day. They are kept by day alone.
    pub async fn team_metrics(&self, caller: &Caller, team: &TeamId, wanted: Wanted) -> Result<TeamMetrics> {
        let range = Range::of(Wanted { bucket: Bucket::Day, ..wanted }, self.sources.now())?;
        let missing = || Error::not_found("team");
        if !caller.sees(team) {
            return Err(missing());
        }
        self.store.team(&TeamScope::Team(team.clone())).await?.ok_or_else(missing)?;
        let days = self.store.team_days(team, range.first(), range.last()).await?;
        let rows = days.into_iter().map(|day| {
            let tally = Tally { counts: day.counts, ..Tally::default() };
            (day.day, day.prompt_id, Summary::from(&tally))
        });
        Ok(TeamMetrics { range, rows: bounded(rows.collect())? })
    }

    async fn places(&self, prompt: PromptId) -> Result<Places> {
        let (refs, states) =
            tokio::try_join!(self.store.references(prompt), self.store.version_states(prompt))?;
        Ok(Places::of(refs, states.iter().map(|state| (state.number, state.version_id))))
    }
}

impl Places {
    /// Callers may report of any version in any environment: those are looked at where there is something to
    /// expect. The versions come newest first.
    fn of(mut refs: Vec<Ref>, versions: impl Iterator<Item = (u32, VersionId)>) -> Self {
        let production = production();
        refs.sort_by_key(|reference| (reference.environment != production, Reverse(reference.moved_at)));
        let environments_left_out = refs.len().saturating_sub(ENVIRONMENTS);
        refs.truncate(ENVIRONMENTS);
        let arms = refs.iter().flat_map(|reference| &reference.allocation).flat_map(|trial| &trial.arms);
        let live = refs.iter().filter_map(|reference| reference.version).chain(arms.map(|arm| arm.version));
        let live: BTreeSet<_> = live.map(|version| (version.number, version.id)).collect();
        let (taken, left_out): (Vec<_>, Vec<_>) =
            versions.enumerate().partition(|(age, version)| *age < VERSIONS || live.contains(version));
        Self {
            versions: taken.into_iter().map(|(_, version)| version).collect(),
            // Who names no environment reports of production, also where nothing was ever promoted to it.
            environments: refs
                .into_iter()
                .map(|reference| reference.environment)
                .chain([production])
                .collect(),
            versions_left_out: left_out.len(),
            environments_left_out,
        }
    }

    /// Each version in each environment, over the whole range.
    fn parts(&self, group_by: GroupBy, range: Range) -> Vec<Part> {
        let (first, last) = (range.first(), range.last());
        let of_version = |&(number, id): &(u32, VersionId)| {
            let part = move |environment: &Environment| {
                let environment = environment.clone();
                let group = match group_by {
                    GroupBy::Environment => Group::Environment(environment.clone()),
                    _ => Group::Version { number, id },
                };
                Part { group, version: id, environment, first, last }
            };
            self.environments.iter().map(part).collect::<Vec<_>>()
        };
        self.versions.iter().flat_map(of_version).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::{Prompt, VersionPointer, reference::Mover};

    use super::*;

    fn version(number: u32) -> (u32, VersionId) {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        (number, VersionId::from_bytes(id))
    }

    fn live(environment: &str, number: u32, moved_at: i64) -> Ref {
        let at = domain::Timestamp::from_millis(moved_at);
        let id = PromptId::from_bytes([1; 16]);
        let prompt = Prompt::new(id, "greeter".parse().unwrap(), "a".parse().unwrap(), "key_a", at);
        let mover = Mover { by: "key_a", at };
        let (number, id) = version(number);
        let empty = Ref::empty(&prompt, environment.parse().unwrap(), mover);
        empty.promoted(VersionPointer { number, id }, mover)
    }

    #[test]
    fn the_newest_versions_are_looked_at_and_those_that_are_live() {
        let places = Places::of(vec![live("staging", 3, 1)], (1..=150).rev().map(version));
        assert_eq!((places.versions.len(), places.versions_left_out), (101, 49));
        assert!(places.versions.contains(&version(3)) && !places.versions.contains(&version(50)));
        assert_eq!((places.environments.len(), places.environments_left_out), (2, 0));
        let now = domain::Timestamp::from_millis(1_800_000_000_000);
        let range = Range::of(Wanted { from: None, to: None, bucket: Bucket::Hour }, now).unwrap();
        assert_eq!(places.parts(GroupBy::Version, range).len(), 202);
    }

    #[test]
    fn of_many_environments_the_last_moved_are_looked_at_and_production_always() {
        let mut refs: Vec<Ref> = (1..=20).map(|at| live(&format!("e{at}"), 1, at)).collect();
        refs.push(live("production", 2, 0));
        let places = Places::of(refs, [version(2), version(1)].into_iter());
        assert_eq!((places.environments.len(), places.environments_left_out), (10, 11));
        let has = |name: &str| places.environments.contains(&name.parse().unwrap());
        assert!(has("production") && has("e12") && !has("e11"));
        assert_eq!(places.versions_left_out, 0);
    }
}
