//! Teams.

use domain::{Result, Team, TeamId, TeamScope};

use crate::{
    Change, Slot, Store,
    change::Guard,
    keys::{Key, List},
};

impl Change {
    /// Makes the team of a first prompt.
    pub fn put_new_team(&mut self, team: &Team) -> Result<()> {
        let list = (List::Teams, team.team_id.as_str().to_owned());
        let born = Team { gate_revision: 1, ..team.clone() };
        self.put_listed(Slot::TeamGate, Key::Team(team.team_id.clone()), &born, Guard::Absent, &list)
    }

    /// Insists that the team's gate is the one that was read.
    pub fn require_team_gate(&mut self, team: &Team) {
        let guard = Guard::Counter("gate_revision", team.gate_revision);
        self.check(Slot::TeamGate, Key::Team(team.team_id.clone()), guard);
    }
}

impl Store {
    /// Reads a team.
    pub async fn team(&self, team: &TeamScope) -> Result<Option<Team>> {
        self.get(&Key::Team(team.clone())).await
    }

    /// Reads up to 100 teams in any order; those that are not there are left out.
    pub async fn teams_of(&self, ids: impl IntoIterator<Item = TeamId>) -> Result<Vec<Team>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| Key::Team(TeamScope::Team(id))).collect();
        self.get_many(&keys).await
    }

    /// All teams, by id.
    pub async fn teams(&self) -> Result<Vec<(TeamId, Team)>> {
        let teams: Vec<Team> = self.all(self.query_list(&List::Teams)).await?;
        Ok(teams.into_iter().filter_map(|team| Some((team.team_id.team()?.clone(), team))).collect())
    }
}
