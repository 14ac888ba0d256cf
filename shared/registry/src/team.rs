//! Teams and what they hold their prompts to.

use domain::{
    Caller, Error, KeyRole, Result, Team, TeamId, TeamScope,
    audit::{Action, Fact},
    gate::GatePolicy,
};
use serde_json::json;

use crate::{Act, Registry, settle::Step};

/// What a team's defaults shall be.
#[derive(Debug, Clone, Default)]
pub struct TeamDefaults {
    /// The gate of prompts without one of their own; `None`: the platform's default.
    pub gate: Option<GatePolicy>,
    /// The model of first versions that name none.
    pub default_model_id: Option<String>,
}

impl Registry {
    /// The teams that the caller sees.
    pub async fn teams(&self, caller: &Caller) -> Result<Vec<(TeamId, Team)>> {
        let teams = self.store.teams().await?;
        Ok(teams.into_iter().filter(|(team, _)| caller.sees(team)).collect())
    }

    /// Sets a team's defaults; only an admin may.
    pub async fn set_team(&self, act: &Act, team_id: &TeamId, defaults: &TeamDefaults) -> Result<Team> {
        act.caller.require(KeyRole::Admin)?;
        if let Some(gate) = &defaults.gate {
            gate.validate()?;
        }
        let scope = TeamScope::Team(team_id.clone());
        let attempt = || async {
            let missing = || Error::not_found("team");
            let before = self.store.team(&scope).await?.ok_or_else(missing)?;
            let after = Team {
                gate: defaults.gate,
                default_model_id: defaults.default_model_id.clone(),
                gate_revision: before.gate_revision + 1,
                ..before.clone()
            };
            let mut fact = Fact::new(&act.caller.actor, Action::TeamUpdated, team_id);
            fact.before = json!({ "gate": before.gate, "default_model_id": before.default_model_id });
            fact.after = json!({ "gate": after.gate, "default_model_id": after.default_model_id });
            let change = store::Change::of_team(&before, after.clone(), fact, &self.sources)?;
            Ok(Step::commit(change, after))
        };
        let made = self
            .settle(&Act::by(act.caller.clone()), attempt, |_| async { Err(Error::not_found("team")) })
            .await?;
        Ok(made.value)
    }

    /// The team as it is, or as it would begin.
    pub(crate) async fn team_or_new(&self, scope: &TeamScope) -> Result<Team> {
        let found = self.store.team(scope).await?;
        Ok(found.unwrap_or_else(|| Team::new(scope.clone(), self.sources.now())))
    }
}
