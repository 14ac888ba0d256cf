//! Checkpoints: where all chains ended at some moment. They are chained themselves, and kept where nobody can alter
//! them, so an export whose tail is cut or that lacks a chain is found beside them, though it is sound in itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    ChainHead,
    export::{Head, Unsound, Verified, verify_each},
    hash_of,
};
use crate::{Error, Result, Timestamp};

/// Where chains ended at some moment. A day has one, or several where there are many chains: each then has others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Its place among all checkpoints, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What the chains had reached then, or a moment before.
    pub heads: Vec<Head>,
    /// The hash of the checkpoint before.
    pub prev_hash: String,
    /// SHA-256 over the canonical JSON (RFC 8785) of all the above, in hex.
    pub hash: String,
}

impl Checkpoint {
    /// The checkpoint that follows the last one, and the end of their chain after it.
    pub fn after(last: &ChainHead, heads: Vec<Head>, now: Timestamp) -> Result<(Self, ChainHead)> {
        let mut checkpoint = Self {
            sequence: last.sequence + 1,
            at: now,
            heads,
            prev_hash: last.hash.clone(),
            hash: String::new(),
        };
        checkpoint.hash = checkpoint.hashed()?;
        let head = ChainHead { sequence: checkpoint.sequence, hash: checkpoint.hash.clone(), last: None };
        Ok((checkpoint, head))
    }

    fn hashed(&self) -> Result<String> {
        hash_of(serde_json::to_value(self).map_err(Error::internal)?)
    }
}

/// Whether a later day has begun than that of a former moment, by UTC.
pub fn is_another_day(former: Timestamp, now: Timestamp) -> bool {
    let day = |at: Timestamp| at.as_seconds().div_euclid(24 * 60 * 60);
    day(now) > day(former)
}

/// Why an export is not what its checkpoints say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disproved {
    /// It is not sound in itself.
    #[error("This export is not sound: {0}")]
    Export(Unsound),
    /// A checkpoint was altered, or one is missing between two.
    #[error("These checkpoints are not sound: {0}")]
    Checkpoints(String),
    /// A chain is missing, ends before a checkpoint, or was another one then.
    #[error("This export is not what was kept: {0}")]
    Lacking(String),
}

impl From<Unsound> for Disproved {
    fn from(unsound: Unsound) -> Self {
        Self::Export(unsound)
    }
}

/// What a chain had reached at a checkpoint.
struct Mark {
    hash: String,
    at: Timestamp,
}

/// Verifies an export beside checkpoints, given in any order: each follows the one before, and the export has the
/// entries that their heads name. Of a `partial` one chains may be missing, as in the export of one prompt.
pub fn verify(
    export: &str,
    checkpoints: Vec<Checkpoint>,
    partial: bool,
) -> std::result::Result<Verified, Disproved> {
    let mut marks = marks(chained(checkpoints)?);
    let mut exported = BTreeSet::new();
    let verified = verify_each(
        export,
        |head| exported.extend([head.chain.clone()]),
        |entry| match marks.remove(&(entry.chain.clone(), entry.sequence)) {
            Some(mark) if mark.hash != entry.hash => {
                Err(format!("entry {} is another one than at the checkpoint of {}", entry.sequence, mark.at))
            }
            _ => Ok(()),
        },
    )?;
    // Of each chain the last one says most.
    let lacking = marks.into_iter().rev().find(|((chain, _), _)| !partial || exported.contains(chain));
    let Some(((chain, sequence), mark)) = lacking else { return Ok(verified) };
    let Mark { at, .. } = mark;
    Err(Disproved::Lacking(if exported.contains(&chain) {
        format!("the chain {chain} ends before entry {sequence}, which it had at the checkpoint of {at}")
    } else {
        format!("the chain {chain} is missing, which had {sequence} entries at the checkpoint of {at}")
    }))
}

/// The end of the checkpoints' chain after further ones, given in any order, which have to follow it.
pub fn follow(last: &ChainHead, further: Vec<Checkpoint>) -> std::result::Result<ChainHead, Disproved> {
    let further = chained(further)?;
    if let Some(first) = further.first()
        && (first.sequence != last.sequence + 1 || first.prev_hash != last.hash)
    {
        let words = format!("checkpoint {} does not follow {}", first.sequence, last.sequence);
        return Err(Disproved::Checkpoints(words));
    }
    let end =
        further.last().map(|end| ChainHead { sequence: end.sequence, hash: end.hash.clone(), last: None });
    Ok(end.unwrap_or_else(|| last.clone()))
}

/// Checkpoints in their order, after insisting that it is one.
fn chained(mut checkpoints: Vec<Checkpoint>) -> std::result::Result<Vec<Checkpoint>, Disproved> {
    let unsound = |what: String| Disproved::Checkpoints(what);
    checkpoints.sort_by_key(|checkpoint| checkpoint.sequence);
    for checkpoint in &checkpoints {
        if checkpoint.hashed().map_err(|error| unsound(error.chain()))? != checkpoint.hash {
            return Err(unsound(format!("checkpoint {} was altered", checkpoint.sequence)));
        }
    }
    for (former, next) in checkpoints.iter().zip(checkpoints.iter().skip(1)) {
        if next.sequence > former.sequence + 1 {
            return Err(unsound(format!("checkpoint {} is missing", former.sequence + 1)));
        }
        if next.sequence == former.sequence || next.prev_hash != former.hash {
            return Err(unsound(format!("checkpoint {} does not follow {}", next.sequence, former.sequence)));
        }
    }
    Ok(checkpoints)
}

/// The entries that there must be, by chain and place. Where two checkpoints name one place, the first one counts.
fn marks(checkpoints: Vec<Checkpoint>) -> BTreeMap<(String, u64), Mark> {
    let mut marks = BTreeMap::new();
    for Checkpoint { heads, at, .. } in checkpoints {
        for Head { chain, sequence, hash, .. } in heads {
            marks.entry((chain, sequence)).or_insert(Mark { hash, at });
        }
    }
    marks
}

#[cfg(test)]
mod tests;
