//! Checkpoints that are sound, and exports beside them that are not.

use super::*;
use crate::{
    AuditId,
    audit::{Action, Fact, export::Line},
    key::Caller,
};

fn at(hour: i64) -> Timestamp {
    Timestamp::from_millis(1_795_158_000_000 + hour * 3_600_000)
}

/// An export of a chain with so many entries, and its end after each.
fn chain(name: &str, entries: u64, reason: &str) -> (String, Vec<Head>) {
    let (mut head, mut heads, mut lines) = (ChainHead::default(), Vec::new(), Vec::new());
    for number in 0..entries {
        let mut fact = Fact::new(&Caller::system("test").actor, Action::Promoted, number);
        fact.reason = Some(reason.to_owned());
        let (entry, next) = head.append(name.to_owned(), fact, at(0), AuditId::new(at(0), [7; 10])).unwrap();
        heads.push(Head::new(name.to_owned(), &next));
        lines.push(serde_json::to_string(&Line::Entry(Box::new(entry))).unwrap());
        head = next;
    }
    lines.insert(0, serde_json::to_string(&Line::Head(Head::new(name.to_owned(), &head))).unwrap());
    (lines.join("\n"), heads)
}

/// Checkpoints, one each day, with these heads.
fn kept(days: Vec<Vec<Head>>) -> Vec<Checkpoint> {
    let mut last = ChainHead::default();
    let checkpoints = days.into_iter().zip(0..).map(|(heads, day)| {
        let (checkpoint, head) = Checkpoint::after(&last, heads, at(24 * day)).unwrap();
        last = head;
        checkpoint
    });
    checkpoints.collect()
}

fn said(export: &str, checkpoints: &[Checkpoint], partial: bool) -> String {
    match verify(export, checkpoints.to_vec(), partial) {
        Ok(Verified { chains, entries, .. }) => format!("{chains} chains, {entries} entries"),
        Err(disproved) => disproved.to_string(),
    }
}

#[test]
fn an_export_reaches_its_checkpoints_and_goes_on() {
    let (export, heads) = chain("prm_a", 5, "as it was");
    let checkpoints = kept(vec![vec![heads[1].clone()], vec![heads[3].clone()], vec![heads[3].clone()]]);
    assert_eq!(said(&export, &checkpoints, false), "1 chains, 5 entries");
    let backwards: Vec<_> = checkpoints.iter().rev().cloned().collect();
    assert_eq!(said(&export, &backwards, false), "1 chains, 5 entries");
    assert_eq!(
        said(&export, &checkpoints[1..], false),
        "1 chains, 5 entries",
        "the oldest need not be there"
    );
}

#[test]
fn a_tail_that_is_cut_with_its_head_is_found_by_a_checkpoint_alone() {
    let (whole, heads) = chain("prm_a", 5, "as it was");
    let (cut, _) = chain("prm_a", 3, "as it was");
    let checkpoints = kept(vec![vec![heads[3].clone()], vec![heads[4].clone()]]);
    assert_eq!(said(&cut, &[], false), "1 chains, 3 entries");
    assert_eq!(
        said(&cut, &checkpoints, true),
        "This export is not what was kept: the chain prm_a ends before entry 5, which it had at the checkpoint of \
         2026-11-21T07:00:00.000Z"
    );
    let (rewritten, _) = chain("prm_a", 5, "as it never was");
    assert!(whole != rewritten && said(&rewritten, &[], false) == "1 chains, 5 entries");
    assert_eq!(
        said(&rewritten, &checkpoints[1..], false),
        "This export is not sound: line 6: entry 5 is another one than at the checkpoint of 2026-11-21T07:00:00.000Z"
    );
}

#[test]
fn a_chain_that_is_missing_is_found_unless_the_export_is_a_part() {
    let ((export, ours), (_, theirs)) = (chain("prm_a", 2, "r"), chain("prm_b", 3, "r"));
    let checkpoints = kept(vec![vec![ours[1].clone(), theirs[2].clone()]]);
    assert_eq!(said(&export, &checkpoints, true), "1 chains, 2 entries");
    assert_eq!(
        said(&export, &checkpoints, false),
        "This export is not what was kept: the chain prm_b is missing, which had 3 entries at the checkpoint of \
         2026-11-20T07:00:00.000Z"
    );
}

#[test]
fn a_checkpoint_that_is_altered_missing_or_another_one_is_found() {
    let (export, heads) = chain("prm_a", 4, "r");
    let checkpoints = kept(heads.iter().map(|head| vec![head.clone()]).collect());
    let unsound = |checkpoints: &[Checkpoint]| said(&export, checkpoints, false);
    let without = [&checkpoints[..1], &checkpoints[2..]].concat();
    assert_eq!(unsound(&without), "These checkpoints are not sound: checkpoint 2 is missing");
    let mut altered = checkpoints.clone();
    altered[1].heads.clear();
    assert_eq!(unsound(&altered), "These checkpoints are not sound: checkpoint 2 was altered");
    let mut other = checkpoints.clone();
    let before = ChainHead { sequence: 1, ..ChainHead::default() };
    other[1] = Checkpoint::after(&before, vec![heads[1].clone()], at(24)).unwrap().0;
    assert_eq!(unsound(&other), "These checkpoints are not sound: checkpoint 2 does not follow 1");
    let twice = [&checkpoints[..], &checkpoints[..1]].concat();
    assert_eq!(unsound(&twice), "These checkpoints are not sound: checkpoint 1 does not follow 1");
}

#[test]
fn a_day_ends_at_midnight_and_no_clock_that_goes_back_begins_another() {
    let midnight = at(17);
    let before = midnight.minus(std::time::Duration::from_millis(1));
    assert!(is_another_day(before, midnight));
    assert!(
        !is_another_day(midnight, before)
            && !is_another_day(midnight, at(40))
            && is_another_day(at(0), at(40))
    );
}
