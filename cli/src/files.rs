//! Prompts as files: one prompt each, settings first and then the template.
//!
//! Ours (`.prompt.md`) is written and read, byte for byte; dotprompt (`.prompt`), Prompty (`.prompty`) and JSON lines are
//! read, and what they say that Cuecard cannot do is refused by name and line.

mod contents;
mod dotprompt;
mod front;
mod lines;
mod ours;
mod place;
mod prompty;
#[cfg(test)]
mod property;
mod speakers;

use std::path::{Path, PathBuf};

use client::versions::NewVersion;
use domain::{PromptName, TeamId};

use crate::{
    failure::{Failure, Result},
    values::{bytes, document},
};

pub use contents::{content_of, said_by, same};
pub use ours::with_version;
pub use place::{OURS, all_in, place_of};

/// What a file says of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptFile {
    pub team: Option<TeamId>,
    pub name: PromptName,
    /// The version that this was written on; none: it is new.
    pub version: Option<u32>,
    /// What the prompt is for; the same for all of its versions.
    pub description: Option<String>,
    /// Words to find it by; the same for all of its versions.
    pub tags: Vec<String>,
    /// What the version says.
    pub says: NewVersion,
}

/// A prompt with the file that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    pub path: PathBuf,
    pub prompt: PromptFile,
    /// The whole of it, where it is a file of ours.
    pub text: Option<String>,
}

impl PromptFile {
    /// The file's text, in our own form.
    pub fn text(&self) -> Result<String> {
        ours::write(self)
    }
}

/// A file of ours.
pub fn read_ours(path: &Path) -> Result<Read> {
    let text = text_of(path)?;
    let prompt = ours::read(&text).map_err(within(path))?;
    Ok(Read { path: path.to_owned(), prompt, text: Some(text) })
}

/// A file in any form; JSON lines hold several prompts.
pub fn read_any(path: &Path) -> Result<Vec<Read>> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let prompts = prompts_in(name, &text_of(path)?).map_err(within(path))?;
    let read = |prompt| Read { path: path.to_owned(), prompt, text: None };
    Ok(prompts.into_iter().map(read).collect())
}

/// What the text of a file of this name says.
pub fn prompts_in(name: &str, text: &str) -> std::result::Result<Vec<PromptFile>, String> {
    let stem = |ending: &str| name.strip_suffix(ending).unwrap_or(name).to_owned();
    let is_lines = Path::new(name).extension().is_some_and(|extension| extension == "jsonl");
    if name.ends_with(OURS) {
        ours::read(text).map(|prompt| vec![prompt])
    } else if name.ends_with(".prompt") {
        dotprompt::read(text, &stem(".prompt")).map(|prompt| vec![prompt])
    } else if name.ends_with(".prompty") {
        prompty::read(text, &stem(".prompty")).map(|prompt| vec![prompt])
    } else if is_lines {
        lines::read(text)
    } else {
        Err(format!("prompts are in *{OURS}, *.prompt, *.prompty or *.jsonl"))
    }
}

/// What a file says as a version: a prompt file, or the API's body as JSON or YAML.
pub fn new_version(path: &Path) -> Result<NewVersion> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if matches!(extension, Some("json" | "yaml" | "yml")) {
        return document(path);
    }
    let mut read = read_any(path)?;
    match (read.pop(), read.is_empty()) {
        (Some(read), true) => Ok(read.prompt.says),
        _ => Err(Failure::Usage(format!("{} does not hold one prompt", path.display()))),
    }
}

fn text_of(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::Usage(format!("{} is no text in UTF-8", path.display())))
}

fn within(path: &Path) -> impl FnOnce(String) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::Usage(format!("{path}: {error}"))
}
