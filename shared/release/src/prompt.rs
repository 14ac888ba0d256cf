//! Changes of a prompt that its refs carry too: its name, and whether it is archived.

use cache::ReadAt;
use domain::{
    Caller, KeyRole, Prompt, PromptName, Result, TestSetId, Trial,
    audit::{Action, Fact},
    gate::GatePolicy,
    prompt::check_labels,
};
use futures_util::future::join_all;
use registry::{
    Act,
    prompt::{PromptDetails, describe, name_taken},
    settle::Step,
    version::refuse_archived,
};
use serde_json::json;
use store::Change;

use crate::{Release, moved::News};

/// What shall change; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Debug, Clone, Default)]
pub struct PromptUpdate {
    /// The name; the former one stays an alias.
    pub name: Option<PromptName>,
    /// For people.
    pub description: Option<Option<String>>,
    /// For finding it.
    pub tags: Option<Vec<String>>,
    /// What new versions are evaluated against.
    pub test_set_id: Option<Option<TestSetId>>,
    /// Its own gate.
    pub gate: Option<Option<GatePolicy>>,
}

/// A change that the refs of a prompt may have to follow.
#[derive(Clone, Copy)]
enum Rewrite<'a> {
    Update(&'a PromptUpdate),
    Archive,
    Restore,
}

impl Release {
    /// Changes a prompt.
    pub async fn update_prompt(
        &self,
        act: &Act,
        address: &str,
        update: &PromptUpdate,
    ) -> Result<PromptDetails> {
        act.caller.require(KeyRole::Author)?;
        let registry = &self.registry;
        let details = self.rewrite_prompt(act, address, Rewrite::Update(update)).await?;
        let prompt = &details.prompt;
        registry.cache.publish_name(&prompt.team_id, prompt.name.as_str(), prompt.prompt_id).await;
        Ok(details)
    }

    /// Archives a prompt: it answers «gone» from now on, and everything is kept.
    pub async fn archive_prompt(&self, act: &Act, address: &str) -> Result<PromptDetails> {
        act.caller.require(KeyRole::Releaser)?;
        self.rewrite_prompt(act, address, Rewrite::Archive).await
    }

    /// Brings an archived prompt back, with its refs where they were.
    pub async fn restore_prompt(&self, act: &Act, address: &str) -> Result<PromptDetails> {
        act.caller.require(KeyRole::Releaser)?;
        self.rewrite_prompt(act, address, Rewrite::Restore).await
    }

    /// Writes a prompt and those of its refs that change with it, in one transaction.
    async fn rewrite_prompt(&self, act: &Act, address: &str, rewrite: Rewrite<'_>) -> Result<PromptDetails> {
        let registry = &self.registry;
        let prompt_id = registry.prompt(&act.caller, address).await?.prompt_id;
        let attempt = || async {
            let read_at = ReadAt::now(&registry.sources);
            let before = registry.prompt(&act.caller, &prompt_id.to_string()).await?;
            let (after, action) = self.rewritten(&act.caller, &before, rewrite).await?;
            if after == before {
                return Ok(Step::Done((before, Vec::new())));
            }
            let carried = after.name != before.name || after.archived_at != before.archived_at;
            let refs = if carried { registry.store.references(prompt_id).await? } else { Vec::new() };
            let news: Vec<_> = refs
                .iter()
                .map(|reference| News { reference: reference.following(&after), read_at })
                .collect();
            let archived = after.archived_at.is_some();
            let ended = if archived { self.all_running(&refs).await? } else { Vec::new() };
            let mut fact = Fact::new(&act.caller.actor, action, prompt_id);
            fact.before = describe(&before);
            fact.after = describe(&after);
            if !ended.is_empty() {
                let trials: Vec<_> = ended.iter().map(Trial::id).collect();
                fact.evidence = json!({ "trials_ended": trials });
            }
            let mut change = Change::of_prompt(&before, after.clone(), fact, &registry.sources)?;
            if after.name != before.name {
                let owner = registry.store.prompt_named(&before.team_id, after.name.as_str()).await?;
                if owner.is_some_and(|owner| owner != prompt_id) {
                    return Err(name_taken(&before.team_id, &after.name));
                }
                change.take_name(&after, owner.is_some())?;
                change.keep_alias(&before)?;
            }
            for News { reference, .. } in &news {
                change.put_ref(reference)?;
            }
            for running in &ended {
                let now = registry.sources.now();
                change.put_trial(&running.called_off("The prompt was archived.", now)?.after(running))?;
            }
            if let Some(mark) = &act.once {
                change.once(mark, 200, prompt_id)?;
            }
            Ok(Step::commit(change, (after, news)))
        };
        let replay =
            |_| async { Ok((registry.prompt(&act.caller, &prompt_id.to_string()).await?, Vec::new())) };
        let made = registry.settle(act, attempt, replay).await?;
        let (prompt, news) = made.value;
        // Side by side, for a cache that does not answer keeps each of them waiting.
        join_all(news.iter().map(|news| self.propagate(news))).await;
        registry.prompt_details(prompt).await
    }

    async fn rewritten(
        &self,
        caller: &Caller,
        before: &Prompt,
        rewrite: Rewrite<'_>,
    ) -> Result<(Prompt, Action)> {
        match rewrite {
            Rewrite::Update(update) => {
                refuse_archived(before)?;
                Ok((self.updated(caller, before, update).await?, Action::PromptUpdated))
            }
            Rewrite::Archive => {
                let archived_at = before.archived_at.or(Some(self.registry.sources.now()));
                Ok((Prompt { archived_at, ..before.clone() }, Action::PromptArchived))
            }
            Rewrite::Restore => Ok((Prompt { archived_at: None, ..before.clone() }, Action::PromptRestored)),
        }
    }

    async fn updated(&self, caller: &Caller, before: &Prompt, update: &PromptUpdate) -> Result<Prompt> {
        let mut after = before.clone();
        if let Some(name) = &update.name {
            after.name = name.clone();
        }
        if let Some(description) = &update.description {
            after.description.clone_from(description);
        }
        if let Some(tags) = &update.tags {
            after.tags.clone_from(tags);
        }
        if let Some(set) = update.test_set_id {
            if let Some(set) = set {
                self.registry.test_set_of(&before.team_id, set).await?;
            }
            after.test_set_id = set;
        }
        if let Some(gate) = update.gate {
            let (in_force, team) = self.registry.gate_of(before).await?;
            let default = team.and_then(|team| team.gate).unwrap_or_default();
            let wanted = Some(gate.unwrap_or(default));
            self.registry.check_gate_change(caller, &before.team_id, wanted, Some(in_force)).await?;
            after.gate = gate;
        }
        check_labels(after.description.as_deref(), &after.tags)?;
        Ok(after)
    }
}
