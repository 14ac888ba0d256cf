//! Each resolve is counted once, where it belongs.

use super::*;
use crate::{
    Prompt,
    metric::fixture::{HOUR, NOW, at},
    reference::Mover,
};

fn reference(team: &str, environment: &str) -> Ref {
    let now = Timestamp::from_millis(NOW);
    let prompt =
        Prompt::new(PromptId::from_bytes([1; 16]), "a".parse().unwrap(), team.parse().unwrap(), "me", now);
    Ref::empty(&prompt, environment.parse().unwrap(), Mover { by: "me", at: now })
}

fn version(number: u8) -> VersionId {
    VersionId::from_bytes([number; 16])
}

/// Version, environment, hour and count of each delta of a message.
fn said(message: &Message) -> Vec<(VersionId, &str, Hour, i64)> {
    let deltas = message.entries.iter().flat_map(|entry| &entry.deltas);
    let said = deltas.map(|delta| {
        let counted: Vec<_> = delta.tally.counts.iter().collect();
        let [(Count::Resolves, resolves)] = counted[..] else { panic!("only resolves: {delta:?}") };
        (delta.version_id, delta.environment.as_str(), delta.hour, resolves)
    });
    said.collect()
}

#[test]
fn resolves_are_told_apart_by_version_environment_hour_and_team() {
    let (live, staged) = (reference("a", "production"), reference("a", "staging"));
    let [now, later] = [NOW, NOW + HOUR].map(Timestamp::from_millis);
    let mut resolves = Resolves::default();
    for _ in 0..3 {
        resolves.count(&live, version(1), now);
        resolves.count(&live, version(1), later);
    }
    resolves.count(&live, version(2), now);
    resolves.count(&staged, version(1), now);
    resolves.count(&reference("b", "production"), version(3), now);
    assert_eq!(resolves.counters(), 5);
    let messages = resolves.take(&at(NOW));
    let [hour, next] = [now, later].map(Hour::of);
    let teams: Vec<_> = messages.iter().map(|message| message.team_id.as_str()).collect();
    assert_eq!(teams, ["a", "b"]);
    let expected = [
        (version(1), "production", hour, 3),
        (version(1), "production", next, 3),
        (version(1), "staging", hour, 1),
        (version(2), "production", hour, 1),
    ];
    assert_eq!(said(&messages[0]), expected);
    assert_eq!(said(&messages[1]), [(version(3), "production", hour, 1)]);
}

#[test]
fn what_was_taken_is_not_taken_again_and_each_message_is_one_entry_under_its_own_id() {
    let mut resolves = Resolves::default();
    for number in 0..90 {
        resolves.count(&reference("a", "production"), version(number), Timestamp::from_millis(NOW));
    }
    let messages = resolves.take(&at(NOW));
    let sizes: Vec<_> = messages.iter().map(|message| said(message).len()).collect();
    assert_eq!(sizes, [40, 40, 10]);
    for message in messages {
        assert_eq!(message.entries.len(), 1);
        assert_eq!(message.entries[0].marks, [format!("{}.0", message.id)]);
    }
    assert_eq!((resolves.counters(), resolves.take(&at(NOW))), (0, Vec::new()));
}
