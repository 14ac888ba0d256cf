//! What is remembered of entries, resolves and units, so that nothing is counted twice.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{
    Error, Result, Timestamp,
    metric::{Hour, Observation},
};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::{
    Store,
    keys::TelemetryKey,
    sent::Sent,
    table::{Item, attribute, failed, from_item, text},
};

/// The most items that one call reads.
const MOST_READ: usize = 100;

/// How often a call is made for the items that the table left out for want of throughput.
const READS: usize = 8;

/// Where an item is: its partition and sort key.
pub(super) type Place = (String, String);

pub(super) fn place(key: &TelemetryKey) -> Place {
    (key.pk(), key.sk())
}

/// What is remembered at a place. That there is something may be all that it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Counts the changes.
    pub(super) revision: u64,
    /// The value of a measure, or whether a unit met an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<f64>,
    /// When the event happened that gave the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
    /// The hour in whose counters it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hour: Option<Hour>,
}

/// What is remembered, by place. What is not there is not remembered.
pub(super) type Known = BTreeMap<Place, Kept>;

/// Where an observation is remembered.
pub(super) fn places(seen: &Observation) -> Vec<Place> {
    let at = &seen.placement;
    let own = [
        TelemetryKey::Exposure(at.trial, at.nonce),
        TelemetryKey::Unit(at.trial, at.iteration, at.unit64),
        TelemetryKey::UnitErred(at.trial, at.allocation_version, at.unit64),
    ];
    let readings = seen.readings.iter();
    let readings = readings.map(|reading| TelemetryKey::Feedback(at.trial, at.nonce, reading.measure));
    own.into_iter().chain(readings).map(|key| place(&key)).collect()
}

#[derive(Deserialize)]
struct KeptItem {
    pk: String,
    sk: String,
    #[serde(default)]
    revision: u64,
    value: Option<f64>,
    at: Option<Timestamp>,
    hour: Option<Hour>,
}

impl Store {
    /// Reads what is remembered of entries, strongly consistent.
    pub(super) async fn known(&self, tasks: &[Task<'_>]) -> Result<Known> {
        let marks = tasks.iter().flat_map(|task| &task.entry.marks);
        let marks = marks.map(|mark| place(&TelemetryKey::Mark(mark.clone())));
        let seen = tasks.iter().flat_map(|task| &task.entry.observations).flat_map(places);
        let places: Vec<Place> = marks.chain(seen).collect::<BTreeSet<_>>().into_iter().collect();
        let mut known = Known::new();
        for places in places.chunks(MOST_READ) {
            for item in self.items_at(places).await? {
                let KeptItem { pk, sk, revision, value, at, hour } = from_item(item)?;
                known.insert((pk, sk), Kept { revision, value, at, hour });
            }
        }
        Ok(known)
    }

    async fn items_at(&self, places: &[Place]) -> Result<Vec<Item>> {
        let table = &self.names.telemetry;
        let mut keys = KeysAndAttributes::builder().consistent_read(true);
        for (pk, sk) in places {
            let key = [(attribute::PK.to_owned(), text(pk)), (attribute::SK.to_owned(), text(sk))];
            keys = keys.keys(key.into_iter().collect());
        }
        let mut wanted = Some(keys.build().map_err(Error::internal)?);
        let mut found = Vec::new();
        for _ in 0..READS {
            let Some(keys) = wanted.take() else { return Ok(found) };
            let read = self.dynamodb().batch_get_item().request_items(table, keys);
            let answer = read.sent().await.map_err(failed)?;
            found.extend(answer.responses.and_then(|mut items| items.remove(table)).unwrap_or_default());
            wanted = answer.unprocessed_keys.and_then(|mut keys| keys.remove(table));
        }
        let left_out = "the table left items out of every read for want of throughput";
        if wanted.is_some() { Err(Error::unavailable("The telemetry table", left_out)) } else { Ok(found) }
    }
}
