//! The export of audit chains as JSON lines, and its verification with nothing else at hand.
//!
//! First a `head` line for each chain, written before its entries were read, then `entry` lines. A head says how many
//! entries there must be and where they end, so that a cut tail is found like a changed field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuditEntry, ChainHead, GENESIS, hash_of};

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// The end that a chain must reach.
    Head(Head),
    /// A link.
    Entry(Box<AuditEntry>),
}

/// The end that a chain must reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The chain.
    pub chain: String,
    /// How many entries it has.
    pub sequence: u64,
    /// The hash of the last one.
    pub hash: String,
}

impl Head {
    /// The line for a chain.
    pub fn new(chain: String, head: &ChainHead) -> Self {
        Self { chain, sequence: head.sequence, hash: head.hash.clone() }
    }
}

/// What a sound export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Chains.
    pub chains: usize,
    /// Entries.
    pub entries: u64,
}

/// Where an export is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unsound {
    /// The line, from 1; one past the end when something is missing.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

struct Chain {
    must_reach: Head,
    sequence: u64,
    hash: String,
}

/// Verifies an export: every entry hashes to its hash, follows the one before, and every chain reaches its head.
pub fn verify(export: &str) -> Result<Verified, Unsound> {
    let mut chains: BTreeMap<String, Chain> = BTreeMap::new();
    let mut entries = 0;
    let mut last = 0;
    for (at, text) in export.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        last = at + 1;
        let unsound = |what: String| Unsound { line: at + 1, what };
        match read(text).map_err(unsound)? {
            (Line::Head(head), _) => {
                let start = Chain { must_reach: head.clone(), sequence: 0, hash: GENESIS.to_owned() };
                if chains.insert(head.chain.clone(), start).is_some() {
                    return Err(unsound(format!("the chain {} has two heads", head.chain)));
                }
            }
            (Line::Entry(entry), raw) => {
                let chain = chains
                    .get_mut(&entry.chain)
                    .ok_or_else(|| unsound(format!("the chain {} has no head", entry.chain)))?;
                link(chain, &entry, raw).map_err(unsound)?;
                entries += 1;
            }
        }
    }
    for (name, chain) in &chains {
        if chain.sequence != chain.must_reach.sequence || chain.hash != chain.must_reach.hash {
            let what = format!(
                "the chain {name} ends at entry {}, its head says {}",
                chain.sequence, chain.must_reach.sequence
            );
            return Err(Unsound { line: last + 1, what });
        }
    }
    if chains.is_empty() {
        return Err(Unsound {
            line: 1,
            what: "there is no head: this is no export, or its start is cut".to_owned(),
        });
    }
    Ok(Verified { chains: chains.len(), entries })
}

/// A line as we know it, and as it stands: the hash covers also what we do not know.
fn read(text: &str) -> Result<(Line, Value), String> {
    let mut raw: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let line = Line::deserialize(&raw).map_err(|error| format!("no line of an export: {error}"))?;
    if let Some(members) = raw.as_object_mut() {
        members.remove("type");
    }
    Ok((line, raw))
}

fn link(chain: &mut Chain, entry: &AuditEntry, raw: Value) -> Result<(), String> {
    if entry.sequence != chain.sequence + 1 || entry.prev_hash != chain.hash {
        return Err(format!("entry {} does not follow entry {}", entry.sequence, chain.sequence));
    }
    let hash = hash_of(raw).map_err(|error| error.chain())?;
    if hash != entry.hash {
        return Err(format!(
            "entry {} was altered: it hashes to {hash}, not to {}",
            entry.sequence, entry.hash
        ));
    }
    chain.sequence = entry.sequence;
    chain.hash = hash;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        AuditId, Timestamp,
        audit::{Action, Fact},
        key::Caller,
    };

    fn export(entries: u64) -> Vec<String> {
        let mut head = ChainHead::default();
        let mut lines = Vec::new();
        for number in 0..entries {
            let mut fact =
                Fact::new(&Caller::system("test").actor, Action::Promoted, format!("ver_{number}"));
            fact.after = json!({"revision": number, "rate": 0.1 + 0.2, "text": "ключ"});
            let now = Timestamp::from_millis(1_795_158_000_000);
            let (entry, next) = head.append("prm_x".into(), fact, now, AuditId::new(now, [9; 10])).unwrap();
            lines.push(serde_json::to_string(&Line::Entry(Box::new(entry))).unwrap());
            head = next;
        }
        lines.insert(0, serde_json::to_string(&Line::Head(Head::new("prm_x".into(), &head))).unwrap());
        lines
    }

    #[test]
    fn a_whole_export_verifies_and_a_cut_or_reordered_one_does_not() {
        let lines = export(5);
        assert_eq!(verify(&lines.join("\n")), Ok(Verified { chains: 1, entries: 5 }));
        assert!(verify(&lines[..5].join("\n")).is_err(), "a cut tail");
        assert!(verify(&lines[1..].join("\n")).is_err(), "a cut head");
        assert!(verify("").is_err());
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        assert!(verify(&swapped.join("\n")).is_err());
        let doubled = [&lines[..], &lines[5..]].concat();
        assert!(verify(&doubled.join("\n")).is_err());
    }

    /// Every leaf below a value, as pointers.
    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                members.iter().for_each(|(name, member)| leaves(member, &format!("{path}/{name}"), found));
            }
            _ => found.push(path.to_owned()),
        }
    }

    proptest! {
        #[test]
        fn any_changed_field_of_any_line_is_found(at in 0_usize..5, pick: prop::sample::Index) {
            let mut lines = export(4);
            let mut line: Value = serde_json::from_str(&lines[at]).unwrap();
            let mut pointers = Vec::new();
            leaves(&line, "", &mut pointers);
            let field = line.pointer_mut(pick.get::<String>(&pointers)).unwrap();
            *field = match &*field {
                Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
                Value::String(text) => json!(format!("{text}x")),
                _ => json!("was not here"),
            };
            lines[at] = line.to_string();
            prop_assert!(verify(&lines.join("\n")).is_err());
        }
    }
}
