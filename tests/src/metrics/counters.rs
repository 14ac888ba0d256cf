//! Counters by name, so that any two sets of them compare to the integer.

use std::{collections::BTreeMap, fmt::Display};

use domain::{
    measure::Measure,
    metric::{Count, Hour},
};

use super::{crowd::ENVIRONMENTS, road::Road};

/// Every counter that is not zero, under a name of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, i128>);

/// What days show of all that hours do.
pub(super) const SHOWN: [Count; 5] =
    [Count::Calls, Count::Errors, Count::CostNanos, Count::InputTokens, Count::RatingSum];

impl Counters {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all are zero.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that differ, each in a line.
    pub fn differences(&self, wanted: &Self) -> Vec<String> {
        let value = |counters: &Self, name| counters.0.get(name).copied().unwrap_or_default();
        let names = self.0.keys().chain(wanted.0.keys().filter(|name| !self.0.contains_key(*name)));
        let pairs = names.map(|name| (name, value(self, name), value(wanted, name)));
        let differing = pairs.filter(|(_, is, wanted)| is != wanted);
        differing.map(|(name, is, wanted)| format!("{name}: {is}, and has to be {wanted}")).collect()
    }

    fn set(&mut self, name: String, value: impl Into<i128>) {
        let value = value.into();
        if value != 0 {
            self.0.insert(name, value);
        }
    }

    /// What there is of an hour.
    pub(super) fn of_hour(
        &mut self,
        (version, environment, hour): (usize, &str, Hour),
        counts: impl Iterator<Item = (impl Display, i64)>,
    ) {
        for (count, sum) in counts {
            self.set(format!("{version} in {environment} at {hour}: {count}"), sum);
        }
    }

    /// What there is of a measure on an arm: count, sum and sum of squares, then count and sum of the buckets.
    pub(super) fn of_cell(&mut self, (allocation, arm): (u64, &str), measure: Measure, sums: [i128; 5]) {
        for (name, sum) in ["n", "sum", "sum of squares", "n of buckets", "sum of buckets"].iter().zip(sums) {
            self.set(format!("{arm} under {allocation}, {measure:?}: {name}"), sum);
        }
    }

    /// Who met an arm: resolves, units, new units, and units that met an error and a refusal.
    pub(super) fn of_exposures(&mut self, (allocation, arm): (u64, &str), counts: [i64; 5]) {
        let names = ["resolves", "units", "new units", "erring units", "refused units"];
        for (name, count) in names.iter().zip(counts) {
            self.set(format!("{arm} under {allocation}: {name}"), count);
        }
    }

    /// What the team's days come to.
    pub(super) fn of_days(&mut self, count: Count, sum: i64) {
        self.set(format!("all days: {}", count.name()), sum);
    }
}

impl Road {
    /// The counters as they stand, of those who report within a day of the clock's time.
    pub async fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for version in 0..self.versions.len() {
            for environment in ENVIRONMENTS {
                for (hour, tally) in self.hours_in(version, environment).await {
                    let named = tally.counts.iter().map(|(count, sum)| (count.name(), sum));
                    let latencies = tally.latency.buckets().map(|(_, count)| count).sum();
                    let all = named.chain([("latencies", latencies)]);
                    counters.of_hour((version, environment, hour), all);
                }
            }
        }
        let trial = self.trial().await;
        for at in &trial.cells {
            let (total, buckets) = (&at.cell.total, &at.cell.buckets);
            let n: i64 = buckets.iter().map(|bucket| bucket.n).sum();
            let sums = [total.n.into(), total.s1, total.s2, n.into(), buckets.iter().map(|one| one.s).sum()];
            counters.of_cell((at.allocation_version, &at.arm), at.measure, sums);
        }
        for at in &trial.exposures {
            let counts = [at.exposures, at.units, at.new_units, at.error_units, at.refusal_units];
            counters.of_exposures((at.allocation_version, &at.arm), counts);
        }
        let now = Hour::of(self.world.registry().sources.now());
        let yesterday = Hour::of(now.midnight().start().minus(std::time::Duration::from_hours(1)));
        let team = "support".parse().expect("the team of the versions");
        let days = self.world.registry().store.team_days(&team, yesterday.midnight(), now).await;
        let days = days.expect("the table reads days");
        for shown in SHOWN {
            counters.of_days(shown, days.iter().map(|day| day.counts.get(shown)).sum());
        }
        counters
    }
}
