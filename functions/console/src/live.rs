//! What is live where, as several pages show it.

use domain::{Ref, Timestamp, VersionPointer, reference::Lock};
use registry::prompt::{PromptDetails, is_ungated};
use serde::Serialize;

/// An environment of a prompt.
#[derive(Serialize)]
pub(crate) struct Live {
    pub(crate) environment: String,
    is_production: bool,
    pub(crate) version: Option<VersionPointer>,
    moved_at: Timestamp,
    moved_by: String,
    pub(crate) moved_revision: u64,
    /// The experiment or canary that runs here.
    trial: Option<String>,
    /// Each arm with its share.
    arms: Vec<(String, u32, f64)>,
    lock: Option<Lock>,
    automation_held: bool,
    /// Where a rollback without a target goes.
    pub(crate) back_to: Option<VersionPointer>,
}

impl Live {
    /// The environment, with its lock where that still holds.
    pub(crate) fn of(reference: &Ref, now: Timestamp) -> Self {
        let running = reference.allocation.as_ref();
        let arms = running.into_iter().flat_map(|running| &running.arms);
        Self {
            environment: reference.environment.to_string(),
            is_production: reference.environment.is_production(),
            version: reference.version,
            moved_at: reference.moved_at,
            moved_by: reference.moved_by.clone(),
            moved_revision: reference.moved_revision,
            trial: running.map(|running| running.trial.to_string()),
            arms: arms.map(|arm| (arm.key.clone(), arm.version.number, arm.weight)).collect(),
            lock: reference.active_lock(now).cloned(),
            automation_held: reference.automation_held,
            back_to: if running.is_some() { reference.version } else { reference.rollback_target() },
        }
    }

    /// All environments of a prompt, production first.
    pub(crate) fn all(details: &PromptDetails, now: Timestamp) -> Vec<Self> {
        let mut refs: Vec<&Ref> = details.refs.iter().collect();
        refs.sort_by_key(|reference| (!reference.environment.is_production(), reference.environment.clone()));
        refs.into_iter().map(|reference| Self::of(reference, now)).collect()
    }
}

/// A prompt in a list.
#[derive(Serialize)]
pub(crate) struct Row {
    prompt_id: String,
    name: String,
    team_id: String,
    description: Option<String>,
    tags: Vec<String>,
    archived: bool,
    ungated: bool,
    newest: Option<VersionPointer>,
    environments: Vec<Live>,
    last_used: Option<Timestamp>,
}

impl Row {
    pub(crate) fn new(details: &PromptDetails, last_used: Option<Timestamp>, now: Timestamp) -> Self {
        let prompt = &details.prompt;
        Self {
            prompt_id: prompt.prompt_id.to_string(),
            name: prompt.name.to_string(),
            team_id: prompt.team_id.to_string(),
            description: prompt.description.clone(),
            tags: prompt.tags.clone(),
            archived: prompt.archived_at.is_some(),
            ungated: is_ungated(&details.gate),
            newest: prompt.newest_version,
            environments: Live::all(details, now),
            last_used,
        }
    }
}
