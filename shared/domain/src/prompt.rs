//! Prompts and teams: who owns what, and the heads of the audit chains.

use serde::{Deserialize, Serialize};

use crate::{
    Environment, Error, ErrorKind, FieldProblem, PromptId, PromptName, Result, TeamId, TeamScope, TestSetId,
    Timestamp, VersionPointer, audit::ChainHead, gate::GatePolicy,
};

/// A prompt: a name in a team, under which versions are written and refs point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its id.
    pub prompt_id: PromptId,
    /// Its present name; former names stay aliases.
    pub name: PromptName,
    /// The team that owns it.
    pub team_id: TeamId,
    /// For people.
    pub description: Option<String>,
    /// For finding it.
    pub tags: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// What new versions are evaluated against.
    pub test_set_id: Option<TestSetId>,
    /// Its own gate; `None`: the team's.
    pub gate: Option<GatePolicy>,
    /// The newest version; `None` before the first.
    pub newest_version: Option<VersionPointer>,
    /// Since when it is archived.
    pub archived_at: Option<Timestamp>,
    /// The end of its audit chain.
    pub chain: ChainHead,
}

impl Prompt {
    /// A prompt of this moment, without versions.
    pub fn new(
        prompt_id: PromptId,
        name: PromptName,
        team_id: TeamId,
        created_by: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            prompt_id,
            name,
            team_id,
            description: None,
            tags: Vec::new(),
            created_by: created_by.to_owned(),
            created_at: now,
            updated_at: now,
            test_set_id: None,
            gate: None,
            newest_version: None,
            archived_at: None,
            chain: ChainHead::default(),
        }
    }

    /// What a search looks into, in lower case: its name, and on a line of its own what people say of it.
    pub fn searched(&self) -> String {
        let description = self.description.as_deref().unwrap_or_default();
        format!("{}\n{description}", self.name).to_lowercase()
    }
}

/// A team: it exists from its first prompt or key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Its id; `*` holds what belongs to no team (models, keys for all teams).
    pub team_id: TeamScope,
    /// What its prompts without a gate of their own are held to.
    pub gate: Option<GatePolicy>,
    /// Counts the changes of `gate`, so that a promotion can insist on the policy that it judged by.
    pub gate_revision: u64,
    /// What its first versions run on when they name no model.
    pub default_model_id: Option<String>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// The end of the audit chain of its keys, models and test sets.
    pub chain: ChainHead,
}

impl Team {
    /// A team of this moment.
    pub fn new(team_id: TeamScope, now: Timestamp) -> Self {
        Self {
            team_id,
            gate: None,
            gate_revision: 0,
            default_model_id: None,
            created_at: now,
            chain: ChainHead::default(),
        }
    }
}

/// The same words for what is not there and for what must not be seen.
pub fn no_such_prompt() -> Error {
    Error::new(
        ErrorKind::NoSuchPrompt,
        "No such prompt is visible to this key. Check the name, the team and the key.",
    )
}

/// Why nothing of this prompt resolves in an environment to which nothing was promoted.
pub fn not_live(name: &str, environment: &Environment) -> Error {
    let detail = format!("`{name}` has nothing in `{environment}`. Promote a version there first.");
    Error::new(ErrorKind::NotLive, detail)
}

/// Why nothing of this prompt resolves anywhere.
pub fn archived(name: &str) -> Error {
    Error::new(ErrorKind::Archived, format!("The prompt `{name}` is archived. Its team can restore it."))
}

/// The most tags of a prompt.
pub const MAX_TAGS: usize = 20;

/// Checks what people write about a prompt.
pub fn check_labels(description: Option<&str>, tags: &[String]) -> Result<()> {
    let mut problems = Vec::new();
    let mut wrong = |pointer: String, detail: String| problems.push(FieldProblem { pointer, detail });
    if description.is_some_and(|text| text.len() > 4096) {
        wrong("/description".to_owned(), "A description has at most 4,096 bytes.".to_owned());
    }
    if tags.len() > MAX_TAGS {
        wrong("/tags".to_owned(), format!("A prompt has at most {MAX_TAGS} tags; these are {}.", tags.len()));
    }
    for (at, tag) in tags.iter().enumerate() {
        if tag.is_empty() || tag.chars().count() > 64 || tag.chars().any(char::is_control) {
            wrong(format!("/tags/{at}"), "A tag has 1 to 64 printable characters.".to_owned());
        }
    }
    Error::check(problems)
}
