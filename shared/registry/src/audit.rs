//! Reading the audit: the history of a prompt, moves over all prompts, entries by filter, and the export.

use domain::{
    Caller, Error, KeyRole, Result, TeamId, TeamScope, Timestamp,
    audit::{
        AuditEntry,
        export::{Head, Line},
        prompt_chain, team_chain,
    },
};
use store::{
    Page, PageRequest,
    audit::{Chain, Order},
};

use crate::Registry;

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

/// How many entries of a chain an export reads at a time.
const EXPORT_PAGE: u32 = 100;

/// The most bytes of an export: an answer on Lambda holds 6 MB.
const MAX_EXPORT_BYTES: usize = 5 * 1024 * 1024;

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
        let page = self.store.moves(since, order, request).await?;
        let seen = |team: Option<TeamId>| team.is_some_and(|team| caller.sees(&team));
        let data = page.data.into_iter().filter_map(|(team, entry)| seen(team).then_some(entry)).collect();
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// Whole chains as JSON lines, for verification without us: a prompt's, or all of a team, or all of all teams.
    pub async fn export_audit(
        &self,
        caller: &Caller,
        prompt: Option<&str>,
        team: Option<&TeamId>,
    ) -> Result<String> {
        caller.require(KeyRole::Author)?;
        let mut export = String::new();
        let mut chains = Vec::new();
        // All heads come first: wherever the tail is cut, some chain does not reach its head.
        for chain in self.chains(caller, prompt, team).await? {
            let Some(head) = self.head(&chain).await? else { continue };
            chains.push((chain, head.sequence));
            push_line(&mut export, &Line::Head(head))?;
        }
        for (chain, length) in chains {
            self.export_chain(&chain, length, &mut export).await?;
            if export.len() > MAX_EXPORT_BYTES {
                let detail =
                    "This export is larger than one answer can be. Ask for it by `team_id` or `prompt_id`.";
                return Err(Error::new(domain::ErrorKind::TooLarge, detail));
            }
        }
        Ok(export)
    }

    async fn chains(
        &self,
        caller: &Caller,
        prompt: Option<&str>,
        team: Option<&TeamId>,
    ) -> Result<Vec<Chain>> {
        if let Some(prompt) = prompt {
            return Ok(vec![Chain::Prompt(self.prompt(caller, prompt).await?.prompt_id)]);
        }
        let mut chains = match (team, caller.sees_all()) {
            (None, true) => {
                let teams = self.store.teams().await?;
                let team_chains = teams.into_iter().map(|(team, _)| Chain::Team(TeamScope::Team(team)));
                std::iter::once(Chain::Team(TeamScope::All)).chain(team_chains).collect()
            }
            _ => vec![Chain::Team(team_scope(caller, team)?)],
        };
        let team = team.or_else(|| if caller.sees_all() { None } else { caller.scope.team() });
        let mut request = PageRequest::first(EXPORT_PAGE);
        loop {
            let page = self.store.prompts(team, &request).await?;
            chains.extend(page.data.iter().map(|prompt| Chain::Prompt(prompt.prompt_id)));
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                return Ok(chains);
            }
        }
    }

    async fn head(&self, chain: &Chain) -> Result<Option<Head>> {
        let (name, head) = match chain {
            Chain::Prompt(prompt) => {
                (prompt_chain(*prompt), self.store.prompt(*prompt).await?.map(|prompt| prompt.chain))
            }
            Chain::Team(team) => (team_chain(team), self.store.team(team).await?.map(|team| team.chain)),
        };
        Ok(head.map(|head| Head::new(name, &head)))
    }

    /// The head was read before: entries that were written since are past it, and left for the next export.
    async fn export_chain(&self, chain: &Chain, length: u64, export: &mut String) -> Result<()> {
        let mut request = PageRequest::first(EXPORT_PAGE);
        loop {
            let page = self.store.audit(chain, Order::OldestFirst, &request).await?;
            for entry in page.data.into_iter().filter(|entry| entry.sequence <= length) {
                push_line(export, &Line::Entry(Box::new(entry)))?;
            }
            request.cursor = page.next_cursor;
            if request.cursor.is_none() || export.len() > MAX_EXPORT_BYTES {
                return Ok(());
            }
        }
    }
}

fn push_line(export: &mut String, line: &Line) -> Result<()> {
    export.push_str(&serde_json::to_string(line).map_err(Error::internal)?);
    export.push('\n');
    Ok(())
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
