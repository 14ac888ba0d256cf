//! The audit: one entry for each change, chained by SHA-256, so that an export alone proves that nothing was altered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{AuditId, Environment, PromptId, Result, TeamScope, Timestamp, key::Actor};

pub mod checkpoint;
pub mod export;

/// What precedes the first entry of a chain.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain. Every change moves it, which also makes the changes of one chain a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// How many entries there are.
    pub sequence: u64,
    /// The hash of the last one.
    pub hash: String,
    /// The id of the last one: ids of a chain grow, whatever the clocks of its writers say.
    pub last: Option<AuditId>,
}

impl Default for ChainHead {
    fn default() -> Self {
        Self { sequence: 0, hash: GENESIS.to_owned(), last: None }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A prompt was made.
    PromptCreated,
    /// Its description, tags, test set, gate or name changed.
    PromptUpdated,
    /// It was archived.
    PromptArchived,
    /// It was brought back.
    PromptRestored,
    /// A version was written.
    VersionCreated,
    /// A version became live by promotion.
    Promoted,
    /// A version became live by rollback.
    RolledBack,
    /// An environment was locked.
    Locked,
    /// Its lock was taken off.
    Unlocked,
    /// An evaluation was asked for.
    EvaluationQueued,
    /// An evaluation ended.
    EvaluationEnded,
    /// An evaluation was stopped.
    EvaluationCancelled,
    /// A person decided an evaluation that was too close to call.
    EvaluationReviewed,
    /// A releaser gave their word for a version.
    Approved,
    /// What an environment overrides of its version changed.
    OverridesSet,
    /// An experiment began.
    ExperimentStarted,
    /// The weights of an experiment changed.
    ExperimentReweighted,
    /// An experiment was decided or stopped.
    ExperimentEnded,
    /// A canary began.
    RolloutStarted,
    /// A canary went on to another stage.
    RolloutAdvanced,
    /// A canary was paused.
    RolloutPaused,
    /// A paused canary goes on.
    RolloutResumed,
    /// A canary was completed or stopped.
    RolloutEnded,
    /// A test set was made.
    TestSetCreated,
    /// Its cases were replaced.
    TestSetVersionCreated,
    /// It was deleted.
    TestSetDeleted,
    /// A key was made.
    KeyCreated,
    /// A key was replaced.
    KeyRotated,
    /// A key was revoked.
    KeyRevoked,
    /// A webhook was made.
    WebhookCreated,
    /// The secret of a webhook was replaced.
    WebhookRotated,
    /// A webhook was deleted, or its receiver is gone.
    WebhookDisabled,
    /// A model of the catalogue was set.
    ModelSet,
    /// A team's default changed.
    TeamUpdated,
}

impl Action {
    /// Whether it tells what is live where: such entries are a prompt's history, and are listed over all prompts.
    pub fn is_move(self) -> bool {
        matches!(
            self,
            Self::Promoted
                | Self::RolledBack
                | Self::Locked
                | Self::Unlocked
                | Self::PromptArchived
                | Self::PromptRestored
                | Self::ExperimentStarted
                | Self::ExperimentEnded
                | Self::RolloutStarted
                | Self::RolloutAdvanced
                | Self::RolloutEnded
        )
    }
}

/// What a change is, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// The id of what was changed.
    pub subject: String,
    /// The environment, for moves and locks.
    pub environment: Option<Environment>,
    /// How it was; null for what is new.
    pub before: Value,
    /// How it is.
    pub after: Value,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What a decision rests on; null when nothing was decided.
    pub evidence: Value,
}

impl Fact {
    /// A fact without states, reason and evidence; set those that there are.
    pub fn new(actor: &Actor, action: Action, subject: impl std::fmt::Display) -> Self {
        Self {
            actor: actor.clone(),
            action,
            subject: subject.to_string(),
            environment: None,
            before: Value::Null,
            after: Value::Null,
            reason: None,
            evidence: Value::Null,
        }
    }
}

/// One link of a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its id; grows along the chain.
    pub audit_id: AuditId,
    /// Which chain: a prompt's id, or a team's.
    pub chain: String,
    /// Its place, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// On what.
    pub subject: String,
    /// Where, for moves and locks.
    pub environment: Option<Environment>,
    /// How it was.
    pub before: Value,
    /// How it is.
    pub after: Value,
    /// Why.
    pub reason: Option<String>,
    /// What a decision rests on.
    pub evidence: Value,
    /// The hash of the entry before.
    pub prev_hash: String,
    /// SHA-256 over the canonical JSON (RFC 8785) of all the above, in hex.
    pub hash: String,
}

impl AuditEntry {
    /// Whether it made live in production what no gate let through. A trial's end keeps what its promotion rests on
    /// beside its own reasons.
    pub fn is_ungated(&self) -> bool {
        let evidence = self.evidence.get("promotion").unwrap_or(&self.evidence);
        let past_the_gate = evidence["ungated"] == true || evidence["override"] == true;
        let in_production = self.environment.as_ref().is_some_and(Environment::is_production);
        self.action == Action::Promoted && in_production && past_the_gate
    }
}

/// The name of a prompt's chain.
pub fn prompt_chain(prompt: PromptId) -> String {
    prompt.to_string()
}

/// The name of a team's chain.
pub fn team_chain(team: &TeamScope) -> String {
    format!("{TEAM_CHAINS}{}", team.as_str())
}

/// How the names of teams' chains begin.
pub const TEAM_CHAINS: &str = "team:";

impl ChainHead {
    /// Appends a fact: the entry, and the head after it.
    ///
    /// `fresh` is an id of now; it gives way to the successor of the last one where a clock stood or went back.
    pub fn append(
        &self,
        chain: String,
        fact: Fact,
        now: Timestamp,
        fresh: AuditId,
    ) -> Result<(AuditEntry, Self)> {
        let audit_id = self.last.map_or(fresh, |last| fresh.max(last.successor()));
        let mut entry = AuditEntry {
            audit_id,
            chain,
            sequence: self.sequence + 1,
            at: now,
            actor: fact.actor,
            action: fact.action,
            subject: fact.subject,
            environment: fact.environment,
            before: fact.before,
            after: fact.after,
            reason: fact.reason,
            evidence: fact.evidence,
            prev_hash: self.hash.clone(),
            hash: String::new(),
        };
        let value = serde_json::to_value(&entry).map_err(crate::Error::internal)?;
        entry.hash = hash_of(value)?;
        let head = Self { sequence: entry.sequence, hash: entry.hash.clone(), last: Some(audit_id) };
        Ok((entry, head))
    }

    /// The head after an entry that was written before, given also as it stands: its hash covers what we do not know
    /// too. The entry has to follow, and to be as it was written.
    pub fn followed_by(&self, entry: &AuditEntry, raw: Value) -> Result<Self, String> {
        let AuditEntry { sequence, hash, audit_id, .. } = entry;
        if *sequence != self.sequence + 1 || entry.prev_hash != self.hash {
            return Err(format!("entry {sequence} does not follow entry {}", self.sequence));
        }
        let found = hash_of(raw).map_err(|error| error.chain())?;
        if found != *hash {
            return Err(format!("entry {sequence} was altered: it hashes to {found}, not to {hash}"));
        }
        Ok(Self { sequence: *sequence, hash: found, last: Some(*audit_id) })
    }
}

/// The hash of an entry given as JSON; its own `hash` is left out.
fn hash_of(mut entry: Value) -> Result<String> {
    if let Some(members) = entry.as_object_mut() {
        members.remove("hash");
    }
    let canonical = serde_json_canonicalizer::to_vec(&entry).map_err(crate::Error::internal)?;
    Ok(hex::encode(Sha256::digest(canonical)))
}
