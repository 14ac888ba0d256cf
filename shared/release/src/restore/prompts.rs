//! The chains of prompts.

use domain::{
    Error, Prompt, PromptId, Result, Team, TeamScope, Trial, Version, VersionState,
    audit::{Action, AuditEntry, ChainHead},
    content::Content,
    replay::Standing,
};
use serde_json::Value;
use store::{Archived, Change, audit::Chain};

use super::{Next, Restoring, refused};

impl Restoring<'_> {
    pub(super) async fn follow_prompt(&mut self, chain: &Chain, id: PromptId) -> Result<ChainHead> {
        let mut standing = match self.store.prompt(id).await? {
            Some(prompt) => {
                let refs = self.store.references(id).await?.into_iter();
                let refs = refs.map(|reference| (reference.environment.clone(), reference)).collect();
                Some(Standing { prompt, refs })
            }
            None => None,
        };
        let mut head = standing.as_ref().map(|standing| standing.prompt.chain.clone()).unwrap_or_default();
        for Archived { object, bytes } in self.rest(chain, &head).await? {
            let next = match Next::read(chain, &head, bytes) {
                Ok(next) => self.prompt_after(standing.as_ref(), &next).await,
                Err(error) => Err(error),
            };
            match next {
                Ok(next) => {
                    head = next.prompt.chain.clone();
                    standing = Some(next);
                }
                Err(error) => {
                    self.refuse(&object, error)?;
                    break;
                }
            }
        }
        Ok(head)
    }

    /// Does once more what an entry tells of.
    async fn prompt_after(&mut self, standing: Option<&Standing>, next: &Next) -> Result<Standing> {
        let before = match standing {
            Some(standing) => standing.clone(),
            None => Standing::before_all(&next.entry)?,
        };
        let after = before.after(&next.entry, next.head.clone())?;
        let again = (next.entry.clone(), next.text.clone());
        let mut change = Change::of_prompt_again(&before.prompt, &after.prompt, again)?;
        for reference in after.refs.values() {
            if before.refs.get(&reference.environment) != Some(reference) {
                change.put_ref(reference)?;
            }
        }
        self.put_names(&mut change, (standing.is_none(), &before.prompt), &after.prompt).await?;
        for trial in self.ended_trials(&before, &after, next).await? {
            change.put_trial(&trial)?;
        }
        if next.is(Action::VersionCreated) {
            let version = self.version_of(&after.prompt, next).await?;
            change.put_version(&version)?;
            change.put_version_state(&VersionState::new(&version, None))?;
        } else if let Some(state) = self.state_after(&after.prompt, next).await? {
            change.put_version_state(&state)?;
        }
        self.commit(change, says_all(next)).await?;
        Ok(after)
    }

    async fn put_names(
        &self,
        change: &mut Change,
        (is_new, before): (bool, &Prompt),
        after: &Prompt,
    ) -> Result<()> {
        if is_new {
            change.take_name(after, false)?;
            let scope = TeamScope::Team(after.team_id.clone());
            if self.store.team(&scope).await?.is_none() {
                change.put_new_team(&Team::new(scope, after.created_at))?;
            }
        } else if after.name != before.name {
            let is_alias = self.store.prompt_named(&after.team_id, after.name.as_str()).await?.is_some();
            change.take_name(after, is_alias)?;
            change.keep_alias(before)?;
        }
        Ok(())
    }

    /// The trials that split the traffic of refs before, and do not any more: over, where the table has them running.
    async fn ended_trials(&self, before: &Standing, after: &Standing, next: &Next) -> Result<Vec<Trial>> {
        let mut ended = Vec::new();
        for (environment, reference) in &after.refs {
            let former = before.refs.get(environment).and_then(|reference| reference.allocation.as_ref());
            let (Some(former), None) = (former, &reference.allocation) else { continue };
            let trial = self.store.trial(reference.prompt_id, former.trial).await?;
            if let Some(running) = trial.filter(Trial::is_active) {
                let reason = "The table was restored to a moment before its end.";
                ended.push(running.called_off(reason, next.entry.at)?.after(&running));
            }
        }
        Ok(ended)
    }

    /// The version that an entry tells of, with what it says: the entry proves it by its hash.
    async fn version_of(&self, prompt: &Prompt, next: &Next) -> Result<Version> {
        let entry = &next.entry;
        let Some(pointer) = prompt.newest_version else { return Err(Error::internal("no version was made")) };
        let found = self.store.archived_content(prompt.prompt_id, pointer.id).await?;
        let missing = || refused(format!("what {} says is not in the archive", pointer.id));
        let altered = || refused(format!("what {} says was altered in the archive", pointer.id));
        let content: Content = serde_json::from_slice(&found.ok_or_else(missing)?).map_err(|_| altered())?;
        let content_sha256 = content.sha256();
        if entry.after["content_sha256"] != *content_sha256 {
            return Err(altered());
        }
        Ok(Version {
            version_id: pointer.id,
            prompt_id: prompt.prompt_id,
            number: pointer.number,
            content,
            content_sha256,
            created_by: entry.actor.id.clone(),
            created_at: entry.at,
            note: entry.reason.clone(),
        })
    }

    /// The state of the version that an entry tells of, where that changes it. What runs found is not in the archive:
    /// a verdict that may not hold any more is none.
    async fn state_after(&self, prompt: &Prompt, next: &Next) -> Result<Option<VersionState>> {
        let Some(id) = next.entry.after["version_id"].as_str() else { return Ok(None) };
        let id = id.parse().map_err(refused)?;
        let Some((_, number)) = self.store.version_place(id).await? else { return Ok(None) };
        let Some(state) = self.store.version_state(prompt.prompt_id, number).await? else { return Ok(None) };
        Ok(match (next.entry.action, &next.entry.environment) {
            (Action::Promoted, Some(environment)) => Some(state.live_in(environment)),
            (Action::RolledBack, Some(environment)) => {
                (!state.been_live.contains(environment)).then(|| state.live_in(environment))
            }
            (
                Action::EvaluationQueued
                | Action::EvaluationEnded
                | Action::EvaluationCancelled
                | Action::EvaluationReviewed,
                _,
            ) => is_verdict(&next.entry).then(|| state.undecided()),
            _ => None,
        })
    }
}

/// Whether a run may have changed a verdict: not where it measured what is in production.
fn is_verdict(entry: &AuditEntry) -> bool {
    let measures = |purpose: &Value| purpose == "baseline" || purpose == "watch";
    !measures(&entry.after["purpose"]) && !measures(&entry.evidence["purpose"])
}

/// Whether an entry says all that was done.
fn says_all(next: &Next) -> bool {
    match next.entry.action {
        // The run that was queued with it is not in the archive.
        Action::VersionCreated => next.entry.evidence["eval_run_id"].is_null(),
        Action::PromptCreated
        | Action::PromptUpdated
        | Action::PromptArchived
        | Action::PromptRestored
        | Action::Promoted
        | Action::RolledBack
        | Action::Locked
        | Action::Unlocked
        | Action::OverridesSet => true,
        _ => false,
    }
}
