//! What a crowd of applications reports: events of all kinds, in any order, some of them twice.

use std::collections::BTreeMap;

use domain::measure::Measure;
use e2e::Dice;
use serde_json::{Map, Value, json};

use crate::road::{Road, Spot};

/// An event. Values are whole numbers: hundredths of scores, nano-dollars of costs, and 0 or 1 for no and yes.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) number: usize,
    pub(crate) version: usize,
    /// Where in the trial, for those with a token.
    pub(crate) spot: Option<Spot>,
    /// Whether it has an id.
    pub(crate) named: bool,
    pub(crate) values: BTreeMap<Measure, i64>,
    /// Tokens in and out.
    pub(crate) tokens: Option<[i64; 2]>,
}

/// Half a second apart, so that no two are at one time and all of them fill some hours.
pub(crate) const MILLIS_APART: i64 = 500;

pub(crate) const ARMS: [&str; 2] = ["A", "B"];

fn whole(dice: &Dice, bound: usize) -> i64 {
    i64::try_from(dice.below(bound)).unwrap()
}

/// Events of which a tenth go through a trial; each of its resolves is heard of about three times.
pub(crate) fn crowd(dice: &Dice, events: usize, versions: usize) -> Vec<Said> {
    let said = |number| {
        let in_trial = dice.once_in(10);
        let spot = in_trial.then(|| spot(whole(dice, events / 30)));
        let version = spot.map_or_else(|| dice.below(versions), |spot| usize::from(spot.arm == ARMS[1]));
        let mut values = BTreeMap::new();
        for (measure, bound) in [
            (Measure::LatencyMs, 5000),
            (Measure::CostUsd, 1000),
            (Measure::Success, 2),
            (Measure::Error, 2),
            (Measure::Refusal, 2),
            (Measure::UserRating, 5),
            (Measure::Quality, 101),
            (Measure::EvalScore, 101),
        ] {
            if dice.once_in(3) {
                let drawn = whole(dice, bound);
                let value = match measure {
                    Measure::UserRating => 1 + drawn,
                    Measure::CostUsd => 1000 * drawn,
                    _ => drawn,
                };
                values.insert(measure, value);
            }
        }
        let tokens = dice.once_in(2).then(|| [whole(dice, 2000), whole(dice, 500)]);
        Said { number, version, spot, named: dice.once_in(3), values, tokens }
    };
    (0..events).map(said).collect()
}

/// The place of a resolve: a unit is on one arm under one allocation version.
fn spot(resolve: i64) -> Spot {
    let nonce = u64::try_from(resolve).unwrap();
    let unit = nonce % 37;
    let arm = ARMS[usize::from(unit.is_multiple_of(2))];
    Spot { allocation_version: 1 + unit / 2 % 2, arm, unit, nonce }
}

/// The crowd's requests: events in random order and batches, a fifth of those with an id twice, and so a fifth of the
/// batches with an id.
pub(crate) async fn requests(road: &Road, dice: &Dice, crowd: &[Said]) -> Vec<Value> {
    let now = road.world.registry().sources.now();
    let signer = road.signer().await;
    let event = |said: &Said| {
        let mut event = Map::new();
        match said.spot {
            Some(spot) => event.insert(
                "resolution_token".to_owned(),
                signer.sign(&road.resolution(said.version, spot)).into(),
            ),
            None => event.insert("version_id".to_owned(), json!(road.versions[said.version].version_id)),
        };
        if said.named {
            event.insert("event_id".to_owned(), format!("event {}", said.number).into());
        }
        let ago = MILLIS_APART * i64::try_from(said.number).unwrap();
        let at = domain::Timestamp::from_millis(now.as_millis() - ago);
        event.insert("timestamp".to_owned(), json!(at));
        for (measure, value) in &said.values {
            event.insert(text(*measure), shown(*measure, *value));
        }
        for (name, tokens) in
            ["input_tokens", "output_tokens"].into_iter().zip(said.tokens.into_iter().flatten())
        {
            event.insert(name.to_owned(), tokens.into());
        }
        Value::Object(event)
    };
    let twice = crowd.iter().filter(|said| said.named && dice.once_in(5));
    let mut events: Vec<Value> = crowd.iter().chain(twice).map(event).collect();
    shuffle(dice, &mut events);
    let mut requests = Vec::new();
    while !events.is_empty() {
        let batch = events.split_off(events.len().saturating_sub(1 + dice.below(200)));
        let mut request = json!({ "events": batch });
        if !dice.once_in(4) {
            request["batch_id"] = format!("batch {}", requests.len()).into();
            if dice.once_in(5) {
                requests.push(request.clone());
            }
        }
        requests.push(request);
    }
    shuffle(dice, &mut requests);
    requests
}

pub(crate) fn shuffle<T>(dice: &Dice, all: &mut [T]) {
    for at in (1..all.len()).rev() {
        all.swap(at, dice.below(at + 1));
    }
}

/// A measure as the API names it.
fn text(measure: Measure) -> String {
    serde_json::to_value(measure).unwrap().as_str().unwrap().to_owned()
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
pub(crate) fn real(measure: Measure, value: i64) -> f64 {
    match measure {
        Measure::Quality | Measure::EvalScore => value as f64 / 100.0,
        Measure::CostUsd => value as f64 / 1e9,
        _ => value as f64,
    }
}
