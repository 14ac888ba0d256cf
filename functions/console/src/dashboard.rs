//! What all calls come to: by day, of all prompts or of each team, prompt or version, and by prompt.

mod lines;

use axum::extract::State;
use domain::{Error, Prompt, Result, TeamId, money::Usd};
use registry::metric::{Ranked, Ranking, Sort};
use serde::Serialize;

use self::lines::Lines;
use crate::{App, failure::Answer, pages::Page, prompt::Figure, visit::Visit};

/// How many other models the ranking shows of each prompt, the cheapest first.
const OTHERS: usize = 8;

#[derive(Serialize)]
struct Context {
    days: u32,
    sort: String,
    team: String,
    teams: Vec<String>,
    /// What the charts have a line for: each `team`, `prompt` or `version`; empty: all calls together.
    each: String,
    /// Whose versions they show.
    chosen: Option<Prompt>,
    charts: Vec<Figure>,
    /// How many lines are not drawn.
    undrawn: usize,
    ranking: Vec<Row>,
    left_out: usize,
    /// When the figures were added up.
    as_of: String,
}

#[derive(Serialize)]
struct Row {
    prompt_id: String,
    name: String,
    team_id: String,
    calls: i64,
    errors: i64,
    error_rate: Option<f64>,
    input_tokens: i64,
    output_tokens: i64,
    cost_usd: Usd,
    cost_per_day: Usd,
    rating: Option<f64>,
    others: Vec<(String, Usd)>,
}

impl Row {
    fn new(ranked: &Ranked) -> Self {
        let Ranked { prompt, summary, errors, cost_per_day, on_other_models } = ranked;
        let mut on_other_models = on_other_models.clone();
        on_other_models.sort_by_key(|(_, cost)| *cost);
        on_other_models.truncate(OTHERS);
        Self {
            prompt_id: prompt.prompt_id.to_string(),
            name: prompt.name.to_string(),
            team_id: prompt.team_id.to_string(),
            calls: summary.calls,
            errors: *errors,
            error_rate: summary.error_rate,
            input_tokens: summary.input_tokens,
            output_tokens: summary.output_tokens,
            cost_usd: summary.cost_usd,
            cost_per_day: *cost_per_day,
            rating: summary.rating,
            others: on_other_models,
        }
    }
}

fn sort_of(word: &str) -> Result<Sort> {
    match word {
        "cost" => Ok(Sort::Cost),
        "calls" => Ok(Sort::Calls),
        "errors" => Ok(Sort::Errors),
        "rating" => Ok(Sort::Rating),
        _ => Err(Error::invalid("/sort", "Prompts are sorted by cost, calls, errors or rating.")),
    }
}

/// The prompt whose versions are drawn: the one that is asked for, else the first one.
async fn chosen(app: &App, visit: &Visit, ranking: &Ranking) -> Result<Option<Prompt>> {
    match visit.query.given("prompt") {
        Some(address) => app.registry().prompt(&visit.caller, address).await.map(Some),
        None => Ok(ranking.data.first().map(|ranked| ranked.prompt.clone())),
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let (registry, caller) = (app.registry(), &visit.caller);
    let days: u32 = visit.query.optional("days")?.unwrap_or(14);
    let word = visit.query.given("sort").unwrap_or("cost").to_owned();
    let sort = sort_of(&word)?;
    let team: Option<TeamId> = visit.query.optional("team")?;
    let ((as_of, ranking), teams) = tokio::try_join!(
        app.rankings.of(registry, caller, team.as_ref(), sort, days),
        registry.teams(caller),
    )?;
    let each = visit.query.text("by");
    let chosen = if each == "version" { chosen(&app, &visit, &ranking).await? } else { None };
    let drawn = match (each, &chosen) {
        ("team", _) => {
            let known = teams.iter().map(|(known, _)| known.clone());
            let wanted = known.filter(|known| team.as_ref().is_none_or(|team| team == known)).collect();
            lines::of_teams(&app, caller, wanted, (sort, days)).await?
        }
        ("prompt", _) => lines::of_prompts(registry, &ranking, days).await?,
        ("version", Some(prompt)) => lines::of_versions(registry, caller, prompt, days).await?,
        ("version", None) => Lines::default(),
        _ => lines::of_all(&ranking),
    };
    let context = Context {
        charts: lines::charts(&drawn)?,
        undrawn: drawn.left_out,
        each: each.to_owned(),
        chosen,
        ranking: ranking.data.iter().map(Row::new).collect(),
        as_of: as_of.to_string(),
        left_out: ranking.left_out,
        team: team.as_ref().map(ToString::to_string).unwrap_or_default(),
        teams: teams.iter().map(|(team, _)| team.to_string()).collect(),
        days,
        sort: word,
    };
    app.show(&visit, &Page { title: "Dashboard", part: "dashboard", template: "dashboard.html" }, &context)
        .await
}
