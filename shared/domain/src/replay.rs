//! What the entries of a chain made of a prompt and its refs, from the entries alone: for a table that was restored to
//! an earlier moment than the archive of its audit.
//!
//! The rules are those by which the changes themselves were made. What an entry does not hold is not guessed: a trial
//! of which one tells is over, and its control is served.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Environment, Error, ErrorKind, Prompt, PromptName, Ref, Result, TeamId, TestSetId, Timestamp, VersionId,
    VersionPointer,
    audit::{Action, AuditEntry, ChainHead},
    gate::GatePolicy,
    reference::Mover,
};

/// A prompt with its refs, as its chain left them.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The prompt.
    pub prompt: Prompt,
    /// Its refs.
    pub refs: BTreeMap<Environment, Ref>,
}

/// How the audit describes a prompt.
#[derive(Deserialize)]
struct Described {
    name: PromptName,
    team_id: TeamId,
    description: Option<String>,
    tags: Vec<String>,
    test_set_id: Option<TestSetId>,
    gate: Option<GatePolicy>,
    archived_at: Option<Timestamp>,
}

/// How it names a version.
#[derive(Deserialize)]
struct Named {
    version_id: VersionId,
    version_number: u32,
}

impl Standing {
    /// Before its first entry, which makes it.
    pub fn before_all(entry: &AuditEntry) -> Result<Self> {
        let prompt_id = entry.chain.parse().map_err(refused)?;
        let Described { name, team_id, .. } = read(&entry.after)?;
        let prompt = Prompt::new(prompt_id, name, team_id, &entry.actor.id, entry.at);
        Ok(Self { prompt, refs: BTreeMap::new() })
    }

    /// After an entry, with which the chain ends so.
    pub fn after(&self, entry: &AuditEntry, head: ChainHead) -> Result<Self> {
        let mut next = self.clone();
        next.prompt.chain = head;
        next.prompt.updated_at = entry.at;
        match entry.action {
            Action::PromptCreated
            | Action::PromptUpdated
            | Action::PromptArchived
            | Action::PromptRestored => next.rewrite(read(&entry.after)?),
            Action::VersionCreated => next.prompt.newest_version = Some(pointer(&entry.after)?),
            _ => {
                let written = self.written(entry)?;
                next.refs.extend(written.map(|reference| (reference.environment.clone(), reference)));
            }
        }
        Ok(next)
    }

    /// Refs follow their prompt's name, and whether it is archived.
    fn rewrite(&mut self, described: Described) {
        let Described { name, description, tags, test_set_id, gate, archived_at, .. } = described;
        let carried = name != self.prompt.name || archived_at != self.prompt.archived_at;
        let prompt = self.prompt.clone();
        self.prompt = Prompt { name, description, tags, test_set_id, gate, archived_at, ..prompt };
        for reference in self.refs.values_mut().filter(|_| carried) {
            *reference = reference.following(&self.prompt);
        }
    }

    /// The ref that the change of an entry wrote; `None`: it wrote none.
    fn written(&self, entry: &AuditEntry) -> Result<Option<Ref>> {
        let Some(environment) = &entry.environment else { return Ok(None) };
        let mover = Mover { by: &entry.actor.id, at: entry.at };
        let before = self.refs.get(environment).cloned();
        let before = before.unwrap_or_else(|| Ref::empty(&self.prompt, environment.clone(), mover));
        let after = match entry.action {
            Action::Promoted => before.promoted(pointer(&entry.after)?, mover),
            Action::RolledBack if ended_a_trial(entry) => before.called_off(pointer(&entry.after)?, mover),
            Action::RolledBack => before.rolled_back(pointer(&entry.after)?, mover),
            Action::Locked | Action::Unlocked => before.with_lock(read(&entry.after["lock"])?),
            Action::OverridesSet => before.with_overrides(read(&entry.after["overrides"])?),
            // A canary that is watched splits nothing any more.
            Action::RolloutEnded if entry.after["phase"] == "watch" => return Ok(None),
            Action::ExperimentStarted
            | Action::ExperimentReweighted
            | Action::ExperimentEnded
            | Action::RolloutStarted
            | Action::RolloutAdvanced
            | Action::RolloutEnded => before.with_allocation(None),
            _ => return Ok(None),
        };
        match entry.after["revision"].as_u64() {
            Some(said) if said != after.revision => Err(refused(format!(
                "entry {} leaves `{environment}` at revision {said}, and it comes to {}",
                entry.sequence, after.revision
            ))),
            _ => Ok(Some(after)),
        }
    }
}

/// Whether a rollback did no more than to end the trial that ran.
fn ended_a_trial(entry: &AuditEntry) -> bool {
    entry.before["trial_id"].is_string() && entry.before["version_id"] == entry.after["version_id"]
}

fn pointer(state: &Value) -> Result<VersionPointer> {
    let Named { version_id, version_number } = read(state)?;
    Ok(VersionPointer { number: version_number, id: version_id })
}

/// What an entry says of how something is.
pub fn read<T: DeserializeOwned>(state: &Value) -> Result<T> {
    T::deserialize(state).map_err(|error| refused(format!("it does not say what was done: {error}")))
}

/// What does not follow, or does not say enough, is not done.
fn refused(words: String) -> Error {
    Error::new(ErrorKind::Conflict, words)
}
