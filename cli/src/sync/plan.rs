//! Three-way: a file, the version that it was written on, and the newest version.

use std::path::{Path, PathBuf};

use client::{
    prompts::Prompt,
    versions::{NewVersion, Version},
};
use domain::{
    content::Content,
    diff::{Diff, diff},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{AT_ONCE, labels::Labels};
use crate::{
    failure::{Failure, Result},
    files::{PromptFile, Read, content_of, said_by, same},
    progress::Progress,
    session::Session,
    which::Which,
};

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is no such prompt, or it has no version.
    New,
    /// It says what the newest version says.
    Unchanged,
    /// It says what the newest version says, with another description or other tags.
    Relabelled,
    /// It was changed, and the registry was not.
    Changed,
    /// The registry was changed, and it was not.
    Behind,
    /// The registry was changed, and here what no version holds: the description, tags, comments.
    Edited,
    /// Both were.
    Conflict,
}

/// A file, and what it would come to.
pub struct Plan {
    /// `team/name`.
    pub address: String,
    pub path: PathBuf,
    pub file: PromptFile,
    pub standing: Standing,
    /// Why, where that is not plain.
    pub why: Option<&'static str>,
    pub prompt: Option<Prompt>,
    pub newest: Option<Version>,
    pub labels: Labels,
    /// From the registry to the file.
    pub diff: Option<Diff>,
}

/// What of a file is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What versions say.
    Versions,
    /// That, and the description and the tags of the prompt.
    Prompts,
}

/// Where a file stands, and why where that is not plain.
type Stands = (Standing, Option<&'static str>);

/// Compares all files with the registry, and changes nothing.
pub async fn plan_all(session: &Session, files: Vec<Read>, about: About) -> Result<Vec<Plan>> {
    let progress = Progress::new("comparing", files.len());
    let plans = stream::iter(files).map(|file| plan(session, file, about)).buffered(AT_ONCE);
    plans.inspect_ok(|_| progress.step()).try_collect().await
}

/// Compares a file with the registry.
async fn plan(session: &Session, read: Read, about: About) -> Result<Plan> {
    let file = &read.prompt;
    let team = file.team.as_ref().map(ToString::to_string);
    let address = format!("{}/{}", session.team_of(team.as_deref())?, file.name);
    let prompt = match session.client.prompt(&address).await {
        Ok(prompt) => Some(prompt),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error.into()),
    };
    let newest = match prompt.as_ref().and_then(|prompt| prompt.newest_version_id) {
        Some(id) => Some(session.client.version(id).await?),
        None => None,
    };
    let mut labels = Labels::default();
    let (standing, why, diff) = if let (Some(prompt), Some(newest)) = (&prompt, &newest) {
        if about == About::Prompts {
            labels = Labels::of(session, prompt, file).await?;
        }
        let ((standing, why), diff) = compare(session, prompt, newest, &read, &labels).await?;
        (standing, why, diff)
    } else {
        // What the API would refuse is told before anything is written.
        content_of(&file.says, "the team's default").map_err(|error| wrong_content(&read.path, &error))?;
        (Standing::New, None, None)
    };
    let Read { path, prompt: file, .. } = read;
    Ok(Plan { address, path, file, standing, why, prompt, newest, labels, diff })
}

/// Where a file stands to a prompt that has a version, and what differs from the newest.
async fn compare(
    session: &Session,
    prompt: &Prompt,
    newest: &Version,
    read: &Read,
    labels: &Labels,
) -> Result<(Stands, Option<Diff>)> {
    let here = content_of(&read.prompt.says, &newest.model_id);
    let here = here.map_err(|error| wrong_content(&read.path, &error))?;
    let there = content_of_version(newest)?;
    let changes = labels.changes.clone();
    if same(&here, &there) && changes.is_empty() {
        return Ok(((Standing::Unchanged, None), None));
    }
    if same(&here, &there) {
        let diff = Diff { fields: changes, text: Vec::new() };
        return Ok(((Standing::Relabelled, None), Some(diff)));
    }
    let stands = if prompt.archived_at.is_some() {
        (Standing::Conflict, Some("the prompt is archived"))
    } else {
        stands(session, prompt, newest, read, labels, &here).await?
    };
    let mut diff = diff(&there, &here);
    diff.fields.extend(changes);
    Ok((stands, Some(diff)))
}

async fn stands(
    session: &Session,
    prompt: &Prompt,
    newest: &Version,
    Read { prompt: file, text, .. }: &Read,
    labels: &Labels,
    here: &Content,
) -> Result<Stands> {
    let Some(based_on) = file.version else {
        return Ok((Standing::Conflict, Some("it does not say which version it was written on")));
    };
    if based_on == newest.version_number {
        return Ok((Standing::Changed, None));
    }
    let base = session.version(prompt, &Which::Number(based_on)).await?;
    if !same(here, &content_of_version(&base)?) {
        return Ok((Standing::Conflict, Some("the registry has a newer version")));
    }
    let as_written = PromptFile { says: said_by(&base), ..file.clone() }.text()?;
    if labels.are_edited || *text != Some(as_written) {
        return Ok((Standing::Edited, Some("its description, tags or comments were changed too")));
    }
    Ok((Standing::Behind, None))
}

fn content_of_version(version: &Version) -> Result<Content> {
    let says = NewVersion { variables: Some(version.variables.clone()), ..said_by(version) };
    content_of(&says, &version.model_id)
        .map_err(|error| Failure::Failed(format!("{} does not read here: {error}", version.version_id)))
}

fn wrong_content(path: &Path, error: &domain::Error) -> Failure {
    let mut lines = vec![format!("{}: {error}", path.display())];
    lines.extend(error.problems().iter().map(|problem| format!("  {}: {}", problem.pointer, problem.detail)));
    Failure::Usage(lines.join("\n"))
}
