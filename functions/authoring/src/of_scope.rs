//! What the lists have in common of things that belong to one team, or to all.

use domain::TeamScope;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which of them are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfScopeQuery {
    /// Of this team; left out: what is for all teams (`*`).
    #[param(value_type = Option<String>)]
    pub(crate) team_id: Option<TeamScope>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
    /// From the former page.
    pub(crate) cursor: Option<String>,
}
