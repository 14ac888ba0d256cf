//! Teams.

use domain::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Client, Page, Result,
    call::segment,
    gate::{Gate, NewGate},
};

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub team_id: TeamId,
    /// What its prompts are held to when they have no gate of their own.
    pub gate: Gate,
    /// The model of versions that name none.
    pub default_model_id: Option<String>,
    /// Since when there is one.
    pub created_at: Timestamp,
}

/// A team's defaults; what is `None` goes back to the platform's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeamDefaults {
    /// What its prompts are held to.
    pub gate: Option<NewGate>,
    /// The model of versions that name none.
    pub default_model_id: Option<String>,
}

impl Client {
    /// All teams that the key sees.
    pub async fn teams(&self) -> Result<Page<Team>> {
        self.get("/api/teams").answer().await
    }

    /// Sets a team's defaults.
    pub async fn set_team(&self, team: &str, defaults: &TeamDefaults) -> Result<Team> {
        self.put(&format!("/api/teams/{}", segment(team))).json(defaults).answer().await
    }
}
