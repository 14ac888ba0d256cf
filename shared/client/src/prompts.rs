//! Prompts.

use domain::{PromptId, PromptName, TeamId, TestSetId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

use crate::{
    Client, Page, Result,
    call::segment,
    gate::{Gate, NewGate},
};

/// A prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its id.
    pub prompt_id: PromptId,
    /// Its present name.
    pub name: PromptName,
    /// Whose it is.
    pub team_id: TeamId,
    /// What it is for.
    pub description: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What is live in production.
    pub production_version_id: Option<VersionId>,
    /// What is live in staging.
    pub staging_version_id: Option<VersionId>,
    /// What is live where.
    pub environments: Vec<EnvironmentSummary>,
    /// What new versions are evaluated on.
    pub test_set_id: Option<TestSetId>,
    /// What production asks of a version.
    pub gate: Gate,
    /// Whether versions go to production without the gate's word.
    pub ungated: bool,
    /// The newest version.
    pub newest_version_id: Option<VersionId>,
    /// Its number.
    pub newest_version_number: Option<u32>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

/// What one environment of a prompt holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentSummary {
    /// The environment.
    pub name: String,
    /// What is live there.
    pub version_id: Option<VersionId>,
    /// Its number.
    pub version_number: Option<u32>,
    /// Counts every write of the ref.
    pub revision: u64,
    /// The experiment or canary that runs there.
    pub experiment_id: Option<String>,
}

impl Prompt {
    /// `team/name`: the name that means one prompt for every key.
    pub fn address(&self) -> String {
        format!("{}/{}", self.team_id, self.name)
    }

    /// What one environment holds.
    pub fn environment(&self, name: &str) -> Option<&EnvironmentSummary> {
        self.environments.iter().find(|environment| environment.name == name)
    }
}

/// A prompt to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPrompt {
    /// Its name.
    pub name: PromptName,
    /// Whose it is.
    pub team_id: TeamId,
    /// What it is for.
    pub description: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What its versions are evaluated on.
    pub test_set_id: Option<TestSetId>,
    /// None: the team's.
    pub gate: Option<NewGate>,
}

/// What shall change of a prompt: `None` stays, `Some(None)` goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptUpdate {
    /// Its name; the former one stays an alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<PromptName>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What its versions are evaluated on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_set_id: Option<Option<TestSetId>>,
    /// What production asks of a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Option<NewGate>>,
}

/// Which prompts are wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PromptQuery {
    /// Of one team.
    pub team_id: Option<TeamId>,
    /// With this tag.
    pub tag: Option<String>,
    /// With this text in name or description.
    pub q: Option<String>,
    /// `active` or `archived`.
    pub status: Option<&'static str>,
}

#[derive(Serialize)]
struct ByName<'q> {
    name: &'q str,
}

/// Whether a path may hold the text as it is: an id, or a name made of plain characters.
fn fits_a_path(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !address.is_empty() && address.bytes().all(plain) && !matches!(address, "." | ".." | "by-name")
}

impl Client {
    /// Makes a prompt.
    pub async fn create_prompt(&self, new: &NewPrompt) -> Result<Prompt> {
        self.post_once("/api/prompts").json(new).answer().await
    }

    /// Lists prompts.
    pub async fn prompts(&self, query: &PromptQuery, most: usize) -> Result<Page<Prompt>> {
        self.list("/api/prompts", query, most).await
    }

    /// Lists up to `most` prompts (100 at most), from the beginning or from where a page ended.
    pub async fn prompts_page(
        &self,
        query: &PromptQuery,
        most: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Prompt>> {
        self.page("/api/prompts", query, most, cursor).await
    }

    /// A prompt by id, name, or `team/name`.
    pub async fn prompt(&self, address: &str) -> Result<Prompt> {
        if fits_a_path(address) {
            self.get(&format!("/api/prompts/{}", segment(address))).answer().await
        } else {
            self.get("/api/prompts/by-name").query(&ByName { name: address }).answer().await
        }
    }

    /// Where a prompt's routes begin. Names that no path may hold are asked for first.
    pub(crate) async fn prompt_path(&self, address: &str) -> Result<String> {
        let id = if fits_a_path(address) {
            address.to_owned()
        } else {
            self.prompt(address).await?.prompt_id.to_string()
        };
        Ok(format!("/api/prompts/{}", segment(id)))
    }

    /// Changes a prompt.
    pub async fn update_prompt(&self, address: &str, update: &PromptUpdate) -> Result<Prompt> {
        self.patch(&self.prompt_path(address).await?).json(update).answer().await
    }

    /// Archives a prompt. Everything is kept.
    pub async fn archive_prompt(&self, address: &str) -> Result<Prompt> {
        self.delete(&self.prompt_path(address).await?).answer().await
    }

    /// Brings an archived prompt back.
    pub async fn restore_prompt(&self, address: &str) -> Result<Prompt> {
        let path = self.prompt_path(address).await?;
        self.post_once(&format!("{path}/restore")).answer().await
    }
}
