//! The audit of many operations, verified from an export alone.

use domain::audit::export::{Unsound, verify};
use e2e::{Call, Dice, World, any_seed};
use serde_json::{Value, json};

use crate::{
    invariants,
    random::{Play, announced},
};

const OPERATIONS: usize = 1000;

#[tokio::test]
async fn the_audit_of_1000_random_operations_by_three_roles_verifies_from_an_export_and_nothing_else_does() {
    let world = World::start().await;
    let seed = any_seed();
    let mut play = Play::begin(&world, seed).await;
    for number in 0..OPERATIONS {
        play.step(number).await;
    }
    println!("answers by status: {:?}", play.statuses);
    let succeeded: usize = play.statuses.range(..300).map(|(_, count)| count).sum();
    assert!(succeeded > OPERATIONS / 4 && succeeded < OPERATIONS * 3 / 4, "both happen often");
    let export = world.admin(Call::get("/api/audit/export")).await;
    assert_eq!(export.header("content-type"), "application/jsonl");
    let export = export.text();
    assert_eq!(announced(&export), play.entries, "each change wrote one entry, and nothing else did");
    let verified = verify(&export).unwrap();
    assert_eq!(verified.chains, play.entries.len());
    assert_eq!(verified.entries, play.entries.values().sum::<u64>());
    invariants::check(&world).await;
    let lines: Vec<&str> = export.lines().collect();
    every_altered_field_is_found(&lines, &Dice::new(seed));
    every_cut_is_found(&lines, verified.chains);
}

fn read(lines: &[&str]) -> Result<(), Unsound> {
    verify(&lines.join("\n")).map(|_| ())
}

fn every_altered_field_is_found(lines: &[&str], dice: &Dice) {
    let at = dice.below(lines.len());
    let line: Value = serde_json::from_str(lines[at]).unwrap();
    let mut pointers = Vec::new();
    leaves(&line, "", &mut pointers);
    for pointer in pointers {
        let mut altered = line.clone();
        let field = altered.pointer_mut(&pointer).unwrap();
        *field = other(field);
        let altered = altered.to_string();
        let mut lines = lines.to_vec();
        lines[at] = &altered;
        assert!(read(&lines).is_err(), "{pointer} of {line}");
    }
    for name in line.as_object().unwrap().keys() {
        let mut shorter = line.clone();
        shorter.as_object_mut().unwrap().remove(name);
        let shorter = shorter.to_string();
        let mut lines = lines.to_vec();
        lines[at] = &shorter;
        assert!(read(&lines).is_err(), "{line} without {name}");
    }
}

/// Every value below a value that holds no others, as pointers.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| leaves(member, &format!("{path}/{name}"), found));
        }
        Value::Array(members) if !members.is_empty() => {
            let members = members.iter().enumerate();
            members.for_each(|(at, member)| leaves(member, &format!("{path}/{at}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

/// Another value that could stand in its place.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::String(text) => json!(text.chars().rev().chain(['x']).collect::<String>()),
        _ => json!("something"),
    }
}

fn every_cut_is_found(lines: &[&str], chains: usize) {
    let kinds = |kind: &str| lines.iter().filter(|line| line.contains(kind)).count();
    assert_eq!((kinds(r#""type":"head""#), kinds(r#""type":"entry""#)), (chains, lines.len() - chains));
    let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let begin = lines.iter().rposition(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["type"] == "entry" && line["chain"] != last["chain"]
    });
    assert!(read(&lines[..=begin.unwrap()]).is_err(), "the last chain");
    assert!(read(&lines[..lines.len() - 1]).is_err(), "the last line");
    assert!(read(&lines[..chains]).is_err(), "all but the heads");
    for at in [0, chains - 1, chains, lines.len() / 2] {
        let without: Vec<&str> = lines[..at].iter().chain(&lines[at + 1..]).copied().collect();
        assert!(read(&without).is_err(), "line {} is gone", at + 1);
    }
}
