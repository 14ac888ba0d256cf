//! What a crowd's events come to, counted by hand from all that was said.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    measure::Measure,
    metric::{Count, Counts, Hour},
};

use crate::crowd::{MILLIS_APART, Said, real};

/// Allocation version and arm.
type Arm = (u64, &'static str);

/// The counters as they have to be.
#[derive(Debug, Default)]
pub(crate) struct Recount {
    /// By version and hour.
    pub(crate) hours: BTreeMap<(usize, Hour), Counts>,
    /// Count, sum and sum of squares of each measure, in millionths.
    pub(crate) cells: BTreeMap<(Arm, Measure), (i64, i128, i128)>,
    /// Resolves, units, and units that met an error.
    pub(crate) exposures: BTreeMap<Arm, [usize; 3]>,
}

/// Of what was said of a measure of a resolve: the last value, and the first hour.
#[derive(Clone, Copy)]
struct Last {
    said_at: Timestamp,
    value: i64,
    hour: Hour,
    version: usize,
    arm: Arm,
}

pub(crate) fn recount(crowd: &[Said], now: Timestamp) -> Recount {
    let mut recount = Recount::default();
    let mut last: BTreeMap<(u64, Measure), Last> = BTreeMap::new();
    let mut met: BTreeMap<Arm, [BTreeSet<u64>; 3]> = BTreeMap::new();
    for said in crowd {
        let ago = MILLIS_APART * i64::try_from(said.number).unwrap();
        let at = Timestamp::from_millis(now.as_millis() - ago);
        let hour = Hour::of(at);
        let values = priced(said);
        let counts = recount.hours.entry((said.version, hour)).or_default();
        counts.add(Count::Calls, i64::from(is_call(said)));
        let [input, output] = said.tokens.unwrap_or_default();
        counts.add(Count::InputTokens, input);
        counts.add(Count::OutputTokens, output);
        let Some(spot) = said.spot else {
            for (measure, value) in values {
                book(counts, measure, value);
            }
            continue;
        };
        let arm = (spot.allocation_version, spot.arm);
        let [nonces, units, erring] = met.entry(arm).or_default();
        nonces.insert(spot.nonce);
        units.insert(spot.unit);
        if said.values.get(&Measure::Error) == Some(&1) {
            erring.insert(spot.unit);
        }
        for (measure, value) in values {
            let told = Last { said_at: at, value, hour, version: said.version, arm };
            let kept = last.entry((spot.nonce, measure)).or_insert(told);
            let first = kept.hour.min(hour);
            if kept.said_at < at {
                *kept = told;
            }
            kept.hour = first;
        }
    }
    for ((_, measure), Last { value, hour, version, arm, .. }) in last {
        book(recount.hours.entry((version, hour)).or_default(), measure, value);
        if measure == Measure::CostUsd && value == 0 {
            continue;
        }
        let x = i128::from(measure.fixed(real(measure, value)));
        let (n, s1, s2) = recount.cells.entry((arm, measure)).or_default();
        (*n, *s1, *s2) = (*n + 1, *s1 + x, *s2 + x * x);
    }
    recount.hours.retain(|_, counts| *counts != Counts::default());
    recount.exposures = met.into_iter().map(|(arm, sets)| (arm, sets.map(|set| set.len()))).collect();
    recount
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
    let ratings = [Count::Rating1, Count::Rating2, Count::Rating3, Count::Rating4, Count::Rating5];
    let booked: &[(Count, i64)] = match measure {
        Measure::LatencyMs => &[(Count::LatencyGiven, 1), (Count::LatencyMs, value)],
        Measure::CostUsd => {
            &[(Count::CostGiven, 1), (Count::CostNanos, value), (Count::ZeroCost, i64::from(value == 0))]
        }
        Measure::Success => &[(Count::SuccessGiven, 1), (Count::Successes, value)],
        Measure::Error => &[(Count::Errors, value)],
        Measure::Refusal => &[(Count::Refusals, value)],
        Measure::UserRating => {
            let stars = ratings[usize::try_from(value).unwrap() - 1];
            &[(Count::RatingGiven, 1), (Count::RatingSum, value), (stars, 1)]
        }
        Measure::Quality => &[(Count::QualityGiven, 1), (Count::QualitySum, 10_000 * value)],
        Measure::EvalScore => &[(Count::EvalGiven, 1), (Count::EvalSum, 10_000 * value)],
        Measure::LatencySlo => unreachable!("nobody reports it"),
    };
    for (count, more) in booked {
        counts.add(*count, *more);
    }
}
