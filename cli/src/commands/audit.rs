//! The audit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use client::audit::{AuditQuery, ExportQuery};
use domain::audit::{
    checkpoint::{self, Checkpoint},
    export::Verified,
};
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
  cuecard audit export support/ticket-classifier --versions --to classifier.jsonl
  cuecard audit verify audit.jsonl                   needs no platform, no key and no network
  cuecard audit verify audit.jsonl --checkpoint checkpoints/2026/11/30/*.json";

/// The audit: read it, take it along, verify it
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Audit {
    /// List entries, newest first
    List(List),
    /// Export whole chains as JSON lines
    Export(Export),
    /// Verify an export: that nothing in it was altered, and nothing is missing
    ///
    /// An export proves itself, but not that its newest entries or whole chains were not left out. That is what
    /// checkpoints are for: those of each day are in the bucket of the archive, below audit/checkpoints/. Ends with 0
    /// where all is well, with 1 where anything is not sound or not reached, and with 2 where a file does not read.
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
    /// With what each version of the prompt says
    #[arg(long, requires = "prompt")]
    versions: bool,
    /// Into this file; else to standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Args)]
pub struct Verify {
    /// The export, or its parts in their order, whose lines are then counted on; `-` is standard input
    #[arg(required = true)]
    file: Vec<PathBuf>,
    /// Checkpoints that it must reach, one after another without a gap
    #[arg(long, value_name = "FILE", num_args = 1..)]
    checkpoint: Vec<PathBuf>,
    /// The export is of one prompt or team: chains that it has not are not missing
    #[arg(long, requires = "checkpoint")]
    partial: bool,
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
        let include = self.versions.then_some("versions");
        let query = ExportQuery { prompt_id, team_id: self.of_team, include };
        let lines = session.client.export_audit(&query).await?;
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
    /// Needs the files alone.
    pub fn run(self, output: Output) -> Result {
        let text: String = self.file.iter().map(|path| read_text(path)).collect::<Result<_>>()?;
        let checkpoints: Vec<_> =
            self.checkpoint.iter().map(|path| read_checkpoint(path)).collect::<Result<_>>()?;
        let reached = checkpoints.len();
        let verified = checkpoint::verify(&text, checkpoints, self.partial)
            .map_err(|disproved| Failure::Failed(disproved.to_string()))?;
        let Verified { chains, entries, versions } = verified;
        let mut words =
            format!("Sound: {entries} entries, each whole and as it was written (chains: {chains}).");
        let mut fields = json!({ "sound": true, "chains": chains, "entries": entries });
        if versions > 0 {
            words = format!("{words} So is what the versions say (versions: {versions}).");
            fields["versions"] = json!(versions);
        }
        if reached > 0 {
            words = format!("{words} It reaches all that was kept (checkpoints: {reached}).");
            fields["checkpoints"] = json!(reached);
        }
        output.say(&words, &fields)
    }
}

fn read_text(path: &Path) -> Result<String> {
    let unreadable = |_| Failure::Usage(format!("{} is no text in UTF-8", path.display()));
    let mut text = String::from_utf8(bytes(path)?).map_err(unreadable)?;
    // Another part may follow, whose lines are counted on.
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint> {
    let unreadable = |error| Failure::Usage(format!("{} is no checkpoint: {error}", path.display()));
    serde_json::from_slice(&bytes(path)?).map_err(unreadable)
}
