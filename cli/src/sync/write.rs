//! Writing files into the registry, as new versions.

use client::{
    prompts::{NewPrompt, PromptUpdate},
    versions::{NewVersion, Version},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    AT_ONCE,
    plan::{Plan, Standing},
};
use crate::{
    failure::{Failure, Result},
    files::PromptFile,
    progress::Progress,
    session::Session,
};

/// Writes those that `writes` picks, and gives beside each its new version.
pub async fn write_all(
    session: &Session,
    plans: Vec<Plan>,
    note: Option<&str>,
    writes: impl Fn(&Plan) -> bool,
) -> Result<Vec<(Plan, Option<Version>)>> {
    let progress = Progress::new("writing", plans.iter().filter(|plan| writes(plan)).count());
    let writes = &writes;
    let written = stream::iter(plans).map(|plan| {
        let progress = &progress;
        async move {
            if !writes(&plan) {
                return Ok((plan, None));
            }
            let version = write(session, &plan, note).await?;
            progress.step();
            Ok((plan, version))
        }
    });
    written.buffered(AT_ONCE).try_collect().await
}

/// Writes a file; a new version only where it says something else than the newest.
async fn write(session: &Session, plan: &Plan, note: Option<&str>) -> Result<Option<Version>> {
    let Plan { file, standing, newest, labels, .. } = plan;
    let prompt_id = match &plan.prompt {
        Some(prompt) => prompt.prompt_id,
        None => session.client.create_prompt(&new_prompt(session, file)?).await?.prompt_id,
    };
    let prompt_id = prompt_id.to_string();
    let mut version = None;
    if *standing != Standing::Relabelled {
        let new = NewVersion {
            note: note.map(str::to_owned),
            // Between the look and the write somebody may have been faster: then this is refused.
            based_on: newest.as_ref().filter(|_| *standing != Standing::New).map(|newest| newest.version_id),
            ..file.says.clone()
        };
        version = Some(session.client.create_version(&prompt_id, &new, 0).await?);
    }
    if labels.update != PromptUpdate::default() {
        session.client.update_prompt(&prompt_id, &labels.update).await?;
    }
    Ok(version)
}

fn new_prompt(session: &Session, file: &PromptFile) -> Result<NewPrompt> {
    let team = file.team.as_ref().map(ToString::to_string);
    Ok(NewPrompt {
        name: file.name.clone(),
        team_id: session.team_of(team.as_deref())?.parse().map_err(Failure::Usage)?,
        description: file.description.clone(),
        tags: file.tags.clone(),
        test_set_id: None,
        gate: None,
    })
}
