//! A batch of events becomes messages: events that have nothing to tell them apart are added up.
//!
//! An entry is added whole or not at all, so it must fit into one transaction of the table: hence the limits
//! here. What a batch is cut into depends on its events alone and not on the time, so a batch that is sent
//! again has the same parts under the same marks.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::{Delta, Entry, Event, Hour, Mark, Message, Observation, Reading, Tally, tally::Count};
use crate::{Environment, MessageId, Sources, TeamId, Timestamp, VersionId};

/// The most deltas of a message, and so of an entry.
pub const MAX_DELTAS: usize = 40;

/// The most days that an entry adds to: a team has a few summaries for each.
pub const MAX_DAYS: usize = 4;

/// Events of one team that came together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The team.
    pub team_id: TeamId,
    /// The caller's id of it: the same id counts once in a team.
    pub batch_id: Option<String>,
    /// Those that count, as they came.
    pub events: Vec<Event>,
}

/// Folds a batch. No events, no messages.
pub fn fold(batch: &Batch, sources: &Sources) -> Vec<Message> {
    let now = sources.now();
    let (single, many): (Vec<&Event>, Vec<&Event>) =
        batch.events.iter().partition(|event| event.event_id.is_some() || event.subject.placement.is_some());
    let parts = parts(&many).into_iter().enumerate().map(|(number, events)| Entry {
        marks: batch.mark(&format!("part {number}")).into_iter().collect(),
        deltas: deltas(&events, now),
        observations: Vec::new(),
    });
    let singles = single.into_iter().map(|event| batch.single(event, now));
    messages(parts.chain(singles), &batch.team_id, sources)
}

impl Batch {
    /// An entry of one event: one that can be told from others, or that a trial has to tell from others.
    fn single(&self, event: &Event, now: Timestamp) -> Entry {
        let of_event = event.event_id.as_ref().map(|id| self.hashed(&["event", id]));
        let marks = of_event.into_iter().chain(self.mark(&format!("event {}", event.index))).collect();
        let at = event.values.at.unwrap_or(now);
        let Some(placement) = &event.subject.placement else {
            return Entry { marks, deltas: deltas(&[event], now), observations: Vec::new() };
        };
        let readings = event.values.measured().into_iter().map(|(measure, value)| Reading { measure, value });
        let observation = Observation {
            prompt_id: event.subject.prompt_id,
            version_id: event.subject.version_id,
            environment: event.subject.environment.clone(),
            placement: placement.clone(),
            at,
            readings: readings.collect(),
        };
        let delta = Delta::of(&event.subject, Hour::of(at), uses(event));
        Entry { marks, deltas: vec![delta], observations: vec![observation] }
    }

    fn mark(&self, what: &str) -> Option<Mark> {
        self.batch_id.as_ref().map(|id| self.hashed(&["batch", id, what]))
    }

    /// Callers choose their ids freely, so they are hashed; 128 bits never meet by chance.
    fn hashed(&self, parts: &[&str]) -> Mark {
        let mut digest = Sha256::new_with_prefix(self.team_id.as_str());
        for part in parts {
            digest.update([0x1f]);
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        hex::encode(&digest.finalize()[..16])
    }
}

/// Cuts events into parts of which each makes an entry. An event without a time counts as of a day of its
/// own, whichever it will be: so the cuts stay where they are when the batch comes again tomorrow.
fn parts<'a>(events: &[&'a Event]) -> Vec<Vec<&'a Event>> {
    let (mut parts, mut keys, mut days) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for event in events {
        let hour = event.values.at.map(Hour::of);
        let key = (event.subject.version_id, &event.subject.environment, hour);
        let day = hour.map(Hour::midnight);
        let full = (keys.len() == MAX_DELTAS && !keys.contains(&key))
            || (days.len() == MAX_DAYS && !days.contains(&day));
        if full || parts.is_empty() {
            (keys, days) = (BTreeSet::new(), BTreeSet::new());
            parts.push(Vec::new());
        }
        keys.insert(key);
        days.insert(day);
        parts.last_mut().into_iter().for_each(|part| part.push(*event));
    }
    parts
}

/// What events add up to, in the order of versions, environments and hours.
fn deltas(events: &[&Event], now: Timestamp) -> Vec<Delta> {
    let mut deltas: BTreeMap<(VersionId, &Environment, Hour), Delta> = BTreeMap::new();
    for event in events {
        let (subject, hour) = (&event.subject, Hour::of(event.values.at.unwrap_or(now)));
        let delta = deltas
            .entry((subject.version_id, &subject.environment, hour))
            .or_insert_with(|| Delta::of(subject, hour, Tally::default()));
        delta.tally.merge(&uses(event));
        for (measure, value) in event.values.measured() {
            delta.tally.merge(&Tally::of(measure, value));
        }
    }
    deltas.into_values().collect()
}

/// What an event adds whatever was said of its call before.
fn uses(event: &Event) -> Tally {
    let counts = [
        (Count::Calls, i64::from(event.values.is_call())),
        (Count::InputTokens, event.values.input_tokens.unwrap_or_default()),
        (Count::OutputTokens, event.values.output_tokens.unwrap_or_default()),
    ];
    Tally { counts: counts.into_iter().collect(), ..Tally::default() }
}

/// Puts entries into messages. One without a mark takes the message's id for it.
pub(super) fn messages(
    entries: impl Iterator<Item = Entry>,
    team_id: &TeamId,
    sources: &Sources,
) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut room = 0;
    for mut entry in entries {
        if messages.is_empty() || entry.deltas.len() > room {
            let id: MessageId = sources.id();
            messages.push(Message { id, team_id: team_id.clone(), entries: Vec::new(), trace_id: None });
            room = MAX_DELTAS;
        }
        room -= entry.deltas.len();
        let Some(message) = messages.last_mut() else { continue };
        if entry.marks.is_empty() {
            entry.marks.push(format!("{}.{}", message.id, message.entries.len()));
        }
        message.entries.push(entry);
    }
    messages
}

#[cfg(test)]
mod tests;
