//! Prompts: making and finding them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Caller, Error, ErrorKind, KeyRole, Prompt, PromptName, Ref, Result, Team, TeamId, TeamScope, TestSetId,
    audit::{Action, Fact},
    gate::{GateMode, GatePolicy},
    prompt::{check_labels, no_such_prompt},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use store::{Change, Page, PageRequest};

use crate::{Act, Made, Registry, settle::Step};

/// How many prompts' refs are read at once.
const READS: usize = 16;

/// What a new prompt is given.
#[derive(Debug, Clone)]
pub struct NewPrompt {
    /// Its name.
    pub name: PromptName,
    /// Its team.
    pub team_id: TeamId,
    /// For people.
    pub description: Option<String>,
    /// For finding it.
    pub tags: Vec<String>,
    /// What its versions are evaluated against.
    pub test_set_id: Option<TestSetId>,
    /// Its own gate.
    pub gate: Option<GatePolicy>,
}

/// A prompt with what one wants to know beside it.
#[derive(Debug, Clone)]
pub struct PromptDetails {
    /// The prompt.
    pub prompt: Prompt,
    /// Its refs, by environment.
    pub refs: Vec<Ref>,
    /// The gate in force: its own, the team's, or the default.
    pub gate: GatePolicy,
}

/// Which prompts are wanted.
#[derive(Debug, Clone, Default)]
pub struct PromptFilter {
    /// Of one team.
    pub team_id: Option<TeamId>,
    /// With a tag.
    pub tag: Option<String>,
    /// With a text in name or description, whatever its case.
    pub q: Option<String>,
    /// Archived ones, or those that are not.
    pub archived: Option<bool>,
}

impl Registry {
    /// Makes a prompt, and its team where it is the first one.
    pub async fn create_prompt(&self, act: &Act, new: NewPrompt) -> Result<Made<PromptDetails>> {
        act.caller.require(KeyRole::Author)?;
        require_team(&act.caller, &new.team_id)?;
        check_labels(new.description.as_deref(), &new.tags)?;
        self.check_gate_change(&act.caller, &new.team_id, new.gate, None).await?;
        let made = self
            .settle(
                act,
                || self.build_prompt(act, &new),
                |made: String| async move { self.prompt(&act.caller, &made).await },
            )
            .await?;
        let prompt = made.value;
        self.cache.publish_name(&prompt.team_id, prompt.name.as_str(), prompt.prompt_id).await;
        Ok(Made { value: self.prompt_details(prompt).await?, replayed: made.replayed })
    }

    async fn build_prompt(&self, act: &Act, new: &NewPrompt) -> Result<Step<Prompt>> {
        if self.store.prompt_named(&new.team_id, new.name.as_str()).await?.is_some() {
            return Err(name_taken(&new.team_id, &new.name));
        }
        if let Some(set) = new.test_set_id {
            self.test_set_of(&new.team_id, set).await?;
        }
        let now = self.sources.now();
        let actor = &act.caller.actor;
        let before = Prompt::new(self.sources.id(), new.name.clone(), new.team_id.clone(), &actor.id, now);
        let after = Prompt {
            description: new.description.clone(),
            tags: new.tags.clone(),
            test_set_id: new.test_set_id,
            gate: new.gate,
            ..before.clone()
        };
        let mut fact = Fact::new(actor, Action::PromptCreated, after.prompt_id);
        fact.after = describe(&after);
        let mut change = Change::of_prompt(&before, after.clone(), fact, &self.sources)?;
        change.take_name(&after, false)?;
        let scope = TeamScope::Team(new.team_id.clone());
        if self.store.team(&scope).await?.is_none() {
            change.put_new_team(&Team::new(scope, now))?;
        }
        if let Some(mark) = &act.once {
            change.once(mark, 201, after.prompt_id)?;
        }
        Ok(Step::commit(change, after))
    }

    /// The prompt that the caller means, if the caller may see it.
    pub async fn prompt(&self, caller: &Caller, address: &str) -> Result<Prompt> {
        let prompt_id = self.cache.locate(caller, address).await?;
        let found = self.store.prompt(prompt_id).await?;
        found.filter(|prompt| caller.sees(&prompt.team_id)).ok_or_else(no_such_prompt)
    }

    /// A prompt with its refs and its gate.
    pub async fn prompt_details(&self, prompt: Prompt) -> Result<PromptDetails> {
        let refs = self.store.references(prompt.prompt_id).await?;
        let (gate, _) = self.gate_of(&prompt).await?;
        Ok(PromptDetails { prompt, refs, gate })
    }

    /// The gate in force for a prompt, and the team whose default it may be.
    pub async fn gate_of(&self, prompt: &Prompt) -> Result<(GatePolicy, Option<Team>)> {
        let team = self.store.team(&TeamScope::Team(prompt.team_id.clone())).await?;
        let default = team.as_ref().and_then(|team| team.gate).unwrap_or_default();
        Ok((prompt.gate.unwrap_or(default), team))
    }

    /// A page of the prompts that the caller sees. Filters may leave a page with fewer than were asked for.
    pub async fn prompts(
        &self,
        caller: &Caller,
        filter: &PromptFilter,
        request: &PageRequest,
    ) -> Result<Page<PromptDetails>> {
        let team = match (&filter.team_id, caller.sees_all()) {
            (Some(team), _) if caller.sees(team) => Some(team),
            (Some(_), _) => return Ok(Page { data: Vec::new(), next_cursor: None }),
            (None, true) => None,
            (None, false) => caller.scope.team(),
        };
        let page = match (team, filter.sought()) {
            (None, Some(sought)) => self.store.prompts_with(&sought, request).await?,
            (team, _) => self.store.prompts(team, request).await?,
        };
        let prompts = page.data.into_iter().filter(|prompt| filter.takes(prompt)).collect();
        Ok(Page { data: self.details_of(prompts).await?, next_cursor: page.next_cursor })
    }

    /// The prompts of a page with their refs and gates: each team is read once.
    async fn details_of(&self, prompts: Vec<Prompt>) -> Result<Vec<PromptDetails>> {
        let teams: BTreeSet<_> = prompts.iter().map(|prompt| prompt.team_id.clone()).collect();
        let teams = self.store.teams_of(teams).await?;
        let defaults = teams.into_iter().filter_map(|team| Some((team.team_id.team()?.clone(), team.gate?)));
        let defaults: BTreeMap<TeamId, GatePolicy> = defaults.collect();
        let reads = stream::iter(prompts).map(|prompt| {
            let gate = prompt.gate.or_else(|| defaults.get(&prompt.team_id).copied()).unwrap_or_default();
            async move {
                let refs = self.store.references(prompt.prompt_id).await?;
                Ok::<_, Error>(PromptDetails { prompt, refs, gate })
            }
        });
        reads.buffered(READS).try_collect().await
    }

    /// Refuses a gate that is out of range, or weaker than what it takes the place of, unless an admin asks.
    pub async fn check_gate_change(
        &self,
        caller: &Caller,
        team: &TeamId,
        gate: Option<GatePolicy>,
        before: Option<GatePolicy>,
    ) -> Result<()> {
        let Some(gate) = gate else { return Ok(()) };
        gate.validate()?;
        let default = self.store.team(&TeamScope::Team(team.clone())).await?.and_then(|team| team.gate);
        let before = before.or(default).unwrap_or_default();
        if gate.is_weaker_than(&before) && caller.role() < KeyRole::Admin {
            let detail = "This gate is weaker than the one in force; only an admin may weaken a gate.";
            return Err(Error::new(ErrorKind::Forbidden, detail).at("/gate", "weaker than before"));
        }
        Ok(())
    }
}

impl PromptFilter {
    /// The text that is sought, in lower case.
    fn sought(&self) -> Option<String> {
        self.q.as_deref().filter(|q| !q.is_empty()).map(str::to_lowercase)
    }

    fn takes(&self, prompt: &Prompt) -> bool {
        self.tag.as_ref().is_none_or(|tag| prompt.tags.contains(tag))
            && self.archived.is_none_or(|archived| archived == prompt.archived_at.is_some())
            && self.sought().is_none_or(|sought| prompt.searched().contains(&sought))
    }
}

/// A foreign team is as if it were not there; one's own is named when the key is not for it.
pub(crate) fn require_team(caller: &Caller, team: &TeamId) -> Result<()> {
    if caller.sees(team) {
        return Ok(());
    }
    Err(Error::not_found("team").at("/team_id", "not a team of this key"))
}

/// Somebody has the name, or had it.
pub fn name_taken(team: &TeamId, name: &PromptName) -> Error {
    Error::new(
        ErrorKind::NameTaken,
        format!(
            "The name `{name}` belongs to another prompt of `{team}`, now or in the past. Choose another."
        ),
    )
    .at("/name", "is taken")
}

/// How the audit describes a prompt.
pub fn describe(prompt: &Prompt) -> serde_json::Value {
    json!({
        "name": prompt.name, "team_id": prompt.team_id, "description": prompt.description, "tags": prompt.tags,
        "test_set_id": prompt.test_set_id, "gate": prompt.gate, "archived_at": prompt.archived_at,
    })
}

/// Whether versions of a prompt with this gate go out without the gate's word.
pub fn is_ungated(gate: &GatePolicy) -> bool {
    gate.mode != GateMode::Required
}
