//! Reading the audit: the history of a prompt, moves over all prompts, entries by filter, and the export.

use domain::{Caller, Error, KeyRole, Result, TeamId, TeamScope, Timestamp, audit::AuditEntry};
use store::{
    Page, PageRequest,
    audit::{Chain, Order},
};

use crate::Registry;

mod exporting;
mod keeping;

pub use exporting::ExportWish;
pub use keeping::AuditKept;

/// Which entries are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of one prompt, by id or name; else of the team's keys, models and test sets.
    pub prompt: Option<String>,
    /// Of one team; for keys that see several.
    pub team: Option<TeamId>,
    /// By one actor.
    pub actor: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

impl Registry {
    /// A page of the audit. Filters may leave a page with fewer entries than were asked for.
    pub async fn audit(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        caller.require(KeyRole::Author)?;
        let chain = match &filter.prompt {
            Some(prompt) => Chain::Prompt(self.prompt(caller, prompt).await?.prompt_id),
            None => Chain::Team(team_scope(caller, filter.team.as_ref())?),
        };
        let mut page = self.store.audit(&chain, Order::NewestFirst, request).await?;
        page.data.retain(|entry| filter.takes(entry));
        Ok(page)
    }

    /// A page of a prompt's moves, newest first.
    pub async fn history(
        &self,
        caller: &Caller,
        address: &str,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let prompt = self.prompt(caller, address).await?;
        let chain = Chain::Prompt(prompt.prompt_id);
        let mut found = Page { data: Vec::new(), next_cursor: request.cursor.clone() };
        // Moves are few among the entries: pages are read until there are enough, or the chain ends.
        loop {
            let left = request.limit - u32::try_from(found.data.len()).unwrap_or(request.limit);
            let next = PageRequest { limit: left, cursor: found.next_cursor.take() };
            let page = self.store.audit(&chain, Order::NewestFirst, &next).await?;
            found.data.extend(page.data.into_iter().filter(|entry| entry.action.is_move()));
            found.next_cursor = page.next_cursor;
            if found.next_cursor.is_none() || found.data.len() >= request.limit as usize {
                return Ok(found);
            }
        }
    }

    /// A page of what moved since a moment, over all prompts that the caller sees.
    pub async fn changes(
        &self,
        caller: &Caller,
        since: Timestamp,
        order: Order,
        request: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        let page = self.store.moves(since, order, &self.unsealed(request).await?).await?;
        let seen = |team: Option<TeamId>| team.is_some_and(|team| caller.sees(&team));
        let data = page.data.into_iter().filter_map(|(team, entry)| seen(team).then_some(entry)).collect();
        self.sealed(Page { data, next_cursor: page.next_cursor }).await
    }
}

/// What belongs to all teams is an admin's to read; else it is the caller's own team.
fn team_scope(caller: &Caller, team: Option<&TeamId>) -> Result<TeamScope> {
    match team {
        Some(team) if caller.sees(team) => Ok(TeamScope::Team(team.clone())),
        Some(_) => Err(Error::not_found("team")),
        None if caller.sees_all() => Ok(TeamScope::All),
        None => Ok(caller.scope.clone()),
    }
}

impl AuditFilter {
    fn takes(&self, entry: &AuditEntry) -> bool {
        self.actor.as_ref().is_none_or(|actor| entry.actor.id == *actor || entry.actor.name == *actor)
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }
}
