//! The audit.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use client::audit::{AuditQuery, ExportQuery};
use domain::audit::export;
use serde_json::json;

use crate::{
    arguments::Most,
    failure::{Failure, Result},
    output::{Output, print},
    session::Session,
    values::{bytes, moment},
};

const EXAMPLES: &str = "\
Examples:
  cuecard audit list support/ticket-classifier --from 30d
  cuecard audit list --of-team support               its keys, models and test sets
  cuecard audit export --to audit.jsonl
  cuecard audit verify audit.jsonl                   needs no platform, no key and no network";

/// The audit: read it, take it along, verify it
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Audit {
    /// List entries, newest first
    List(List),
    /// Export whole chains as JSON lines
    Export(Export),
    /// Verify an export: that nothing in it was altered, and nothing is missing
    Verify(Verify),
}

#[derive(Args)]
pub struct List {
    /// The prompt: its id, its name, or team/name; else what belongs to a team
    prompt: Option<String>,
    /// What belongs to this team: keys, models, test sets
    #[arg(long, value_name = "TEAM", conflicts_with = "prompt")]
    of_team: Option<String>,
    /// Only by this actor: key_<id>, or a key's name
    #[arg(long)]
    actor: Option<String>,
    /// From when on: a time, or how long ago, as 12h or 30d
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    most: Most,
}

#[derive(Args)]
pub struct Export {
    /// The prompt: its id, its name, or team/name; else everything that the key sees
    prompt: Option<String>,
    /// Everything of this team
    #[arg(long, value_name = "TEAM", conflicts_with = "prompt")]
    of_team: Option<String>,
    /// Into this file; else to standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Args)]
pub struct Verify {
    /// The export; `-` is standard input
    file: PathBuf,
}

impl Audit {
    pub async fn run(self, session: &Session) -> Result {
        match self {
            Self::List(list) => list.run(session).await,
            Self::Export(export) => export.run(session).await,
            Self::Verify(verify) => verify.run(session.output),
        }
    }
}

impl List {
    async fn run(self, session: &Session) -> Result {
        let now = session.client.now();
        let at = |text: Option<String>| text.map(|text| moment(&text, now)).transpose();
        let query = AuditQuery {
            prompt_id: self.prompt.map(|prompt| session.address(&prompt)),
            team_id: self.of_team,
            actor: self.actor,
            from: at(self.from)?,
            to: at(self.to)?,
        };
        session.output.show(&session.client.audit(&query, self.most.count()).await?)
    }
}

impl Export {
    async fn run(self, session: &Session) -> Result {
        let prompt_id = self.prompt.map(|prompt| session.address(&prompt));
        let lines = session.client.export_audit(&ExportQuery { prompt_id, team_id: self.of_team }).await?;
        let Some(path) = self.to else { return print(&lines) };
        let count = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        if !session.may(&format!("write {count} lines to {}", path.display()))? {
            return Ok(());
        }
        fs::write(&path, &lines).map_err(Failure::file(&path))?;
        let words = format!("{count} lines are in {}.", path.display());
        session.output.say(&words, &json!({ "file": path, "lines": count }))
    }
}

impl Verify {
    /// Needs the export alone.
    pub fn run(self, output: Output) -> Result {
        let text = String::from_utf8(bytes(&self.file)?);
        let text =
            text.map_err(|_| Failure::Usage(format!("{} is no text in UTF-8", self.file.display())))?;
        match export::verify(&text) {
            Ok(verified) => {
                let (chains, entries) = (verified.chains, verified.entries);
                let words =
                    format!("Sound: {entries} entries, each whole and as it was written (chains: {chains}).");
                output.say(&words, &json!({ "sound": true, "chains": chains, "entries": entries }))
            }
            Err(unsound) => Err(Failure::Failed(format!("This export is not sound: {unsound}"))),
        }
    }
}
