//! Where prompts are among files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use client::prompts::Prompt;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::failure::{Failure, Result};

/// How the names of our own files end.
pub const OURS: &str = ".prompt.md";

/// What all file systems and shells can take in a name, but for these.
const AWKWARD: &AsciiSet = &CONTROLS
    .add(b'/')
    .add(b'\\')
    .add(b'%')
    .add(b':')
    .add(b'*')
    .add(b'?')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'|');

/// The longest name of a file, in bytes, without its ending.
const LONGEST: usize = 200;

/// Where a prompt is written below a folder: `<team>/<name>.prompt.md`. Awkward characters are written as `%2F`; a name that
/// is too long is cut, and ends with the prompt's id.
pub fn place_of(prompt: &Prompt) -> PathBuf {
    let mut name: String = prompt.name.as_str().chars().map(escaped).collect();
    if name.starts_with('.') {
        name.replace_range(..1, "%2E");
    }
    if name.len() > LONGEST {
        let id = prompt.prompt_id.to_string();
        while name.len() > LONGEST - id.len() - 1 {
            name.pop();
        }
        name = format!("{name} {id}");
    }
    Path::new(prompt.team_id.as_str()).join(name + OURS)
}

/// A character of a name; what is not ASCII stays, for people read it.
fn escaped(c: char) -> String {
    if c.is_ascii() {
        utf8_percent_encode(c.encode_utf8(&mut [0; 4]), AWKWARD).to_string()
    } else {
        c.to_string()
    }
}

/// All files below these paths whose names end so, in order; a path that is a file is taken whatever its name is.
pub fn all_in(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { walk(path, endings, &mut found)? } else { found.push(path.clone()) }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let entry = entry.map_err(Failure::file(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // A link to a folder is not followed: it may lead in circles.
        if entry.file_type().map_err(Failure::file(entry.path()))?.is_dir() {
            walk(&entry.path(), endings, found)?;
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(entry.path());
        }
    }
    Ok(())
}
