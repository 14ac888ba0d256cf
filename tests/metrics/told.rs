//! Batches of events as a crowd would send them, and what the table then holds.

use std::collections::BTreeMap;

use domain::{
    PromptId, Sources, TeamId, Timestamp, VersionId,
    metric::{Batch, Event, Hour, Message, Placement, Subject, Tally, Values, fold},
    name::production,
};
use store::{Store, metric::TrialCounters};

pub(crate) const TRIAL: &str = "exp_01JD0000000000000000000000";

const VERSIONS: u8 = 5;

pub(crate) fn team() -> TeamId {
    "support".parse().unwrap()
}

/// The event of a number: the same one each time it is asked for.
fn event(number: usize, index: usize, now: Timestamp) -> Event {
    let small = u8::try_from(number % 250).unwrap();
    // Each resolve is heard of four times: its values are corrected, in other hours.
    let resolve = number / 12;
    let placed = number.is_multiple_of(3);
    let version = if placed { u8::try_from(resolve % 5).unwrap() } else { small % VERSIONS };
    let arm = if version % 2 == 0 { "A" } else { "B" };
    let nonce = u64::try_from(resolve).unwrap();
    let placement = placed.then(|| Placement {
        trial: TRIAL.parse().unwrap(),
        iteration: 1,
        allocation_version: 1,
        arm: arm.to_owned(),
        unit64: nonce % 10,
        nonce,
        issued_at: now,
    });
    let subject = Subject {
        prompt_id: PromptId::from_bytes([version; 16]),
        version_id: VersionId::from_bytes([version; 16]),
        environment: production(),
        placement,
    };
    let values = Values {
        latency_ms: Some(f64::from(small) * 3.7),
        user_rating: Some(1 + small % 5),
        error: Some(small.is_multiple_of(7)),
        input_tokens: Some(i64::from(small)),
        at: Some(Timestamp::from_millis(now.as_millis() - i64::try_from(number % 4).unwrap() * 3_600_000)),
        ..Values::default()
    };
    Event { index, event_id: Some(format!("e{number}")), subject, values }
}

/// Messages of so many batches of 20 events, a third of which go through a trial; every other batch has event
/// ids.
pub(crate) fn messages(batches: usize, sources: &Sources) -> Vec<Message> {
    let now = Timestamp::from_millis(1_795_158_000_000);
    let of = |batch: usize| {
        let events = (0..20).map(|index| {
            let event = event(batch * 20 + index, index, now);
            Event { event_id: event.event_id.filter(|_| batch.is_multiple_of(2)), ..event }
        });
        let events = events.collect();
        fold(&Batch { team_id: team(), batch_id: Some(format!("b{batch}")), events }, sources)
    };
    (0..batches).flat_map(of).collect()
}

/// Everything that counts.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) hours: Vec<BTreeMap<Hour, Tally>>,
    pub(crate) trial: TrialCounters,
    pub(crate) days: Vec<store::metric::PromptDay>,
}

pub(crate) async fn held(store: &Store) -> Held {
    let (from, to) = ("2026-11-19T00".parse().unwrap(), "2026-11-20T23".parse().unwrap());
    let mut hours = Vec::new();
    for version in 0..VERSIONS {
        let version = VersionId::from_bytes([version; 16]);
        hours.push(store.hours(version, &production(), from, to).await.unwrap());
    }
    let trial = store.trial_counters(TRIAL.parse().unwrap()).await.unwrap();
    Held { hours, trial, days: store.team_days(&team(), from, to).await.unwrap() }
}
