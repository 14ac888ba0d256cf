//! How people name prompts: by id, by name in their team, or by `team/name`.

use domain::{Caller, Error, PromptId, Result, TeamId, prompt::no_such_prompt};

use crate::{Cache, ReadAt, layer::Loaded, remote::RemoteKey, values::NameEntry};

impl Cache {
    /// Finds the prompt that a caller means. Whether the caller may see it is not decided here: an id can be
    /// anybody's.
    ///
    /// A bare name is one of the caller's team. Of a key for all teams it must be unique over all of them; where it
    /// is not, `team/name` says which is meant.
    pub async fn locate(&self, caller: &Caller, address: &str) -> Result<PromptId> {
        if PromptId::looks_like(address) {
            return address.parse().map_err(|_| no_such_prompt());
        }
        if let Some(team) = caller.scope.team()
            && let Some(prompt_id) = self.named(team, address).await?
        {
            return Ok(prompt_id);
        }
        if let Some((team, name)) = address.split_once('/')
            && let Ok(team) = team.parse::<TeamId>()
            && caller.sees(&team)
            && let Some(prompt_id) = self.named(&team, name).await?
        {
            return Ok(prompt_id);
        }
        if caller.sees_all() {
            return self.named_anywhere(address).await;
        }
        Err(no_such_prompt())
    }

    /// Tells memory and cache of a name that this process has just given. A name that they do not know is looked for
    /// in the table: what fails here costs time and nothing else.
    pub async fn publish_name(&self, team: &TeamId, name: &str, prompt_id: PromptId) {
        let read_at = ReadAt::now(&self.sources);
        let entry = NameEntry { found: vec![prompt_id], for_ever: true };
        self.names.offer((Some(team.clone()), name.to_owned()), entry, read_at);
        if let Some(remote) = &self.remote {
            remote.fill(&RemoteKey::Name(team.clone(), name.to_owned()), &prompt_id, read_at).await;
        }
    }

    /// What memory alone takes an address for: an id, or a name of this team.
    pub(crate) fn remembered(&self, team: Option<&TeamId>, address: &str) -> Option<PromptId> {
        if PromptId::looks_like(address) {
            return address.parse().ok();
        }
        self.names.held(&(Some(team?.clone()), address.to_owned()))?.found.first().copied()
    }

    async fn named(&self, team: &TeamId, name: &str) -> Result<Option<PromptId>> {
        let load = || async {
            let key = RemoteKey::Name(team.clone(), name.to_owned());
            let found = self.through(&key, 0, None, || self.store.prompt_named(team, name)).await?;
            Ok(found.map(|found| NameEntry { found: found.read().into_iter().collect(), for_ever: true }))
        };
        let answer = self.names.get(&(Some(team.clone()), name.to_owned()), load).await?;
        Ok(answer.value.found.first().copied())
    }

    async fn named_anywhere(&self, name: &str) -> Result<PromptId> {
        let load = || async {
            let read_at = ReadAt::now(&self.sources);
            let found = self.store.prompts_named(name).await?;
            let found = found.into_iter().map(|(_, prompt)| prompt).collect();
            Ok(Loaded::of_table(NameEntry { found, for_ever: false }, read_at))
        };
        let answer = self.names.get(&(None, name.to_owned()), load).await?;
        match answer.value.found.as_slice() {
            [] => Err(no_such_prompt()),
            [prompt_id] => Ok(*prompt_id),
            _ => Err(Error::invalid(
                "/prompt",
                format!("Several teams have a prompt named `{name}`. Say which: `team/{name}`."),
            )),
        }
    }
}
