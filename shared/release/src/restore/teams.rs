//! The chains of teams, and of what belongs to all of them.

use domain::{
    ApiKey, Result, Team, TeamScope,
    audit::{Action, ChainHead},
    gate::GatePolicy,
    key::key_id,
    model::ModelEntry,
    replay::read,
};
use serde::Deserialize;
use store::{Archived, Change, audit::Chain};

use super::{Next, Restoring};

/// How the audit describes a team's defaults.
#[derive(Deserialize)]
struct Defaults {
    gate: Option<GatePolicy>,
    default_model_id: Option<String>,
}

impl Restoring<'_> {
    pub(super) async fn follow_team(&mut self, chain: &Chain, scope: &TeamScope) -> Result<ChainHead> {
        let mut team = self.store.team(scope).await?;
        let mut head = team.as_ref().map(|team| team.chain.clone()).unwrap_or_default();
        for Archived { object, bytes } in self.rest(chain, &head).await? {
            let next = match Next::read(chain, &head, bytes) {
                Ok(next) => {
                    let before = team.clone().unwrap_or_else(|| Team::new(scope.clone(), next.entry.at));
                    self.team_after(&before, next).await
                }
                Err(error) => Err(error),
            };
            match next {
                Ok(next) => {
                    head = next.chain.clone();
                    team = Some(next);
                }
                Err(error) => {
                    self.refuse(&object, error)?;
                    break;
                }
            }
        }
        Ok(head)
    }

    /// Does once more what an entry tells of. Secrets are in no entry, and neither are test sets' cases.
    async fn team_after(&mut self, before: &Team, next: Next) -> Result<Team> {
        let Next { entry, text, head } = next;
        let mut after = Team { chain: head, gate_revision: before.gate_revision.max(1), ..before.clone() };
        if entry.action == Action::TeamUpdated {
            let Defaults { gate, default_model_id } = read(&entry.after)?;
            let gate_revision = after.gate_revision + 1;
            after = Team { gate, default_model_id, gate_revision, ..after };
        }
        let mut change = Change::of_team_again(before, after.clone(), (entry.clone(), text))?;
        let is_whole = match entry.action {
            Action::TeamUpdated => true,
            Action::ModelSet => {
                let model: ModelEntry = read(&entry.after)?;
                change.put_model(&model, self.store.model(&model.model_id).await?.is_none())?;
                true
            }
            Action::KeyRevoked => {
                let id = entry.subject.strip_prefix(&key_id("")).unwrap_or(&entry.subject);
                let key = self.store.api_key(id).await?.filter(|key| key.revoked_at.is_none());
                if let Some(key) = key {
                    let revision = key.revision + 1;
                    change.put_api_key(&ApiKey { revoked_at: Some(entry.at), revision, ..key })?;
                }
                true
            }
            _ => false,
        };
        self.commit(change, is_whole).await?;
        Ok(after)
    }
}
