//! Audit entries: the history of a prompt, and of a team's keys, models and test sets.

use domain::{
    AuditId, Error, PromptId, Result, TeamScope,
    audit::{Action, AuditEntry},
};
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageRequest, Store,
    keys::{AUDIT, Key, prompt_partition, team_partition},
};

/// An entry as it is stored: as the JSON text that its hash covers.
#[derive(Serialize, Deserialize)]
pub(crate) struct AuditItem {
    action: Action,
    entry: String,
}

impl AuditItem {
    pub(crate) fn new(entry: &AuditEntry) -> Result<Self> {
        let text = serde_json::to_string(entry).map_err(Error::internal)?;
        Ok(Self { action: entry.action, entry: text })
    }

    fn read(&self) -> Result<AuditEntry> {
        serde_json::from_str(&self.entry).map_err(Error::internal)
    }
}

/// Which chain is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// A prompt's.
    Prompt(PromptId),
    /// A team's.
    Team(TeamScope),
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
    /// A page of a chain.
    pub async fn audit(&self, chain: &Chain, order: Order, request: &PageRequest) -> Result<Page<AuditEntry>> {
        let partition = match chain {
            Chain::Prompt(prompt) => prompt_partition(*prompt),
            Chain::Team(team) => team_partition(team),
        };
        let query = self.query(&self.names.registry, partition, AUDIT);
        let page: Page<AuditItem> =
            self.page(query.scan_index_forward(order == Order::OldestFirst), request).await?;
        let data = page.data.iter().map(AuditItem::read).collect::<Result<_>>()?;
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// One entry of a prompt's chain.
    pub async fn prompt_audit_entry(&self, prompt: PromptId, entry: AuditId) -> Result<Option<AuditEntry>> {
        let item: Option<AuditItem> = self.get(&Key::PromptAudit(prompt, entry)).await?;
        item.map(|item| item.read()).transpose()
    }
}
