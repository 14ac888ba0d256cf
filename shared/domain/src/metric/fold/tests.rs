//! Any split and order gives the same integers, and the same batch the same marks.

use proptest::prelude::*;

use super::*;
use crate::{
    PromptId,
    metric::{
        Placement, Subject, Values,
        fixture::{HOUR, NOW, at},
    },
};

fn subject(version: u8) -> Subject {
    Subject {
        prompt_id: PromptId::from_bytes([version / 2; 16]),
        version_id: VersionId::from_bytes([version; 16]),
        environment: crate::name::production(),
        placement: None,
    }
}

fn event(index: usize, version: u8, values: Values) -> Event {
    Event { index, event_id: None, subject: subject(version), values }
}

fn all(told: Vec<(u8, Values)>) -> Vec<Event> {
    told.into_iter().enumerate().map(|(index, (version, values))| event(index, version, values)).collect()
}

fn batch(events: Vec<Event>) -> Batch {
    Batch { team_id: "support".parse().unwrap(), batch_id: Some("b".to_owned()), events }
}

fn placement() -> Placement {
    Placement {
        trial: "exp_01JD0000000000000000000000".parse().unwrap(),
        iteration: 1,
        allocation_version: 3,
        arm: "B".to_owned(),
        unit64: 1,
        nonce: 2,
        issued_at: Timestamp::from_millis(NOW),
    }
}

/// All that the messages add, by version and hour.
fn sums(messages: &[Message]) -> BTreeMap<(VersionId, Hour), Tally> {
    let mut sums: BTreeMap<(VersionId, Hour), Tally> = BTreeMap::new();
    for delta in messages.iter().flat_map(|message| &message.entries).flat_map(|entry| &entry.deltas) {
        sums.entry((delta.version_id, delta.hour)).or_default().merge(&delta.tally);
    }
    sums
}

fn marks(messages: &[Message]) -> Vec<Mark> {
    messages.iter().flat_map(|message| &message.entries).flat_map(|entry| entry.marks.clone()).collect()
}

fn any_values() -> impl Strategy<Value = Values> {
    let cost = (0..10_000_000_u64).prop_map(crate::money::Usd::from_nanos);
    let shares = (proptest::option::of(0.0..=1.0_f64), proptest::option::of(0.0..=1.0_f64));
    let truths: (_, _, _) = (any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>());
    (
        proptest::option::of(0.0..1e6_f64),
        proptest::option::of(cost),
        proptest::option::of(0..100_000_i64),
        proptest::option::of(1..=5_u8),
        shares,
        truths,
        proptest::option::of(0..6_i64),
    )
        .prop_map(|(latency_ms, cost, input_tokens, user_rating, shares, truths, back)| Values {
            latency_ms,
            cost,
            input_tokens,
            user_rating,
            quality: shares.0,
            eval_score: shares.1,
            success: truths.0,
            error: truths.1,
            refusal: truths.2,
            at: back.map(|hours| Timestamp::from_millis(NOW - hours * 20 * HOUR)),
            ..Values::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_and_order_gives_equal_integers(
        told in proptest::collection::vec((0..60_u8, any_values()), 1..120),
        cut in 0..120_usize,
        turn in 0..120_usize,
    ) {
        let events = all(told);
        let whole = fold(&batch(events.clone()), &at(NOW));
        let mut turned = events;
        let (turn, cut) = (turn % turned.len(), cut % turned.len());
        turned.rotate_left(turn);
        let rest = turned.split_off(cut);
        let mut divided = fold(&batch(turned), &at(NOW));
        divided.extend(fold(&batch(rest), &at(NOW)));
        prop_assert_eq!(sums(&whole), sums(&divided));
    }

    #[test]
    fn every_entry_fits_into_a_transaction_and_every_message_has_40_deltas_at_most(
        told in proptest::collection::vec((0..90_u8, any_values()), 1..200),
    ) {
        for message in fold(&batch(all(told)), &at(NOW)) {
            prop_assert!(message.entries.iter().map(|entry| entry.deltas.len()).sum::<usize>() <= MAX_DELTAS);
            for entry in message.entries {
                let days: BTreeSet<_> = entry.deltas.iter().map(|delta| delta.hour.midnight()).collect();
                prop_assert!(days.len() <= MAX_DAYS);
            }
        }
    }

    #[test]
    fn a_batch_sent_again_later_has_the_same_parts(
        told in proptest::collection::vec((0..90_u8, any_values()), 1..200),
        later in 0..100 * HOUR,
    ) {
        let batch = batch(all(told));
        prop_assert_eq!(marks(&fold(&batch, &at(NOW))), marks(&fold(&batch, &at(NOW + later))));
    }
}

#[test]
fn a_batch_without_ids_is_one_entry_under_the_message_s_id() {
    let batch = Batch {
        batch_id: None,
        ..batch(vec![event(0, 1, Values::default()), event(1, 2, Values::default())])
    };
    let messages = fold(&batch, &at(NOW));
    assert_eq!((messages.len(), messages[0].entries.len()), (1, 1));
    assert_eq!(marks(&messages), [format!("{}.0", messages[0].id)]);
    assert!(fold(&Batch { events: Vec::new(), ..batch }, &at(NOW)).is_empty());
}

#[test]
fn marks_are_a_team_s_own_and_tell_parts_and_kinds_apart() {
    let events: Vec<Event> =
        (0..90).map(|version| event(usize::from(version), version, Values::default())).collect();
    let messages = fold(&batch(events.clone()), &at(NOW));
    assert_eq!(messages.len(), 3);
    let theirs = fold(&Batch { team_id: "sales".parse().unwrap(), ..batch(events) }, &at(NOW));
    let all: BTreeSet<_> = marks(&messages).into_iter().chain(marks(&theirs)).collect();
    assert_eq!(all.len(), 6);
    // An id of an event is none of a batch, whatever it looks like.
    let named = |id: &str| Event { event_id: Some(id.to_owned()), ..event(0, 1, Values::default()) };
    let one = fold(&batch(vec![named("e"), named("e2")]), &at(NOW));
    assert_eq!(one[0].entries.len(), 2);
    assert_eq!(one[0].entries[0].marks.len(), 2);
    assert_eq!(
        one[0].entries[0].marks[1], one[0].entries[1].marks[1],
        "both say they are event 0 of the batch"
    );
    assert_ne!(one[0].entries[0].marks[0], one[0].entries[1].marks[0]);
}

#[test]
fn a_trial_s_event_is_an_entry_whose_values_stand_in_its_observation() {
    let values = Values { user_rating: Some(5), input_tokens: Some(9), ..Values::default() };
    let mut told = event(4, 1, values);
    told.subject.placement = Some(placement());
    let messages = fold(&batch(vec![told, event(5, 1, Values::default())]), &at(NOW));
    let entry = messages[0].entries.iter().find(|entry| !entry.observations.is_empty()).unwrap();
    let counted: Vec<_> = entry.deltas[0].tally.counts.iter().collect();
    assert_eq!(counted, [(Count::Calls, 1), (Count::InputTokens, 9)]);
    assert_eq!(entry.observations[0].readings.len(), 1);
    assert_eq!(entry.observations[0].placement, placement());
    let json = serde_json::to_string(&messages).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Message>>(&json).unwrap(), messages);
}
