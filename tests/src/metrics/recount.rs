//! What a crowd's events come to, counted by hand from all that was said.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    measure::Measure,
    metric::{Count, Counts, Hour},
};

use super::{
    counters::{Counters, SHOWN},
    crowd::{Crowd, ENVIRONMENTS, Said, real},
};

/// Allocation version and arm.
type Arm = (u64, &'static str);

/// Version, environment and hour.
type Place = (usize, &'static str, Hour);

#[derive(Default)]
struct Recount {
    hours: BTreeMap<Place, Counts>,
    /// Count, sum and sum of squares of each measure, in millionths.
    cells: BTreeMap<(Arm, Measure), (i64, i128, i128)>,
    /// Of what was said of a measure of a resolve: the last value, and the first hour.
    last: BTreeMap<(u64, Measure), Last>,
    /// Resolves, units, and units that met an error or a refusal.
    met: BTreeMap<Arm, [BTreeSet<u64>; 4]>,
}

#[derive(Clone, Copy)]
struct Last {
    said_at: Timestamp,
    value: i64,
    hour: Hour,
    version: usize,
    arm: Arm,
}

impl Crowd {
    /// The counters as they have to be once all is counted; the crowd reported at `now`.
    pub fn recount(&self, now: Timestamp) -> Counters {
        let mut recount = Recount::default();
        for said in &self.said {
            recount.add(said, self.at(said, now));
        }
        recount.close();
        recount.named()
    }
}

impl Recount {
    fn add(&mut self, said: &Said, at: Timestamp) {
        let hour = Hour::of(at);
        let counts = self.hours.entry((said.version, said.environment, hour)).or_default();
        counts.add(Count::Calls, i64::from(is_call(said)));
        let [input, output] = said.tokens.unwrap_or_default();
        counts.add(Count::InputTokens, input);
        counts.add(Count::OutputTokens, output);
        let Some(spot) = said.spot else {
            for (measure, value) in priced(said) {
                book(counts, measure, value);
            }
            return;
        };
        let arm = (spot.allocation_version, spot.arm);
        let [nonces, units, erring, refused] = self.met.entry(arm).or_default();
        nonces.insert(spot.nonce);
        units.insert(spot.unit);
        for (measure, harmed) in [(Measure::Error, erring), (Measure::Refusal, refused)] {
            if said.values.get(&measure) == Some(&1) {
                harmed.insert(spot.unit);
            }
        }
        for (measure, value) in priced(said) {
            let told = Last { said_at: at, value, hour, version: said.version, arm };
            let kept = self.last.entry((spot.nonce, measure)).or_insert(told);
            let first = kept.hour.min(hour);
            if kept.said_at < at {
                *kept = told;
            }
            kept.hour = first;
        }
    }

    /// Books the values that stayed.
    fn close(&mut self) {
        for ((_, measure), Last { value, hour, version, arm, .. }) in std::mem::take(&mut self.last) {
            // A trial is in production.
            book(self.hours.entry((version, ENVIRONMENTS[0], hour)).or_default(), measure, value);
            if measure == Measure::CostUsd && value == 0 {
                continue;
            }
            let x = i128::from(measure.fixed(real(measure, value)));
            let (n, s1, s2) = self.cells.entry((arm, measure)).or_default();
            (*n, *s1, *s2) = (*n + 1, *s1 + x, *s2 + x * x);
        }
    }

    fn named(self) -> Counters {
        let mut counters = Counters::default();
        for (place, counts) in &self.hours {
            let latencies = [("latencies", counts.get(Count::LatencyGiven))];
            counters.of_hour(*place, counts.iter().map(|(count, sum)| (count.name(), sum)).chain(latencies));
        }
        for ((arm, measure), (n, s1, s2)) in self.cells {
            counters.of_cell(arm, measure, [n.into(), s1, s2, n.into(), s1]);
        }
        for (arm, sets) in self.met {
            let sizes = sets.map(|set| i64::try_from(set.len()).expect("a crowd is small"));
            let [resolves, units, erring, refused] = sizes;
            // A unit is on one arm under one allocation version, so it is new there.
            counters.of_exposures(arm, [resolves, units, units, erring, refused]);
        }
        for shown in SHOWN {
            counters.of_days(shown, self.hours.values().map(|counts| counts.get(shown)).sum());
        }
        counters
    }
}

/// Values, with the cost that follows from tokens.
fn priced(said: &Said) -> BTreeMap<Measure, i64> {
    let mut values = said.values.clone();
    if let Some([input, output]) = said.tokens {
        values.entry(Measure::CostUsd).or_insert(1000 * input + 2000 * output);
    }
    values
}

/// Whether an event tells of a call: it says something of one, or nothing at all.
fn is_call(said: &Said) -> bool {
    let of_calls = [Measure::LatencyMs, Measure::CostUsd, Measure::Error, Measure::Refusal];
    said.values.is_empty() || said.tokens.is_some() || said.values.keys().any(|told| of_calls.contains(told))
}

fn book(counts: &mut Counts, measure: Measure, value: i64) {
    let booked: &[(Count, i64)] = match measure {
        Measure::LatencyMs => &[(Count::LatencyGiven, 1), (Count::LatencyMs, value)],
        Measure::CostUsd => {
            &[(Count::CostGiven, 1), (Count::CostNanos, value), (Count::ZeroCost, i64::from(value == 0))]
        }
        Measure::Success => &[(Count::SuccessGiven, 1), (Count::Successes, value)],
        Measure::Error => &[(Count::Errors, value)],
        Measure::Refusal => &[(Count::Refusals, value)],
        Measure::UserRating => {
            let ratings = [Count::Rating1, Count::Rating2, Count::Rating3, Count::Rating4, Count::Rating5];
            let stars = (1..).zip(ratings).find(|(stars, _)| *stars == value);
            let (_, stars) = stars.expect("ratings are from 1 to 5");
            &[(Count::RatingGiven, 1), (Count::RatingSum, value), (stars, 1)]
        }
        Measure::Quality => &[(Count::QualityGiven, 1), (Count::QualitySum, 10_000 * value)],
        Measure::EvalScore => &[(Count::EvalGiven, 1), (Count::EvalSum, 10_000 * value)],
        Measure::LatencySlo => &[],
    };
    for (count, more) in booked {
        counts.add(*count, *more);
    }
}
