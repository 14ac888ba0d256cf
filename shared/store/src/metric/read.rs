//! Counters as they stand.

use std::{array, collections::BTreeMap};

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use domain::{
    Environment, Error, PromptId, Result, TeamId, VersionId,
    allocation::TrialId,
    counter::{BUCKETS, Cell},
    measure::Measure,
    metric::{Counts, Hour, Tally},
    rollout::Units,
};

use super::sums::{self, Sums};
use crate::{
    Store,
    keys::{
        ARMS, EXPOSURES, HOURS, LATENCIES, STRATA, days_partition, hours_partition, parse_arm, parse_measure,
        trial_partition,
    },
    sent::Sent,
    table::{Item, attribute, failed, text},
};

/// Counters of a measure on an arm under an allocation version.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmCell {
    /// The allocation version: a stratum.
    pub allocation_version: u64,
    /// The arm's key.
    pub arm: String,
    /// The measure.
    pub measure: Measure,
    /// The counters.
    pub cell: Cell,
}

/// Who met an arm under an allocation version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmExposures {
    /// The allocation version.
    pub allocation_version: u64,
    /// The arm's key.
    pub arm: String,
    /// Resolves that were heard of.
    pub exposures: i64,
    /// Those of each part of the units. Of strata that are compacted they stand together, as those of cells do.
    pub buckets: [i64; BUCKETS],
    /// Units that were heard of for the first time in their iteration.
    pub new_units: i64,
    /// Units that were heard of under this allocation version, …
    pub units: i64,
    /// … and those of them that met an error, …
    pub error_units: i64,
    /// … a refusal, …
    pub refusal_units: i64,
    /// … or an answer that took longer than the trial allows.
    pub slow_units: i64,
}

impl ArmExposures {
    /// Nobody.
    pub fn none(allocation_version: u64, arm: String) -> Self {
        Self {
            allocation_version,
            arm,
            exposures: 0,
            buckets: [0; BUCKETS],
            new_units: 0,
            units: 0,
            error_units: 0,
            refusal_units: 0,
            slow_units: 0,
        }
    }

    /// Adds another part of the same.
    pub fn add(&mut self, other: &Self) {
        self.exposures += other.exposures;
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
        self.new_units += other.new_units;
        self.units += other.units;
        self.error_units += other.error_units;
        self.refusal_units += other.refusal_units;
        self.slow_units += other.slow_units;
    }

    /// The units, and those to whom what a binary measure counts happened at least once.
    pub fn units_by(&self, measure: Measure) -> Units {
        let failed = match measure {
            Measure::Refusal => self.refusal_units,
            Measure::LatencySlo => self.slow_units,
            _ => self.error_units,
        };
        let count = |units: i64| u64::try_from(units).unwrap_or_default();
        Units { served: count(self.units), failed: count(failed) }
    }
}

/// All counters of a trial, some of them in parts that are to be added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrialCounters {
    /// By allocation version, arm and measure. Of a stratum that is compacted there are the sums alone; what the buckets
    /// and the ratings of all of these come to stands under [`COMPACTED`](crate::keys::COMPACTED).
    pub cells: Vec<ArmCell>,
    /// By allocation version and arm.
    pub exposures: Vec<ArmExposures>,
}

/// What a team's day shows of a prompt: calls, resolves, errors, cost, tokens, ratings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDay {
    /// The day, as its first hour.
    pub day: Hour,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Its counts.
    pub counts: Counts,
}

impl Store {
    /// The counters of a version in an environment from one hour to another, both included; empty hours are
    /// left out.
    pub async fn hours(
        &self,
        version: VersionId,
        environment: &Environment,
        from: Hour,
        to: Hour,
    ) -> Result<BTreeMap<Hour, Tally>> {
        let pk = hours_partition(version, environment);
        let of = |prefix: &str| self.between(&pk, format!("{prefix}{from}"), format!("{prefix}{to}"));
        let (counts, latencies) = (self.sums(of(HOURS)), self.sums(of(LATENCIES)));
        let (counts, latencies) = futures_util::try_join!(counts, latencies)?;
        let mut hours: BTreeMap<Hour, Tally> = BTreeMap::new();
        for (sk, sums) in counts {
            hours.entry(hour(&sk, HOURS)?).or_default().counts = sums::to_counts(&sums)?;
        }
        for (sk, sums) in latencies {
            hours.entry(hour(&sk, LATENCIES)?).or_default().latency = sums::to_histogram(&sums)?;
        }
        Ok(hours)
    }

    /// The newest hour of which anything was counted of a version in an environment.
    pub async fn newest_hour(&self, version: VersionId, environment: &Environment) -> Result<Option<Hour>> {
        let query = self.query(&self.names.telemetry, hours_partition(version, environment), HOURS);
        let answer = query.scan_index_forward(false).limit(1).sent().await.map_err(failed)?;
        let item = answer.items.unwrap_or_default().into_iter().next();
        let sk = item.as_ref().and_then(|item| item.get(attribute::SK)?.as_s().ok());
        sk.map(|sk| hour(sk, HOURS)).transpose()
    }

    /// All counters of a trial as its items hold them, read page by page.
    pub(super) async fn counters_in_items(&self, trial: TrialId) -> Result<TrialCounters> {
        let query = self.query(&self.names.telemetry, trial_partition(trial), ARMS);
        let mut counters = TrialCounters::default();
        for (sk, sums) in self.sums(query).await? {
            let (allocation_version, arm, what) = parse_arm(&sk).ok_or_else(|| unreadable(&sk))?;
            if what != STRATA {
                counters.take(allocation_version, arm, what, &sums)?;
                continue;
            }
            for ((allocation_version, what), sums) in sums::to_strata(&sums)? {
                counters.take(allocation_version, arm, what, &sums)?;
            }
        }
        Ok(counters)
    }

    /// What a team's days show of its prompts, from one day to another, both included.
    pub async fn team_days(&self, team: &TeamId, from: Hour, to: Hour) -> Result<Vec<PromptDay>> {
        // The parts of a day sort behind its date; `$` is the sign after `#`.
        let query = self.between(&days_partition(team), from.date(), format!("{}$", to.date()));
        let mut days: BTreeMap<(Hour, PromptId), Counts> = BTreeMap::new();
        for (sk, sums) in self.sums(query).await? {
            let (date, _part) = sk.split_once('#').ok_or_else(|| unreadable(&sk))?;
            let day: Hour = date.parse().map_err(|_| unreadable(&sk))?;
            days.extend(sums::to_day(&sums)?.into_iter().map(|(prompt, counts)| ((day, prompt), counts)));
        }
        Ok(days.into_iter().map(|((day, prompt_id), counts)| PromptDay { day, prompt_id, counts }).collect())
    }

    pub(super) fn between(&self, pk: &str, from: String, to: String) -> QueryFluentBuilder {
        self.dynamodb()
            .query()
            .table_name(&self.names.telemetry)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
    }

    /// The numbers of all items of a query, by sort key.
    async fn sums(&self, query: QueryFluentBuilder) -> Result<Vec<(String, Sums)>> {
        let mut items = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(numbers(&item.map_err(failed)?)?);
        }
        Ok(found)
    }
}

impl TrialCounters {
    /// `what` is a measure's name, or what stands for one.
    fn take(&mut self, allocation_version: u64, arm: &str, what: &str, sums: &Sums) -> Result<()> {
        let arm = arm.to_owned();
        if what == EXPOSURES {
            self.exposures.push(exposures(allocation_version, arm, sums));
            return Ok(());
        }
        let measure = parse_measure(what).ok_or_else(|| unreadable(what))?;
        self.cells.push(ArmCell { allocation_version, arm, measure, cell: sums::to_cell(sums)? });
        Ok(())
    }
}

/// The numbers of an item, and its sort key.
pub(super) fn numbers(item: &Item) -> Result<(String, Sums)> {
    let sk = item.get(attribute::SK).and_then(|sk| AttributeValue::as_s(sk).ok()).cloned();
    Ok((sk.unwrap_or_default(), sums::of_item(item)?))
}

fn exposures(allocation_version: u64, arm: String, sums: &Sums) -> ArmExposures {
    let sum = |name: &str| sums.get(name).and_then(|sum| i64::try_from(*sum).ok()).unwrap_or_default();
    ArmExposures {
        allocation_version,
        arm,
        exposures: sum("n"),
        buckets: array::from_fn(|at| sum(&sums::of_bucket(at))),
        new_units: sum("new_units"),
        units: sum("units"),
        error_units: sum("error_units"),
        refusal_units: sum("refusal_units"),
        slow_units: sum("slow_units"),
    }
}

fn hour(sk: &str, prefix: &str) -> Result<Hour> {
    let hour = sk.strip_prefix(prefix).and_then(|hour| hour.parse().ok());
    hour.ok_or_else(|| unreadable(sk))
}

pub(super) fn unreadable(sk: &str) -> Error {
    Error::internal(format!("`{sk}` is not the sort key of a counter"))
}
