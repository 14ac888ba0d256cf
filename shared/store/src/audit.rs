//! Audit entries: the history of a prompt, and of a team's keys, models and test sets.

use domain::{
    AuditId, Error, PromptId, Result, Team, TeamId, TeamScope, Timestamp,
    audit::{AuditEntry, ChainHead, TEAM_CHAINS, prompt_chain, team_chain},
};
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageRequest, Store,
    keys::{AUDIT, Key, List, prompt_partition, team_partition},
    table::text,
};

/// An entry as it is stored: as the JSON text that its hash covers.
#[derive(Serialize, Deserialize)]
pub(crate) struct AuditItem {
    /// The team that owns what was changed; `None` for what belongs to all.
    pub(crate) team_id: Option<TeamId>,
    pub(crate) entry: String,
}

impl AuditItem {
    pub(crate) fn read(&self) -> Result<AuditEntry> {
        read_entry(&self.entry)
    }
}

/// The text of an entry.
pub(crate) fn entry_text(entry: &AuditEntry) -> Result<String> {
    serde_json::to_string(entry).map_err(Error::internal)
}

/// Reads the text of an entry.
pub(crate) fn read_entry(text: &str) -> Result<AuditEntry> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// Which chain is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// A prompt's.
    Prompt(PromptId),
    /// A team's.
    Team(TeamScope),
}

impl Chain {
    /// The chain of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name.strip_prefix(TEAM_CHAINS) {
            Some(team) => team.parse().ok().map(Self::Team),
            None => name.parse().ok().map(Self::Prompt),
        }
    }

    /// Its name, as its entries have it.
    pub fn name(&self) -> String {
        match self {
            Self::Prompt(prompt) => prompt_chain(*prompt),
            Self::Team(team) => team_chain(team),
        }
    }

    pub(crate) fn partition(&self) -> String {
        match self {
            Self::Prompt(prompt) => prompt_partition(*prompt),
            Self::Team(team) => team_partition(team),
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As it happened.
    OldestFirst,
    /// As people read it.
    NewestFirst,
}

impl Store {
    /// A page of the moves of all prompts from a moment on, each with its team.
    pub async fn moves(
        &self,
        since: Timestamp,
        order: Order,
        request: &PageRequest,
    ) -> Result<Page<(Option<TeamId>, AuditEntry)>> {
        let start = AuditId::new(since, [0; 10]).to_string();
        let query = self
            .query_list(&List::Moves)
            .key_condition_expression("gsi1pk = :list AND gsi1sk >= :start")
            .expression_attribute_values(":start", text(start));
        let page: Page<AuditItem> =
            self.page(query.scan_index_forward(order == Order::OldestFirst), request).await?;
        let read = |item: AuditItem| item.read().map(|entry| (item.team_id, entry));
        let data = page.data.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// A page of a chain.
    pub async fn audit(
        &self,
        chain: &Chain,
        order: Order,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let query = self.query(&self.names.registry, chain.partition(), AUDIT);
        let page: Page<AuditItem> =
            self.page(query.scan_index_forward(order == Order::OldestFirst), request).await?;
        let data = page.data.iter().map(AuditItem::read).collect::<Result<_>>()?;
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// The chains of all teams, and of what belongs to all of them, each with its end.
    pub async fn team_chains(&self) -> Result<Vec<(Chain, ChainHead)>> {
        let teams: Vec<Team> = self.all(self.query_list(&List::Teams)).await?;
        Ok(teams.into_iter().map(|team| (Chain::Team(team.team_id), team.chain)).collect())
    }

    /// A page of the chains of all prompts, each with its end.
    pub async fn prompt_chains(&self, request: &PageRequest) -> Result<Page<(Chain, ChainHead)>> {
        let Page { data, next_cursor } = self.prompts(None, request).await?;
        let chains = data.into_iter().map(|prompt| (Chain::Prompt(prompt.prompt_id), prompt.chain));
        Ok(Page { data: chains.collect(), next_cursor })
    }

    /// One entry of a prompt's chain.
    pub async fn prompt_audit_entry(&self, prompt: PromptId, entry: AuditId) -> Result<Option<AuditEntry>> {
        let item: Option<AuditItem> = self.get(&Key::PromptAudit(prompt, entry)).await?;
        item.map(|item| item.read()).transpose()
    }
}
