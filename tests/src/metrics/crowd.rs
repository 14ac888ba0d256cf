//! What a crowd of applications reports: events of all kinds, in any order, some of them twice.

use std::collections::BTreeMap;

use domain::{Timestamp, measure::Measure, token::Signer};
use serde_json::{Map, Value, json};

use super::road::{Road, Spot};
use crate::Dice;

/// An event. Values are whole numbers: hundredths of scores, nano-dollars of costs, and 0 or 1 for no and yes.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) number: usize,
    pub(super) version: usize,
    pub(super) environment: &'static str,
    /// Where in the trial, for those with a token.
    pub(super) spot: Option<Spot>,
    /// Whether it has an id.
    pub(super) named: bool,
    pub(super) values: BTreeMap<Measure, i64>,
    /// Tokens in and out.
    pub(super) tokens: Option<[i64; 2]>,
}

/// What applications report, no two events at one time.
#[derive(Debug)]
pub struct Crowd {
    pub(super) said: Vec<Said>,
    millis_apart: i64,
}

/// A request of the crowd: events by number.
#[derive(Debug, Clone)]
pub struct Batch {
    id: Option<usize>,
    events: Vec<usize>,
}

/// Where versions are reported of; trials are in the first.
pub(super) const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

const ARMS: [&str; 2] = ["A", "B"];

/// Measures, and below what their values are drawn.
const DRAWN: [(Measure, usize); 8] = [
    (Measure::LatencyMs, 5000),
    (Measure::CostUsd, 1000),
    (Measure::Success, 2),
    (Measure::Error, 2),
    (Measure::Refusal, 2),
    (Measure::UserRating, 5),
    (Measure::Quality, 101),
    (Measure::EvalScore, 101),
];

fn whole(dice: &Dice, bound: usize) -> i64 {
    i64::try_from(dice.below(bound)).expect("bounds are small")
}

impl Crowd {
    /// Events of which a tenth go through a trial; each of its resolves is heard of about three times.
    pub fn draw(dice: &Dice, events: usize, versions: usize, millis_apart: i64) -> Self {
        let resolves = 1 + events / 30;
        let said = (0..events).map(|number| {
            let spot = dice.once_in(10).then(|| spot(dice.below(resolves), resolves));
            let version = spot.map_or_else(|| dice.below(versions), |spot| usize::from(spot.arm == ARMS[1]));
            let elsewhere = spot.is_none() && dice.once_in(3);
            let mut values = BTreeMap::new();
            for (measure, bound) in DRAWN {
                if dice.once_in(3) {
                    values.insert(measure, drawn(measure, whole(dice, bound)));
                }
            }
            let tokens = dice.once_in(2).then(|| [whole(dice, 2000), whole(dice, 500)]);
            let (environment, named) = (ENVIRONMENTS[usize::from(elsewhere)], dice.once_in(3));
            Said { number, version, environment, spot, named, values, tokens }
        });
        Self { said: said.collect(), millis_apart }
    }

    /// When an event happened, for those who report at `now`.
    pub(super) fn at(&self, said: &Said, now: Timestamp) -> Timestamp {
        let number = i64::try_from(said.number).expect("a crowd is small");
        Timestamp::from_millis(now.as_millis() - self.millis_apart * number)
    }

    /// The crowd's requests: events in random order and batches, a fifth of those with an id twice, and so a fifth of
    /// the batches with an id.
    pub fn batches(&self, dice: &Dice) -> Vec<Batch> {
        let twice = self.said.iter().filter(|said| said.named && dice.once_in(5));
        let mut events: Vec<usize> = self.said.iter().chain(twice).map(|said| said.number).collect();
        dice.shuffle(&mut events);
        let mut batches = Vec::new();
        while !events.is_empty() {
            let events = events.split_off(events.len().saturating_sub(1 + dice.below(200)));
            let id = (!dice.once_in(4)).then_some(batches.len());
            let batch = Batch { id, events };
            if id.is_some() && dice.once_in(5) {
                batches.push(batch.clone());
            }
            batches.push(batch);
        }
        dice.shuffle(&mut batches);
        batches
    }

    /// A batch as it is sent.
    pub fn body(&self, road: &Road, signer: &Signer, batch: &Batch) -> Value {
        let events = batch.events.iter().map(|number| self.event(road, signer, &self.said[*number]));
        let mut body = json!({ "events": events.collect::<Vec<_>>() });
        if let Some(id) = batch.id {
            body["batch_id"] = format!("batch {id}").into();
        }
        body
    }

    fn event(&self, road: &Road, signer: &Signer, said: &Said) -> Value {
        let mut event = Map::new();
        let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
        if let Some(spot) = said.spot {
            set("resolution_token", signer.sign(&road.resolution(said.version, spot)).into());
        } else {
            set("version_id", json!(road.versions[said.version].version_id));
            set("environment", said.environment.into());
        }
        if said.named {
            set("event_id", format!("event {}", said.number).into());
        }
        set("timestamp", json!(self.at(said, road.world.registry().sources.now())));
        for (measure, value) in &said.values {
            set(&name(*measure), shown(*measure, *value));
        }
        let tokens = said.tokens.into_iter().flatten();
        for (name, tokens) in ["input_tokens", "output_tokens"].into_iter().zip(tokens) {
            set(name, tokens.into());
        }
        Value::Object(event)
    }
}

impl Batch {
    /// How many events it has.
    pub fn size(&self) -> usize {
        self.events.len()
    }
}

/// The place of a resolve: a unit is on one arm under one allocation version, and resolves some twenty times.
fn spot(resolve: usize, resolves: usize) -> Spot {
    let unit = resolve % (1 + resolves / 18);
    let [nonce, unit] = [resolve, unit].map(|number| u64::try_from(number).expect("at most 64 bits"));
    let arm = ARMS[usize::from(unit.is_multiple_of(2))];
    Spot { allocation_version: 1 + unit / 2 % 2, arm, unit, nonce }
}

/// A measure as the API names it.
fn name(measure: Measure) -> String {
    let name = serde_json::to_value(measure).ok();
    name.as_ref().and_then(Value::as_str).expect("a measure is a text").to_owned()
}

fn drawn(measure: Measure, number: i64) -> i64 {
    match measure {
        Measure::UserRating => 1 + number,
        Measure::CostUsd => 1000 * number,
        _ => number,
    }
}

fn shown(measure: Measure, value: i64) -> Value {
    match measure {
        Measure::Success | Measure::Error | Measure::Refusal => json!(value == 1),
        Measure::Quality | Measure::EvalScore | Measure::CostUsd => json!(real(measure, value)),
        _ => json!(value),
    }
}

/// A value in its measure's own unit.
#[expect(clippy::cast_precision_loss, reason = "they are small")]
pub(super) fn real(measure: Measure, value: i64) -> f64 {
    match measure {
        Measure::Quality | Measure::EvalScore => value as f64 / 100.0,
        Measure::CostUsd => value as f64 / 1e9,
        _ => value as f64,
    }
}
