//! What an entry does to the table: which counters it adds to, and what is to be remembered.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Timestamp,
    counter::{Cell, bucket_of},
    measure::Measure,
    metric::{Delta, Hour, Observation, Reading, Tally},
};

use super::{
    Task,
    known::{Kept, Known, Place, place},
    sums::{self, Sums},
};
use crate::keys::TelemetryKey;

const DAY: Duration = Duration::from_hours(24);

/// How long hourly and daily counters are kept.
const COUNTERS: Duration = DAY.saturating_mul(400);

/// How long a trial's counters are kept after the last addition; its end is within 35 days of that.
pub(super) const TRIALS: Duration = DAY.saturating_mul(435);

/// How long marks are: longer than the queue and its dead letters together.
const MARKS: Duration = DAY.saturating_mul(30);

/// How long a resolve is remembered after it: its token is good for 35 days.
const RESOLVES: Duration = DAY.saturating_mul(42);

/// How long a unit is: a trial may run for months.
const UNITS: Duration = DAY.saturating_mul(180);

/// How many items a team's day is divided among, so that thousands of prompts fit.
const DAY_PARTS: u8 = 4;

/// What may happen to a unit, each once under an allocation version, with the counter of those to whom it did. Their
/// places are the bits of what is remembered of a unit.
const HARMS: [(Measure, &str); 3] = [
    (Measure::Error, "error_units"),
    (Measure::Refusal, "refusal_units"),
    (Measure::LatencySlo, "slow_units"),
];

/// A write of an item.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    /// Adds to its numbers.
    Add(Sums),
    /// Remembers something in place of what was, as far as anything was.
    Keep { before: Option<Kept>, after: Kept },
    /// Takes the item away, if its numbers are still these.
    Take(Sums),
}

/// A write, and when the table may delete what it wrote.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expiring {
    pub(super) write: Write,
    pub(super) gone_at: i64,
}

/// Writes by place.
pub(super) type Writes = BTreeMap<Place, Expiring>;

/// What an entry does, given what is known.
pub(super) fn effect(task: &Task<'_>, known: &Known, now: Timestamp) -> Writes {
    let mut effect = Effect { task, known, now, writes: Writes::new() };
    for mark in &task.entry.marks {
        effect.keep(&TelemetryKey::Mark(mark.clone()), Kept::default(), now.plus(MARKS));
    }
    for delta in &task.entry.deltas {
        effect.count(delta);
    }
    for seen in &task.entry.observations {
        effect.meet(seen);
        for reading in &seen.readings {
            effect.note(seen, *reading);
        }
    }
    effect.writes
}

/// Adds what one write does to what others of the same item do.
pub(super) fn join(writes: &mut Writes, place: Place, more: Expiring) {
    let Some(held) = writes.get_mut(&place) else {
        writes.insert(place, more);
        return;
    };
    held.gone_at = held.gone_at.max(more.gone_at);
    match (&mut held.write, more.write) {
        (Write::Add(held), Write::Add(more)) => sums::merge(held, more),
        (Write::Keep { after, .. }, Write::Keep { after: later, .. }) => *after = later,
        // An item is either counters or memory: its key says which.
        (held, more) => *held = more,
    }
}

struct Effect<'a> {
    task: &'a Task<'a>,
    known: &'a Known,
    now: Timestamp,
    writes: Writes,
}

impl Effect<'_> {
    /// What is remembered, also by this entry.
    fn kept(&self, key: &TelemetryKey) -> Option<Kept> {
        let place = place(key);
        match self.writes.get(&place) {
            Some(Expiring { write: Write::Keep { after, .. }, .. }) => Some(*after),
            _ => self.known.get(&place).copied(),
        }
    }

    fn keep(&mut self, key: &TelemetryKey, after: Kept, until: Timestamp) {
        let before = self.kept(key);
        let after = Kept { revision: before.map_or(0, |before| before.revision) + 1, ..after };
        let write = Write::Keep { before, after };
        join(&mut self.writes, place(key), Expiring { write, gone_at: until.as_seconds() });
    }

    fn add(&mut self, key: &TelemetryKey, sums: Sums, until: Timestamp) {
        if !sums.is_empty() {
            let write = Expiring { write: Write::Add(sums), gone_at: until.as_seconds() };
            join(&mut self.writes, place(key), write);
        }
    }

    /// Adds to the counters of an hour and of its day.
    fn count(&mut self, delta: &Delta) {
        let Delta { prompt_id, version_id, environment, hour, tally } = delta;
        let counts = TelemetryKey::Hour(*version_id, environment.clone(), *hour);
        let latencies = TelemetryKey::Latencies(*version_id, environment.clone(), *hour);
        let day = hour.midnight();
        // The end of an id is random, so prompts spread.
        let part = prompt_id.to_bytes()[15] % DAY_PARTS;
        let summary = TelemetryKey::Day(self.task.team_id.clone(), day, part);
        let until = hour.start().plus(COUNTERS);
        self.add(&counts, sums::of_counts(&tally.counts), until);
        self.add(&latencies, sums::of_histogram(&tally.latency), until);
        self.add(&summary, sums::of_day(*prompt_id, &tally.counts), day.start().plus(COUNTERS));
    }

    /// Counts an exposure, and the units that are new to the iteration and to the allocation version.
    fn meet(&mut self, seen: &Observation) {
        let at = &seen.placement;
        let mut met = Sums::new();
        let mut one = |name: &str, yes: bool| met.extend(yes.then(|| (name.to_owned(), 1)));
        let exposure = TelemetryKey::Exposure(at.trial, at.nonce);
        let exposed = self.kept(&exposure).is_none();
        if exposed {
            self.keep(&exposure, Kept::default(), at.issued_at.plus(RESOLVES));
        }
        one("n", exposed);
        one(&sums::of_bucket(bucket_of(at.unit64)), exposed);
        let until = self.now.plus(UNITS);
        let unit = TelemetryKey::Unit(at.trial, at.iteration, at.unit64);
        let new = self.kept(&unit).is_none();
        if new {
            self.keep(&unit, Kept::default(), until);
        }
        one("new_units", new);
        let unit = TelemetryKey::UnitErred(at.trial, at.allocation_version, at.unit64);
        let here = self.kept(&unit);
        let known = here.and_then(|kept| kept.value).map_or(0, harms_in);
        let now = known | harms_of(&seen.readings);
        if here.is_none() || now != known {
            self.keep(&unit, Kept { value: Some(f64::from(now)), ..Kept::default() }, until);
        }
        one("units", here.is_none());
        for (bit, (_, name)) in HARMS.iter().enumerate() {
            one(name, (now & !known) >> bit & 1 == 1);
        }
        let key = TelemetryKey::Exposures(at.trial, at.allocation_version, at.arm.clone());
        self.add(&key, met, self.now.plus(TRIALS));
    }

    /// Counts a value, or the change from the one that was given before.
    fn note(&mut self, seen: &Observation, Reading { measure, value }: Reading) {
        let at = &seen.placement;
        let key = TelemetryKey::Feedback(at.trial, at.nonce, measure);
        let before = self.kept(&key);
        let given =
            Kept { revision: 0, value: Some(value), at: Some(seen.at), hour: Some(Hour::of(seen.at)) };
        let after = before.map_or(given, |before| latest(before, given));
        if before.is_some_and(|before| Kept { revision: 0, ..before } == after) {
            return;
        }
        self.keep(&key, after, at.issued_at.plus(RESOLVES));
        for (kept, times) in [(before, -1), (Some(after), 1)] {
            self.book(seen, measure, kept, times);
        }
    }

    /// Adds a value to its arm and its hour, or takes it away from there.
    fn book(&mut self, seen: &Observation, measure: Measure, kept: Option<Kept>, times: i64) {
        let Some(Kept { value: Some(value), hour: Some(hour), .. }) = kept else { return };
        // What cost nothing has no logarithm: it stands in the hour's share of such calls alone.
        if measure != Measure::CostUsd || value > 0.0 {
            let at = &seen.placement;
            let mut cell = Cell::default();
            cell.add(measure, value, at.unit64);
            let key = TelemetryKey::Cell(at.trial, at.allocation_version, at.arm.clone(), measure);
            self.add(&key, sums::times(sums::of_cell(&cell), times), self.now.plus(TRIALS));
        }
        let mut tally = Tally::default();
        tally.merge_times(&Tally::of(measure, value), times);
        let Observation { prompt_id, version_id, environment, .. } = seen;
        let environment = environment.clone();
        let delta = Delta { prompt_id: *prompt_id, version_id: *version_id, environment, hour, tally };
        self.count(&delta);
    }
}

/// The bits of what happened.
fn harms_of(readings: &[Reading]) -> u8 {
    let happened = |measure| readings.iter().any(|reading| reading.measure == measure && reading.value > 0.5);
    (0..).zip(HARMS).map(|(bit, (measure, _))| u8::from(happened(measure)) << bit).sum()
}

/// The bits that are remembered.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are a number from 0 to 7")]
fn harms_in(value: f64) -> u8 {
    value as u8
}

/// Of two values for the same, the one that was given later counts, in the hour of the first: so counters are
/// the same in whichever order the two arrive.
fn latest(before: Kept, given: Kept) -> Kept {
    let order = |kept: &Kept| (kept.at, kept.value.map(f64::to_bits));
    let later = if order(&before) < order(&given) { given } else { before };
    Kept { revision: 0, hour: before.hour.min(given.hour), ..later }
}
