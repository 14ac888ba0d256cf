//! Teams.

use axum::{Json, extract::State};
use domain::{Team, TeamId};
use registry::team::TeamDefaults;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Author, Path, Write};

use crate::{
    App,
    gate::{GateBody, GateView},
};

/// A team.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamView {
    team_id: String,
    /// What its prompts are held to when they have no gate of their own.
    gate: GateView,
    default_model_id: Option<String>,
    created_at: String,
}

/// All teams that the key sees.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamList {
    data: Vec<TeamView>,
    /// Always null: the teams are one page.
    next_cursor: Option<String>,
}

/// A team's defaults; what is left out goes back to the platform's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamBody {
    gate: Option<GateBody>,
    default_model_id: Option<String>,
}

impl TeamView {
    fn new(team_id: &TeamId, team: &Team) -> Self {
        Self {
            team_id: team_id.to_string(),
            gate: GateView::new(&team.gate.unwrap_or_default(), team.gate.is_none()),
            default_model_id: team.default_model_id.clone(),
            created_at: team.created_at.to_string(),
        }
    }
}

/// Lists teams.
#[utoipa::path(get, path = "/api/teams", tag = "teams",
    responses((status = 200, body = TeamList, description = "The teams")))]
pub async fn list(State(app): State<App>, Author(caller): Author) -> web::Result<Json<TeamList>> {
    let teams = app.registry().teams(&caller).await?;
    let data = teams.iter().map(|(team_id, team)| TeamView::new(team_id, team)).collect();
    Ok(Json(TeamList { data, next_cursor: None }))
}

/// Sets a team's defaults.
#[utoipa::path(put, path = "/api/teams/{team}", tag = "teams", request_body = TeamBody, params(("team" = String, Path)),
    responses((status = 200, body = TeamView, description = "The team")))]
pub async fn set(
    State(app): State<App>,
    Path(team_id, _): Path<TeamId>,
    Write { act, body }: Write<TeamBody>,
) -> web::Result<Json<TeamView>> {
    let gate = body.gate.as_ref().map(GateBody::policy).transpose()?;
    let defaults = TeamDefaults { gate, default_model_id: body.default_model_id };
    let team = app.registry().set_team(&act, &team_id, &defaults).await?;
    Ok(Json(TeamView::new(&team_id, &team)))
}
