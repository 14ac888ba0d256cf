//! The export of whole chains.

use domain::{
    Caller, Error, KeyRole, Prompt, Result, TeamId, TeamScope,
    audit::{
        Action, AuditEntry,
        export::{Content, Head, Line},
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{
    PageRequest,
    audit::{Chain, Order},
};

use super::team_scope;
use crate::Registry;

/// How many entries of a chain an export reads at a time.
const EXPORT_PAGE: u32 = 100;

/// The most bytes of an export: an answer on Lambda holds 6 MB.
const MAX_EXPORT_BYTES: usize = 5 * 1024 * 1024;

/// After how many bytes an answer ends that is not all: what is read at a time still fits.
const ROOM: usize = 3 * 1024 * 1024;

/// How many entries are read at a time, and after how many bytes an answer ends, where any entry may bring a content of
/// 350 KiB with it. On Lambda an answer is a text within JSON, which at worst makes it twice as long.
const ROOM_FOR_CONTENTS: (u32, usize) = (5, ROOM / 4);

/// How many versions are read at once.
const READS: usize = 5;

/// Which chains are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportWish<'w> {
    /// One prompt's, by id or name; else all of the team, or of all teams.
    pub prompt: Option<&'w str>,
    /// Of this team.
    pub team: Option<&'w TeamId>,
    /// Whether to add what the prompt's versions say.
    pub versions: bool,
    /// From where on, after a former answer.
    pub cursor: Option<&'w str>,
}

impl Registry {
    /// Whole chains as JSON lines, for verification without us: a prompt's, or all of a team, or all of all teams. A
    /// prompt's comes in several answers where it does not fit into one.
    pub async fn export_audit(&self, caller: &Caller, wish: &ExportWish<'_>) -> Result<String> {
        caller.require(KeyRole::Author)?;
        if let Some(prompt) = wish.prompt {
            let prompt = self.prompt(caller, prompt).await?;
            return self.export_prompt(&prompt, wish).await;
        }
        let detail = "Only the export of one prompt has this: say which, with `prompt_id`.";
        if wish.versions {
            return Err(Error::invalid("/include", detail));
        }
        if wish.cursor.is_some() {
            return Err(Error::invalid("/cursor", detail));
        }
        let mut export = String::new();
        let mut chains = Vec::new();
        // All heads come first: wherever the tail is cut, some chain does not reach its head.
        for chain in self.chains(caller, wish.team).await? {
            let Some(head) = self.head(&chain).await? else { continue };
            chains.push((chain, head.sequence));
            push_line(&mut export, &Line::Head(head))?;
        }
        for (chain, length) in chains {
            self.export_chain(&chain, length, &mut export).await?;
            if export.len() > MAX_EXPORT_BYTES {
                let detail = "This export is larger than one answer can be. Ask for it by `prompt_id`: one \
                    prompt's comes in several answers.";
                return Err(Error::new(domain::ErrorKind::TooLarge, detail));
            }
        }
        Ok(export)
    }

    /// A part of a prompt's chain: from its head on, or from a cursor, until the answer is full. The cursor says how
    /// long the chain was at the head: what was written since is left for the next export.
    async fn export_prompt(&self, prompt: &Prompt, wish: &ExportWish<'_>) -> Result<String> {
        let chain = Chain::Prompt(prompt.prompt_id);
        let (entries, room) = if wish.versions { ROOM_FOR_CONTENTS } else { (EXPORT_PAGE, ROOM) };
        let (mut export, mut request) = (String::new(), PageRequest::first(entries));
        let length = if let Some(cursor) = wish.cursor {
            let (length, cursor) = read_cursor(cursor)?;
            request.cursor = Some(cursor);
            length
        } else {
            let head = Head { versions: wish.versions, ..Head::new(chain.name(), &prompt.chain) };
            push_line(&mut export, &Line::Head(head))?;
            prompt.chain.sequence
        };
        loop {
            let page = self.store.audit(&chain, Order::OldestFirst, &request).await?;
            let entries = page.data.into_iter().filter(|entry| entry.sequence <= length);
            let lines = stream::iter(entries).map(|entry| async move {
                let content = if wish.versions { self.said_by(prompt, &entry).await? } else { None };
                Ok::<_, Error>((entry, content))
            });
            let mut lines = lines.buffered(READS);
            while let Some((entry, content)) = lines.try_next().await? {
                push_line(&mut export, &Line::Entry(Box::new(entry)))?;
                content.map(|content| push_line(&mut export, &Line::Version(content))).transpose()?;
            }
            let Some(cursor) = page.next_cursor else { return Ok(export) };
            if export.len() > room {
                push_line(&mut export, &Line::More { cursor: format!("{length}.{cursor}") })?;
                return Ok(export);
            }
            request.cursor = Some(cursor);
        }
    }

    /// What the version says that an entry tells of.
    async fn said_by(&self, prompt: &Prompt, entry: &AuditEntry) -> Result<Option<Content>> {
        if entry.action != Action::VersionCreated {
            return Ok(None);
        }
        let missing = || Error::internal(format!("the version {} is missing", entry.subject));
        let version = self.store.version_told_of(prompt.prompt_id, entry).await?.ok_or_else(missing)?;
        let (chain, version_id) = (entry.chain.clone(), entry.subject.clone());
        Ok(Some(Content { chain, version_id, content: version.content.to_json() }))
    }

    async fn chains(&self, caller: &Caller, team: Option<&TeamId>) -> Result<Vec<Chain>> {
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
        let head = match chain {
            Chain::Prompt(prompt) => self.store.prompt(*prompt).await?.map(|prompt| prompt.chain),
            Chain::Team(team) => self.store.team(team).await?.map(|team| team.chain),
        };
        Ok(head.map(|head| Head::new(chain.name(), &head)))
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

fn read_cursor(cursor: &str) -> Result<(u64, String)> {
    let read =
        cursor.split_once('.').and_then(|(length, cursor)| Some((length.parse().ok()?, cursor.to_owned())));
    read.ok_or_else(|| {
        Error::invalid("/cursor", "This is no cursor of this export: use that of its `more` line.")
    })
}
