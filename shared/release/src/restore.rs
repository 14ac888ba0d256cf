//! Brings a table that was restored to an earlier moment up to the archive of its audit: what the archive's entries
//! tell of, and the table lacks, is done again, with the entries as they are.
//!
//! Each entry is a change like that which it tells of: it happens if the chain ends before it, and else not. So nothing
//! newer is overwritten, it may be cut short and begun again, and where nothing is missing nothing is done. What does
//! not follow the chain, or does not hash to its hash, ends the chain there.

mod prompts;
mod teams;

use std::collections::BTreeMap;

use domain::{
    Error, ErrorKind, Id, Result, Timestamp,
    audit::{
        Action, AuditEntry, ChainHead,
        checkpoint::{self, Checkpoint},
    },
};
use serde::Deserialize as _;
use serde_json::{Value, json};
use store::{Archived, AuditRound, Change, CommitError, Store, audit::Chain};

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Chains that the archive has.
    pub chains: usize,
    /// Entries that the table lacked.
    pub entries: usize,
    /// When the newest entry of all these chains was made. What was done later is in neither.
    pub up_to: Option<Timestamp>,
    /// What was done and has to be done again by people, for its entry does not hold enough.
    pub left: Vec<String>,
    /// Objects that were not followed, and why. Their chains end before them.
    pub refused: Vec<String>,
    /// Chains that had more entries at a checkpoint than archive and table have now.
    pub lost: Vec<String>,
}

/// Brings the table of a store up to its archive. A dry run writes nothing, and says what would come of it.
pub async fn restore(store: &Store, dry_run: bool) -> Result<Restored> {
    let mut restoring = Restoring { store, dry_run, restored: Restored::default(), reached: BTreeMap::new() };
    let mut last: Option<String> = None;
    while let Some(name) = store.archived_chain(last.as_deref()).await? {
        // Checkpoints, and what versions say, stand there too.
        if let Some(chain) = Chain::named(&name) {
            restoring.follow(&chain).await?;
        }
        last = Some(name);
    }
    restoring.follow_checkpoints().await?;
    Ok(restoring.restored)
}

struct Restoring<'s> {
    store: &'s Store,
    dry_run: bool,
    restored: Restored,
    /// How long each chain is.
    reached: BTreeMap<String, u64>,
}

/// An entry that follows.
struct Next {
    entry: AuditEntry,
    /// As it stands.
    text: String,
    /// The chain's end after it.
    head: ChainHead,
}

impl Restoring<'_> {
    async fn follow(&mut self, chain: &Chain) -> Result<()> {
        let head = match chain {
            Chain::Prompt(prompt) => Box::pin(self.follow_prompt(chain, *prompt)).await?,
            Chain::Team(team) => Box::pin(self.follow_team(chain, team)).await?,
        };
        self.restored.chains += 1;
        self.restored.up_to = self.restored.up_to.max(head.last.map(Id::moment));
        self.reached.insert(chain.name(), head.sequence);
        Ok(())
    }

    /// The entries in the archive that follow the end of a chain; none where it went on without some of them.
    async fn rest(&mut self, chain: &Chain, head: &ChainHead) -> Result<Vec<Archived>> {
        if let Some(last) = head.last
            && let Some(object) = self.store.archived_beside(chain, last).await?.first()
        {
            self.refuse(object, refused("the chain went on without it".to_owned()))?;
            return Ok(Vec::new());
        }
        self.store.archived_entries(&chain.name(), head.last).await
    }

    /// Does what an entry tells of, as far as it says that.
    async fn commit(&mut self, change: Change, is_whole: bool) -> Result<()> {
        let AuditEntry { audit_id, action, subject, .. } = change.entry();
        if !is_whole {
            let action = json!(action);
            let action = action.as_str().unwrap_or_default();
            self.restored.left.push(format!("{action} {subject} ({audit_id})"));
        }
        self.restored.entries += 1;
        if self.dry_run {
            return Ok(());
        }
        match self.store.commit(change.insisting()).await {
            Ok(()) => Ok(()),
            Err(CommitError::Failed(error)) => Err(error),
            Err(CommitError::Lost(_) | CommitError::Busy) => Err(in_use()),
        }
    }

    /// Notes why an object was not followed. Failures of ours, or of what we depend on, are none of the object's.
    fn refuse(&mut self, object: &str, error: Error) -> Result<()> {
        if error.kind() != ErrorKind::Conflict {
            return Err(error);
        }
        self.restored.refused.push(format!("{object}: {error}"));
        Ok(())
    }

    /// Makes the chain of checkpoints go on where the archive's ends, for it would else contradict it, and says which
    /// chains were longer then.
    async fn follow_checkpoints(&mut self) -> Result<()> {
        let round = self.store.audit_round().await?;
        let began_at = round.as_ref().map_or(Timestamp::from_millis(0), |round| round.began_at);
        let former = round.as_ref().map(|round| round.last.clone()).unwrap_or_default();
        let mut checkpoints: Vec<Checkpoint> = Vec::new();
        for Archived { object, bytes } in self.store.archived_checkpoints(began_at).await? {
            match serde_json::from_slice(&bytes) {
                Ok(checkpoint) => checkpoints.push(checkpoint),
                Err(error) => self.refuse(&object, refused(format!("it does not read: {error}")))?,
            }
        }
        for head in checkpoints.iter().flat_map(|checkpoint| &checkpoint.heads) {
            let reached = self.reached(&head.chain).await?;
            if reached < head.sequence {
                let words = format!("{} had {} entries, and has {reached}", head.chain, head.sequence);
                self.restored.lost.push(words);
            }
        }
        checkpoints.retain(|checkpoint| checkpoint.sequence > former.sequence);
        let Some(newest) = checkpoints.iter().map(|checkpoint| checkpoint.at).max() else { return Ok(()) };
        let last = match checkpoint::follow(&former, checkpoints) {
            Ok(last) => last,
            Err(disproved) => return self.refuse("checkpoints", refused(disproved.to_string())),
        };
        let revision = round.map_or(1, |round| round.revision + 1);
        let round = AuditRound { revision, began_at: newest, cursor: None, last, unstored: None };
        if self.dry_run || self.store.keep_audit_round(&round).await? { Ok(()) } else { Err(in_use()) }
    }

    /// How long a chain is, also one of which the archive has no entry.
    async fn reached(&self, name: &str) -> Result<u64> {
        if let Some(reached) = self.reached.get(name) {
            return Ok(*reached);
        }
        let head = match Chain::named(name) {
            Some(Chain::Prompt(prompt)) => self.store.prompt(prompt).await?.map(|prompt| prompt.chain),
            Some(Chain::Team(team)) => self.store.team(&team).await?.map(|team| team.chain),
            None => None,
        };
        Ok(head.unwrap_or_default().sequence)
    }
}

impl Next {
    /// An object as the entry that follows the end of a chain.
    fn read(chain: &Chain, head: &ChainHead, bytes: Vec<u8>) -> Result<Self> {
        let unreadable = |error: &dyn std::fmt::Display| refused(format!("it does not read: {error}"));
        let text = String::from_utf8(bytes).map_err(|error| unreadable(&error))?;
        let raw: Value = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
        let entry = AuditEntry::deserialize(&raw).map_err(|error| unreadable(&error))?;
        if entry.chain != chain.name() {
            return Err(refused(format!("it is an entry of {}", entry.chain)));
        }
        let head = head.followed_by(&entry, raw).map_err(refused)?;
        Ok(Self { entry, text, head })
    }

    fn is(&self, action: Action) -> bool {
        self.entry.action == action
    }
}

fn refused(words: String) -> Error {
    Error::new(ErrorKind::Conflict, words)
}

fn in_use() -> Error {
    let detail = "Somebody else writes into this table, or it is busy. Stop its writers and begin again: what was \
        restored so far stays.";
    Error::new(ErrorKind::Contended, detail)
}
