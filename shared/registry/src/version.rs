//! Versions: writing, reading, comparing and rendering them.

use std::sync::Arc;

use cache::LoadedVersion;
use domain::{
    Caller, Error, ErrorKind, KeyRole, Prompt, Result, TeamScope, Version, VersionId, VersionPointer,
    VersionState,
    audit::{Action, Fact},
    content::Content,
    diff::{Diff, diff},
    version::NewVersion,
};
use serde_json::{Value, json};
use store::{Change, Page, PageRequest};

use crate::{Act, Made, Registry, evaluation::Plan, settle::Step};

/// A version with its state.
#[derive(Debug, Clone)]
pub struct VersionDetails {
    /// The version.
    pub version: Version,
    /// What happened to it since.
    pub state: VersionState,
}

/// A written version, or the one that says the same already.
#[derive(Debug, Clone)]
pub struct Written {
    /// The version.
    pub details: VersionDetails,
    /// Whether it was there before.
    pub unchanged: bool,
}

impl Registry {
    /// Writes a version. Content equal to the newest version's makes nothing.
    pub async fn create_version(&self, act: &Act, address: &str, new: &NewVersion) -> Result<Made<Written>> {
        act.caller.require(KeyRole::Author)?;
        let attempt = || async {
            let prompt = self.prompt(&act.caller, address).await?;
            self.draft_version(act, &prompt, new).await
        };
        let replay = |made: String| async move {
            let id: VersionId = made.parse().map_err(Error::internal)?;
            Ok(Written { details: self.version(&act.caller, id).await?, unchanged: false })
        };
        self.settle(act, attempt, replay).await
    }

    async fn draft_version(&self, act: &Act, prompt: &Prompt, new: &NewVersion) -> Result<Step<Written>> {
        refuse_archived(prompt)?;
        let newest = match prompt.newest_version {
            Some(newest) => self.store.version(prompt.prompt_id, newest.number).await?,
            None => None,
        };
        let content = self.content_of(prompt, new, newest.as_ref()).await?;
        let content_sha256 = content.sha256();
        check_based_on(new, &content, newest.as_ref())?;
        // Not by hash: canonical JSON takes the defaults 1.5 and 1.50 for one, and they print differently.
        if let Some(newest) = newest.filter(|newest| newest.content == content) {
            let details = self.with_state(newest).await?;
            return Ok(Step::Done(Written { details, unchanged: true }));
        }
        let now = self.sources.now();
        let version = Version {
            version_id: self.sources.id(),
            prompt_id: prompt.prompt_id,
            number: prompt.newest_version.map_or(0, |newest| newest.number) + 1,
            content,
            content_sha256,
            created_by: act.caller.actor.id.clone(),
            created_at: now,
            note: new.note.clone(),
        };
        let plan = self.first_run(prompt, &version, &act.caller).await?;
        let state = VersionState::new(&version, plan.as_ref().map(|plan| plan.run.eval_run_id));
        let change = self.change_for(act, prompt, &version, &state, plan.as_ref())?;
        let details = VersionDetails { version, state };
        Ok(Step::commit(change, Written { details, unchanged: false }))
    }

    fn change_for(
        &self,
        act: &Act,
        prompt: &Prompt,
        version: &Version,
        state: &VersionState,
        plan: Option<&Plan>,
    ) -> Result<Change> {
        let after = Prompt { newest_version: Some(version.pointer()), ..prompt.clone() };
        let mut fact = Fact::new(&act.caller.actor, Action::VersionCreated, version.version_id);
        fact.after = describe(version);
        fact.evidence = json!({ "eval_run_id": plan.map(|plan| plan.run.eval_run_id) });
        fact.reason.clone_from(&version.note);
        let mut change = Change::of_prompt(prompt, after, fact, &self.sources)?;
        change.put_version(version)?;
        change.put_version_state(state)?;
        if let Some(plan) = plan {
            plan.put(&mut change)?;
        }
        if let Some(mark) = &act.once {
            change.once(mark, 201, version.version_id)?;
        }
        Ok(change)
    }

    /// A version by its id, if the caller may see it.
    pub async fn version(&self, caller: &Caller, version: VersionId) -> Result<VersionDetails> {
        let (_, details) = self.version_in_prompt(caller, version).await?;
        Ok(details)
    }

    /// A version by its id together with its prompt, if the caller may see it.
    pub async fn version_in_prompt(
        &self,
        caller: &Caller,
        version: VersionId,
    ) -> Result<(Prompt, VersionDetails)> {
        let missing = || Error::not_found("version");
        let (prompt_id, number) = self.store.version_place(version).await?.ok_or_else(missing)?;
        let prompt = self.store.prompt(prompt_id).await?.ok_or_else(missing)?;
        if !caller.sees(&prompt.team_id) {
            return Err(missing());
        }
        let version = self.store.version(prompt_id, number).await?.ok_or_else(missing)?;
        Ok((prompt, self.with_state(version).await?))
    }

    /// A version of this very prompt; `pointer` is where the caller named it.
    pub async fn version_of(
        &self,
        prompt: &Prompt,
        pointer: &str,
        version: VersionId,
    ) -> Result<VersionDetails> {
        let foreign = || {
            Error::invalid(pointer, format!("{version} is not a version of the prompt `{}`.", prompt.name))
        };
        let (prompt_id, number) = self.store.version_place(version).await?.ok_or_else(foreign)?;
        if prompt_id != prompt.prompt_id {
            return Err(foreign());
        }
        let version = self.store.version(prompt_id, number).await?.ok_or_else(foreign)?;
        self.with_state(version).await
    }

    /// A page of a prompt's versions, newest first.
    pub async fn versions(
        &self,
        caller: &Caller,
        address: &str,
        request: &PageRequest,
    ) -> Result<Page<VersionDetails>> {
        let prompt = self.prompt(caller, address).await?;
        let page = self.store.versions(prompt.prompt_id, request).await?;
        let mut data = Vec::with_capacity(page.data.len());
        for version in page.data {
            data.push(self.with_state(version).await?);
        }
        Ok(Page { data, next_cursor: page.next_cursor })
    }

    /// How two versions of a prompt differ. A version is named by id or number.
    pub async fn diff(
        &self,
        caller: &Caller,
        address: &str,
        from: &str,
        to: &str,
    ) -> Result<(Version, Version, Diff)> {
        let prompt = self.prompt(caller, address).await?;
        let from = self.version_named(&prompt, "/from", from).await?;
        let to = self.version_named(&prompt, "/to", to).await?;
        let diff = diff(&from.content, &to.content);
        Ok((from, to, diff))
    }

    async fn version_named(&self, prompt: &Prompt, pointer: &str, name: &str) -> Result<Version> {
        let missing = || {
            let detail =
                format!("`{name}` is neither the id nor the number of a version of `{}`.", prompt.name);
            Error::invalid(pointer, detail)
        };
        if let Ok(number) = name.parse::<u32>() {
            return self.store.version(prompt.prompt_id, number).await?.ok_or_else(missing);
        }
        let id = name.parse::<VersionId>().map_err(|_| missing())?;
        self.version_of(prompt, pointer, id).await.map(|details| details.version).map_err(|_| missing())
    }

    /// A version ready to render, if the caller may see it.
    pub async fn compiled_version(&self, caller: &Caller, version: VersionId) -> Result<Arc<LoadedVersion>> {
        let details = self.version(caller, version).await?;
        self.cache.load_version(details.version)
    }

    /// The content that a draft comes to: checked, with its variables, and known to compile.
    async fn content_of(
        &self,
        prompt: &Prompt,
        new: &NewVersion,
        newest: Option<&Version>,
    ) -> Result<Content> {
        let model_id = match (&new.model_id, newest) {
            (Some(given), _) => given.clone(),
            (None, Some(newest)) => newest.content.model_id.clone(),
            (None, None) => self.default_model(prompt).await?,
        };
        new.content(model_id)
    }

    async fn default_model(&self, prompt: &Prompt) -> Result<String> {
        let team = self.store.team(&TeamScope::Team(prompt.team_id.clone())).await?;
        team.and_then(|team| team.default_model_id).ok_or_else(|| {
            let detail = "The first version of a prompt names its model: set `model_id`.";
            Error::invalid("/model_id", detail)
        })
    }

    async fn with_state(&self, version: Version) -> Result<VersionDetails> {
        let state = self.store.version_state(version.prompt_id, version.number).await?;
        let state = state.ok_or_else(|| Error::internal(format!("{} has no state", version.version_id)))?;
        Ok(VersionDetails { version, state })
    }
}

/// Refuses a draft that was started from a version which is not the newest any more.
fn check_based_on(new: &NewVersion, content: &Content, newest: Option<&Version>) -> Result<()> {
    let (Some(based_on), Some(newest)) = (new.based_on, newest) else { return Ok(()) };
    if based_on == newest.version_id {
        return Ok(());
    }
    let difference = serde_json::to_value(diff(&newest.content, content)).map_err(Error::internal)?;
    Err(Error::new(
        ErrorKind::NewerVersion,
        format!(
            "This was written on {based_on}, but {} (number {}) is newer. Look at the difference, and write it on \
             that one.",
            newest.version_id, newest.number
        ),
    )
    .at("/based_on", "is not the newest version")
    .fact("newest_version_id", newest.version_id.to_string())
    .fact("diff", difference))
}

/// An archived prompt takes no changes.
pub fn refuse_archived(prompt: &Prompt) -> Result<()> {
    if prompt.archived_at.is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Archived,
        format!(
            "The prompt `{}` is archived. Restore it first: POST /api/prompts/{}/restore",
            prompt.name, prompt.prompt_id
        ),
    ))
}

/// How the audit names a version: by its hash, so that its content is proven too.
pub fn describe(version: &Version) -> Value {
    describe_pointer(version.pointer(), &version.content_sha256)
}

/// The same, from what a ref knows.
pub fn describe_pointer(pointer: VersionPointer, content_sha256: &str) -> Value {
    json!({ "version_id": pointer.id, "version_number": pointer.number, "content_sha256": content_sha256 })
}
