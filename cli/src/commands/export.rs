//! The registry into files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use client::prompts::{Prompt, PromptQuery};
use domain::TeamId;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    failure::{Failure, Result},
    files::{PromptFile, place_of, said_by},
    progress::Progress,
    session::Session,
    sync::{AT_ONCE, Line, report},
};

const EXAMPLES: &str = "\
Examples:
  cuecard export prompts                       every prompt's newest version: prompts/<team>/<name>.prompt.md
  cuecard export prompts --team support
  cuecard export prompts && cuecard push prompts   says: no change";

/// Write all prompts into files
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// The folder; made where it is missing
    folder: PathBuf,
    /// Write over files that say something else
    #[arg(long)]
    force: bool,
}

/// A prompt's newest version as a file would have it.
pub struct Newest {
    pub prompt: Prompt,
    pub file: PromptFile,
    pub number: u32,
}

impl Export {
    pub async fn run(self, session: &Session) -> Result {
        let all = newest_of_all(session).await?;
        let mut lines = Vec::new();
        for newest in all {
            let path = self.folder.join(place_of(&newest.prompt));
            let text = newest.file.text()?;
            let is_same = fs::read(&path).is_ok_and(|found| found == text.as_bytes());
            // What cannot be looked at is in the way too.
            let is_there = path.try_exists().unwrap_or(true);
            let (outcome, why) = match (is_same, is_there) {
                (true, _) => ("no change", None),
                (false, false) => ("written", None),
                (false, true) if self.force => ("written over", None),
                (false, true) => ("conflict", Some("the file is there, and says something else".to_owned())),
            };
            if matches!(outcome, "written" | "written over") && !session.dry_run {
                write(&path, &text)?;
            }
            let (prompt, file) = (newest.prompt.address(), path.display().to_string());
            lines.push(Line { prompt, file, outcome, why, version: Some(newest.number), diff: None });
        }
        report(session, &lines, "Some files are in the way: say --force, or pull.")
    }
}

/// Writes a file, with the folders above it.
pub fn write(path: &Path, text: &str) -> Result {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    fs::write(path, text).map_err(Failure::file(path))
}

/// The newest versions of all prompts that the key sees, or of the team's.
pub async fn newest_of_all(session: &Session) -> Result<Vec<Newest>> {
    let team_id = session.team.as_deref().map(str::parse::<TeamId>).transpose().map_err(Failure::Usage)?;
    let query = PromptQuery { team_id, status: Some("active"), ..PromptQuery::default() };
    let prompts = session.client.prompts(&query, usize::MAX).await?.data;
    let progress = Progress::new("reading", prompts.len());
    let found = stream::iter(prompts).map(|prompt| newest_of(session, prompt)).buffered(AT_ONCE);
    let found: Vec<_> = found.inspect_ok(|_| progress.step()).try_collect().await?;
    let mut all: Vec<Newest> = found.into_iter().flatten().collect();
    all.sort_by_key(|newest| newest.prompt.address());
    Ok(all)
}

/// The newest version of a prompt; none where there is no version.
async fn newest_of(session: &Session, prompt: Prompt) -> Result<Option<Newest>> {
    let Some(id) = prompt.newest_version_id else { return Ok(None) };
    let version = session.client.version(id).await?;
    let file = PromptFile {
        team: Some(prompt.team_id.clone()),
        name: prompt.name.clone(),
        version: Some(version.version_number),
        description: prompt.description.clone(),
        tags: prompt.tags.clone(),
        says: said_by(&version),
    };
    Ok(Some(Newest { prompt, file, number: version.version_number }))
}
