//! What all calls come to: by day, and by prompt.

use std::collections::BTreeMap;

use axum::extract::State;
use domain::{
    Error, Result, TeamId,
    metric::{Hour, Summary},
    money::Usd,
};
use registry::metric::{Ranked, Sort};
use serde::Serialize;

use crate::{
    App,
    chart::{self, Chart},
    failure::Answer,
    pages::Page,
    prompt::Figure,
    visit::Visit,
};

/// How many other models the ranking shows of each prompt, the cheapest first.
const OTHERS: usize = 8;

#[derive(Serialize)]
struct Context {
    days: u32,
    sort: String,
    team: String,
    teams: Vec<String>,
    charts: Vec<Figure>,
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

type Read = fn(&Summary) -> Option<f64>;

fn charts(days: &BTreeMap<Hour, Summary>) -> Result<Vec<Figure>> {
    #[expect(clippy::cast_precision_loss, reason = "it is drawn")]
    let kinds: [(&str, Read, chart::Written<'_>); 5] = [
        ("Calls a day", |day| Some(day.calls as f64), &chart::number),
        ("Cost a day, USD", |day| Some(day.cost_usd.as_nanos() as f64 / 1e9), &chart::number),
        ("Tokens a day", |day| Some((day.input_tokens + day.output_tokens) as f64), &chart::number),
        ("Share of errors", |day| day.error_rate, &chart::percent),
        ("Mean rating", |day| day.rating, &chart::number),
    ];
    let mut figures = Vec::new();
    for (title, read, y) in kinds {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are far below 2^52")]
        let at = |day: &Hour| day.start().as_millis() as f64;
        let points = days.iter().filter_map(|(day, summary)| Some((at(day), read(summary)?)));
        let chart = Chart {
            title,
            lines: vec![points.collect()],
            marks: Vec::new(),
            filled: true,
            from_zero: true,
            x: &chart::day,
            y,
        };
        figures.extend(chart.draw()?.map(|svg| Figure { title: title.to_owned(), svg, legend: Vec::new() }));
    }
    Ok(figures)
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

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let (registry, caller) = (app.registry(), &visit.caller);
    let days: u32 = visit.query.optional("days")?.unwrap_or(14);
    let sort = visit.query.given("sort").unwrap_or("cost").to_owned();
    let team: Option<TeamId> = visit.query.optional("team")?;
    let ((as_of, ranking), teams) = tokio::try_join!(
        app.rankings.of(registry, caller, team.as_ref(), sort_of(&sort)?, days),
        registry.teams(caller),
    )?;
    let context = Context {
        charts: charts(&ranking.by_day)?,
        ranking: ranking.data.iter().map(Row::new).collect(),
        as_of: as_of.to_string(),
        left_out: ranking.left_out,
        team: team.as_ref().map(ToString::to_string).unwrap_or_default(),
        teams: teams.iter().map(|(team, _)| team.to_string()).collect(),
        days,
        sort,
    };
    app.show(&visit, &Page { title: "Dashboard", part: "dashboard", template: "dashboard.html" }, &context)
        .await
}
