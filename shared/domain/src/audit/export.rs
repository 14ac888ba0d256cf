//! The export of audit chains as JSON lines, and its verification with nothing else at hand.
//!
//! First a `head` line for each chain, written before its entries were read, then `entry` lines. A head says how many
//! entries there must be and where they end, so that a cut tail is found like a changed field. Where it says so, the
//! entry of each new version is followed by a `version` line with the content whose hash the entry names. An answer
//! that is not all of it ends with a `more` line; answers one after another are an export again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, AuditEntry, ChainHead, hash_of};

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// The end that a chain must reach.
    Head(Head),
    /// A link.
    Entry(Box<AuditEntry>),
    /// What the version says that the entry before is about.
    Version(Content),
    /// The export goes on in the answer to this cursor.
    More {
        /// What to ask with.
        cursor: String,
    },
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The chain of its prompt.
    pub chain: String,
    /// Its id, which is the entry's subject.
    pub version_id: String,
    /// All that its content hash covers.
    pub content: Value,
}

/// Where the rest of an export is found: the cursor, where it ends with one.
pub fn rest(export: &str) -> Option<String> {
    match serde_json::from_str(export.lines().last()?) {
        Ok(Line::More { cursor }) => Some(cursor),
        _ => None,
    }
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
    /// Whether the contents of its versions are there too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub versions: bool,
}

impl Head {
    /// The line for a chain.
    pub fn new(chain: String, head: &ChainHead) -> Self {
        Self { chain, sequence: head.sequence, hash: head.hash.clone(), versions: false }
    }
}

/// What a sound export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Chains.
    pub chains: usize,
    /// Entries.
    pub entries: u64,
    /// Contents of versions.
    pub versions: u64,
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
    head: ChainHead,
    /// The entry whose version's content has to come next.
    awaits: Option<Box<AuditEntry>>,
}

/// Verifies an export: every entry hashes to its hash, follows the one before, and every chain reaches its head; every
/// content hashes to what its entry names.
pub fn verify(export: &str) -> Result<Verified, Unsound> {
    verify_each(export, |_| (), |_| Ok(()))
}

/// The same, with a look at each head, and at each entry that follows the one before: what it complains of is unsound.
pub(super) fn verify_each(
    export: &str,
    mut begins: impl FnMut(&Head),
    mut goes_on: impl FnMut(&AuditEntry) -> Result<(), String>,
) -> Result<Verified, Unsound> {
    let mut chains: BTreeMap<String, Chain> = BTreeMap::new();
    let (mut verified, mut last, mut goes_on_elsewhere) = (Verified::default(), 0, false);
    for (at, text) in export.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        last = at + 1;
        let unsound = |what: String| Unsound { line: at + 1, what };
        let (line, raw) = read(text).map_err(unsound)?;
        goes_on_elsewhere = matches!(line, Line::More { .. });
        if let Line::Head(head) = &line {
            begins(head);
        }
        take(&mut chains, &mut verified, line, raw, &mut goes_on).map_err(unsound)?;
    }
    let whole = if goes_on_elsewhere {
        Err("it goes on, and the rest is missing".to_owned())
    } else {
        reached(&chains)
    };
    whole.map_err(|what| Unsound { line: last + 1, what })?;
    Ok(verified)
}

fn take(
    chains: &mut BTreeMap<String, Chain>,
    verified: &mut Verified,
    line: Line,
    raw: Value,
    goes_on: &mut impl FnMut(&AuditEntry) -> Result<(), String>,
) -> Result<(), String> {
    match line {
        Line::Head(head) => {
            begin(chains, head)?;
            verified.chains += 1;
        }
        Line::Entry(entry) => {
            let chain = of(chains, &entry.chain)?;
            link(chain, &entry, raw).and_then(|()| goes_on(&entry))?;
            let has_content = chain.must_reach.versions && entry.action == Action::VersionCreated;
            chain.awaits = has_content.then_some(entry);
            verified.entries += 1;
        }
        Line::Version(content) => {
            fulfil(of(chains, &content.chain)?, &content)?;
            verified.versions += 1;
        }
        Line::More { .. } => {}
    }
    Ok(())
}

fn begin(chains: &mut BTreeMap<String, Chain>, head: Head) -> Result<(), String> {
    let name = head.chain.clone();
    let start = Chain { must_reach: head, head: ChainHead::default(), awaits: None };
    match chains.insert(name.clone(), start) {
        Some(_) => Err(format!("the chain {name} has two heads")),
        None => Ok(()),
    }
}

fn of<'c>(chains: &'c mut BTreeMap<String, Chain>, name: &str) -> Result<&'c mut Chain, String> {
    chains.get_mut(name).ok_or_else(|| format!("the chain {name} has no head"))
}

/// Insists that a content is what the entry before it names.
fn fulfil(chain: &mut Chain, content: &Content) -> Result<(), String> {
    let version = &content.version_id;
    let entry = chain.awaits.take().filter(|entry| entry.subject == *version);
    let entry = entry.ok_or_else(|| format!("no entry before it is about {version}"))?;
    let hash = hash_of(content.content.clone()).map_err(|error| error.chain())?;
    if entry.after["content_sha256"] == *hash {
        return Ok(());
    }
    let named = &entry.after["content_sha256"];
    Err(format!(
        "the content of {version} was altered: it hashes to {hash}, and entry {} says {named}",
        entry.sequence
    ))
}

/// Insists that there are chains, and that each ends where its head says.
fn reached(chains: &BTreeMap<String, Chain>) -> Result<(), String> {
    if chains.is_empty() {
        return Err("there is no head: this is no export, or its start is cut".to_owned());
    }
    let short = |Chain { head, must_reach, .. }: &Chain| {
        head.sequence != must_reach.sequence || head.hash != must_reach.hash
    };
    if let Some(entry) = chains.values().find_map(|chain| chain.awaits.as_ref()) {
        return Err(lacks_content(entry));
    }
    let Some((name, chain)) = chains.iter().find(|(_, chain)| short(chain)) else { return Ok(()) };
    let (ends, must_reach) = (chain.head.sequence, chain.must_reach.sequence);
    Err(format!("the chain {name} ends at entry {ends}, its head says {must_reach}"))
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

fn lacks_content(entry: &AuditEntry) -> String {
    format!("the content of {} is missing, which entry {} is about", entry.subject, entry.sequence)
}

fn link(chain: &mut Chain, entry: &AuditEntry, raw: Value) -> Result<(), String> {
    if let Some(before) = &chain.awaits {
        return Err(lacks_content(before));
    }
    chain.head = chain.head.followed_by(entry, raw)?;
    Ok(())
}

#[cfg(test)]
mod tests;
