//! Every key of both tables, and of the buckets: this is the only place that spells them.

mod objects;
mod telemetry;

use crate::table::attribute as names;
use domain::{
    AuditId, Environment, EvalRunId, PromptId, SigningKeyId, TeamId, TeamScope, TestSetId, VersionId,
    WebhookId, trial::TrialId,
};
pub(crate) use objects::{
    archive_after, archive_folder, archive_key, archived_after, archived_chain, archived_id, checkpoint_key,
    checkpoints_from, content_key, dataset_object, object_folders, upload_object,
};
pub(crate) use telemetry::{
    ARMS, CASES, CHUNKS, DRAFTS, EXPOSURES, HOURS, JUDGEMENTS, LATENCIES, OUTPUTS, STRATA, arms_up_to,
    days_partition, hours_partition, parse_arm, parse_measure, run_partition, trial_partition,
};
pub use telemetry::{COMPACTED, TelemetryKey};

/// A key of the registry table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A prompt.
    Prompt(PromptId),
    /// A name of a team, present or former.
    Name(TeamId, String),
    /// A version's content.
    Version(PromptId, u32),
    /// A version's evaluation and life so far.
    VersionState(PromptId, u32),
    /// Where to find a version of which only the id is known.
    VersionById(VersionId),
    /// A ref.
    Ref(PromptId, Environment),
    /// An entry of a prompt's audit chain.
    PromptAudit(PromptId, AuditId),
    /// An entry of a team's audit chain.
    TeamAudit(TeamScope, AuditId),
    /// An evaluation run.
    Run(PromptId, EvalRunId),
    /// Where to find a run of which only the id is known.
    RunById(EvalRunId),
    /// An experiment or a canary.
    Trial(PromptId, TrialId),
    /// Where to find one of which only the id is known.
    TrialById(TrialId),
    /// The weights of an allocation version of one.
    Weights(TrialId, u64),
    /// A test set.
    TestSet(TestSetId),
    /// A version of a test set.
    TestSetVersion(TestSetId, u32),
    /// A team.
    Team(TeamScope),
    /// An API key, by its public part.
    ApiKey(String),
    /// A webhook.
    Webhook(WebhookId),
    /// An HMAC key of resolution tokens.
    SigningKey(SigningKeyId),
    /// A model of the catalogue.
    Model(String),
    /// What an `Idempotency-Key` made: the API key's public part and the hash of the header.
    Idempotency(String, String),
    /// A session of the console, by the hash of its token.
    Session(String),
    /// How far the daily checkpoints over the audit's chains are.
    AuditRound,
}

const META: &str = "META";

impl Key {
    /// The partition key.
    pub fn pk(&self) -> String {
        match self {
            Self::Prompt(prompt)
            | Self::Version(prompt, _)
            | Self::VersionState(prompt, _)
            | Self::Ref(prompt, _)
            | Self::PromptAudit(prompt, _)
            | Self::Run(prompt, _)
            | Self::Trial(prompt, _) => prompt_partition(*prompt),
            Self::Name(team, _) => format!("TEAM#{team}"),
            Self::TeamAudit(team, _) | Self::Team(team) => team_partition(team),
            Self::VersionById(version) => format!("VER#{version}"),
            Self::RunById(run) => format!("EVAL#{run}"),
            Self::TrialById(trial) => format!("EXP#{trial}"),
            Self::Weights(trial, _) => weights_partition(*trial),
            Self::TestSet(set) | Self::TestSetVersion(set, _) => test_set_partition(*set),
            Self::ApiKey(id) => format!("KEY#{id}"),
            Self::Webhook(webhook) => format!("WEBHOOK#{webhook}"),
            Self::SigningKey(kid) => format!("SIGN#{kid}"),
            Self::Model(_) => MODELS.to_owned(),
            Self::Idempotency(key, hash) => format!("IDEM#{key}#{hash}"),
            Self::Session(hash) => format!("SESSION#{hash}"),
            Self::AuditRound => "AUDIT#ROUND".to_owned(),
        }
    }

    /// The sort key.
    pub fn sk(&self) -> String {
        match self {
            Self::Name(_, name) => format!("{NAMES}{name}"),
            Self::Version(_, number) => format!("{VERSIONS}{number:08}"),
            Self::VersionState(_, number) => format!("{VERSION_STATES}{number:08}"),
            Self::Ref(_, environment) => format!("{REFS}{environment}"),
            Self::PromptAudit(_, entry) | Self::TeamAudit(_, entry) => format!("{AUDIT}{entry}"),
            Self::Run(_, run) => format!("{RUNS}{run}"),
            Self::Trial(_, trial) => format!("{TRIALS}{trial}"),
            Self::Weights(_, allocation_version) => format!("{allocation_version:010}"),
            Self::TestSetVersion(_, number) => format!("{VERSIONS}{number:04}"),
            Self::Model(model) => model.clone(),
            Self::Prompt(_)
            | Self::VersionById(_)
            | Self::RunById(_)
            | Self::TrialById(_)
            | Self::TestSet(_)
            | Self::Team(_)
            | Self::ApiKey(_)
            | Self::Webhook(_)
            | Self::SigningKey(_)
            | Self::Idempotency(..)
            | Self::Session(_)
            | Self::AuditRound => META.to_owned(),
        }
    }

    /// The key of an item, whose attributes are looked up by name.
    pub fn of_item(attribute: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Self::parse(&attribute(names::PK)?, &attribute(names::SK)?)
    }

    /// Reads a key back; `None` when it is none of ours.
    pub fn parse(pk: &str, sk: &str) -> Option<Self> {
        if pk == MODELS {
            return Some(Self::Model(sk.to_owned()));
        }
        let (kind, id) = pk.split_once('#')?;
        match (kind, sk) {
            ("PROMPT", _) => Self::parse_in_prompt(id.parse().ok()?, sk),
            ("TEAM", META) => Some(Self::Team(id.parse().ok()?)),
            ("TEAM", _) => Self::parse_in_team(id, sk),
            ("TESTSET", META) => Some(Self::TestSet(id.parse().ok()?)),
            ("TESTSET", _) => {
                Some(Self::TestSetVersion(id.parse().ok()?, sk.strip_prefix(VERSIONS)?.parse().ok()?))
            }
            ("VER", META) => Some(Self::VersionById(id.parse().ok()?)),
            ("EVAL", META) => Some(Self::RunById(id.parse().ok()?)),
            ("EXP", META) => Some(Self::TrialById(id.parse().ok()?)),
            ("EXPW", _) => Some(Self::Weights(id.parse().ok()?, sk.parse().ok()?)),
            ("KEY", META) => Some(Self::ApiKey(id.to_owned())),
            ("WEBHOOK", META) => Some(Self::Webhook(id.parse().ok()?)),
            ("AUDIT", META) => (id == "ROUND").then_some(Self::AuditRound),
            ("SESSION", META) => Some(Self::Session(id.to_owned())),
            ("SIGN", META) => Some(Self::SigningKey(id.parse().ok()?)),
            ("IDEM", META) => {
                let (key, hash) = id.split_once('#')?;
                Some(Self::Idempotency(key.to_owned(), hash.to_owned()))
            }
            _ => None,
        }
    }

    fn parse_in_prompt(prompt: PromptId, sk: &str) -> Option<Self> {
        if sk == META {
            return Some(Self::Prompt(prompt));
        }
        let (kind, rest) = sk.split_once('#')?;
        match kind {
            "VER" => Some(Self::Version(prompt, rest.parse().ok()?)),
            "VERSTATE" => Some(Self::VersionState(prompt, rest.parse().ok()?)),
            "REF" => Some(Self::Ref(prompt, rest.parse().ok()?)),
            "AUD" => Some(Self::PromptAudit(prompt, rest.parse().ok()?)),
            "EVAL" => Some(Self::Run(prompt, rest.parse().ok()?)),
            "EXP" => Some(Self::Trial(prompt, rest.parse().ok()?)),
            _ => None,
        }
    }

    fn parse_in_team(team: &str, sk: &str) -> Option<Self> {
        if let Some(name) = sk.strip_prefix(NAMES) {
            return Some(Self::Name(team.parse().ok()?, name.to_owned()));
        }
        Some(Self::TeamAudit(team.parse().ok()?, sk.strip_prefix(AUDIT)?.parse().ok()?))
    }
}

/// Sort key prefixes, for queries of one kind of item in a partition.
pub(crate) const NAMES: &str = "NAME#";
pub(crate) const VERSIONS: &str = "VER#";
pub(crate) const VERSION_STATES: &str = "VERSTATE#";
pub(crate) const REFS: &str = "REF#";
pub(crate) const AUDIT: &str = "AUD#";
pub(crate) const RUNS: &str = "EVAL#";
pub(crate) const TRIALS: &str = "EXP#";

/// The partition of the model catalogue.
pub(crate) const MODELS: &str = "MODEL";

pub(crate) fn prompt_partition(prompt: PromptId) -> String {
    format!("PROMPT#{prompt}")
}

pub(crate) fn team_partition(team: &TeamScope) -> String {
    format!("TEAM#{}", team.as_str())
}

pub(crate) fn weights_partition(trial: TrialId) -> String {
    format!("EXPW#{trial}")
}

pub(crate) fn test_set_partition(set: TestSetId) -> String {
    format!("TESTSET#{set}")
}

/// A partition of GSI1: lists that cross partitions of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum List<'a> {
    /// All prompts.
    Prompts,
    /// Prompts of all teams by name, present or former.
    Names(&'a str),
    /// All teams.
    Teams,
    /// Keys of a team.
    ApiKeys(&'a TeamScope),
    /// Webhooks of a team.
    Webhooks(&'a TeamScope),
    /// Test sets of a team.
    TestSets(&'a TeamId),
    /// Test sets that are deleted and not erased yet.
    Erasing,
    /// Runs by status.
    Runs(domain::eval_run::RunStatus),
    /// States of versions of which a run waits for somebody to decide.
    Waiting,
    /// Experiments and canaries that run.
    ActiveTrials,
    /// Signing keys.
    SigningKeys,
    /// What moved anywhere.
    Moves,
}

impl List<'_> {
    /// The partition key of the index.
    pub(crate) fn pk(&self) -> String {
        match self {
            Self::Prompts => "PROMPTS".to_owned(),
            Self::Names(name) => format!("NAME#{name}"),
            Self::Teams => "TEAMS".to_owned(),
            Self::ApiKeys(team) => format!("KEYS#{}", team.as_str()),
            Self::Webhooks(team) => format!("WEBHOOKS#{}", team.as_str()),
            Self::TestSets(team) => format!("TESTSETS#{team}"),
            Self::Erasing => "ERASING".to_owned(),
            Self::Runs(status) => format!("RUNS#{status:?}").to_lowercase(),
            Self::Waiting => "WAITING".to_owned(),
            Self::ActiveTrials => "TRIALS".to_owned(),
            Self::SigningKeys => "SIGNING".to_owned(),
            Self::Moves => "MOVES".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
