//! What all calls come to: by day, and by prompt.

use std::{collections::BTreeMap, time::Duration};

use axum::extract::State;
use domain::{Error, Result, TeamId, metric::summary::Bucket, money::Usd};
use registry::metric::{Ranked, Sort, TeamMetrics, Wanted};
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
    fn new(ranked: Ranked) -> Self {
        let Ranked { prompt, summary, errors, cost_per_day, mut on_other_models } = ranked;
        on_other_models.sort_by_key(|(_, cost)| *cost);
        on_other_models.truncate(OTHERS);
        Self {
            prompt_id: prompt.prompt_id.to_string(),
            name: prompt.name.to_string(),
            team_id: prompt.team_id.to_string(),
            calls: summary.calls,
            errors,
            error_rate: summary.error_rate,
            input_tokens: summary.input_tokens,
            output_tokens: summary.output_tokens,
            cost_usd: summary.cost_usd,
            cost_per_day,
            rating: summary.rating,
            others: on_other_models,
        }
    }
}

/// What a day came to, over all prompts.
#[derive(Default)]
struct Day {
    calls: f64,
    errors: f64,
    tokens: f64,
    cost: f64,
    points: f64,
    ratings: f64,
}

#[expect(clippy::cast_precision_loss, reason = "it is drawn")]
fn by_day(teams: &[TeamMetrics]) -> BTreeMap<i64, Day> {
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    for (hour, _, summary) in teams.iter().flat_map(|team| &team.rows) {
        let day = days.entry(hour.start().as_millis()).or_default();
        day.calls += summary.calls as f64;
        day.errors += summary.error_rate.unwrap_or_default() * summary.calls as f64;
        day.tokens += (summary.input_tokens + summary.output_tokens) as f64;
        day.cost += summary.cost_usd.as_nanos() as f64 / 1e9;
        day.ratings += summary.rated as f64;
        day.points += summary.rating.unwrap_or_default() * summary.rated as f64;
    }
    days
}

type Read = fn(&Day) -> Option<f64>;

fn charts(teams: &[TeamMetrics]) -> Result<Vec<Figure>> {
    let days = by_day(teams);
    let kinds: [(&str, Read, chart::Written<'_>); 5] = [
        ("Calls a day", |day| Some(day.calls), &chart::number),
        ("Cost a day, USD", |day| Some(day.cost), &chart::number),
        ("Tokens a day", |day| Some(day.tokens), &chart::number),
        ("Share of errors", |day| (day.calls > 0.0).then(|| day.errors / day.calls), &chart::percent),
        ("Mean rating", |day| (day.ratings > 0.0).then(|| day.points / day.ratings), &chart::number),
    ];
    let mut figures = Vec::new();
    for (title, read, y) in kinds {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are far below 2^52")]
        let points = days.iter().filter_map(|(at, day)| Some((*at as f64, read(day)?)));
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
    let ranking = registry.metrics_summary(caller, sort_of(&sort)?, days).await?;
    let all: Vec<TeamId> = registry.teams(caller).await?.into_iter().map(|(team, _)| team).collect();
    let from = registry.sources.now().minus(Duration::from_hours(24) * days.saturating_sub(1));
    let wanted = Wanted { from: Some(from), to: None, bucket: Bucket::Day };
    let mut metrics = Vec::new();
    for team in all.iter().filter(|known| team.as_ref().is_none_or(|wanted| wanted == *known)) {
        metrics.push(registry.team_metrics(caller, team, wanted).await?);
    }
    let of_team = |ranked: &Ranked| team.as_ref().is_none_or(|team| ranked.prompt.team_id == *team);
    let context = Context {
        charts: charts(&metrics)?,
        ranking: ranking.data.into_iter().filter(of_team).map(Row::new).collect(),
        left_out: ranking.left_out,
        team: team.as_ref().map(ToString::to_string).unwrap_or_default(),
        teams: all.iter().map(ToString::to_string).collect(),
        days,
        sort,
    };
    app.show(&visit, &Page { title: "Dashboard", part: "dashboard", template: "dashboard.html" }, &context)
        .await
}
