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

use super::AT_ONCE;
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
    /// It was changed, and the registry was not.
    Changed,
    /// The registry was changed, and it was not.
    Behind,
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
    /// From the newest version to the file.
    pub diff: Option<Diff>,
}

/// Compares all files with the registry, and changes nothing.
pub async fn plan_all(session: &Session, files: Vec<Read>) -> Result<Vec<Plan>> {
    let progress = Progress::new("comparing", files.len());
    let plans = stream::iter(files).map(|file| plan(session, file)).buffered(AT_ONCE);
    plans.inspect_ok(|_| progress.step()).try_collect().await
}

/// Compares a file with the registry.
pub async fn plan(session: &Session, Read { path, prompt: file }: Read) -> Result<Plan> {
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
    let wrong = |error: domain::Error| wrong_content(&path, &error);
    let (Some(known), Some(version)) = (&prompt, &newest) else {
        // What the API would refuse is told before anything is written.
        content_of(&file.says, "the team's default").map_err(wrong)?;
        return Ok(Plan {
            address,
            path,
            file,
            standing: Standing::New,
            why: None,
            prompt,
            newest,
            diff: None,
        });
    };
    let here = content_of(&file.says, &version.model_id).map_err(wrong)?;
    let there = content_of_version(version)?;
    let (standing, why) = if same(&here, &there) {
        (Standing::Unchanged, None)
    } else if known.archived_at.is_some() {
        (Standing::Conflict, Some("the prompt is archived"))
    } else {
        stands(session, known, version, &file, &here).await?
    };
    let diff = (standing != Standing::Unchanged).then(|| diff(&there, &here));
    Ok(Plan { address, path, file, standing, why, prompt, newest, diff })
}

async fn stands(
    session: &Session,
    prompt: &Prompt,
    newest: &Version,
    file: &PromptFile,
    here: &Content,
) -> Result<(Standing, Option<&'static str>)> {
    let Some(based_on) = file.version else {
        return Ok((Standing::Conflict, Some("it does not say which version it was written on")));
    };
    if based_on == newest.version_number {
        return Ok((Standing::Changed, None));
    }
    let base = session.version(prompt, &Which::Number(based_on)).await?;
    Ok(if same(here, &content_of_version(&base)?) {
        (Standing::Behind, None)
    } else {
        (Standing::Conflict, Some("the registry has a newer version"))
    })
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
