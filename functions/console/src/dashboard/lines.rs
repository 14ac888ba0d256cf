//! What the charts of the dashboard draw: one line of all calls, or one for each team, prompt or version.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Caller, Error, Prompt, Result, TeamId, Timestamp,
    metric::{Hour, Summary, summary::Bucket},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use registry::{
    Registry,
    metric::{Group, GroupBy, Ranked, Ranking, Sort, Wanted},
};

use crate::{
    App,
    chart::{self, Chart},
    prompt::Figure,
};

/// How many lines a chart has: as many as there are colours.
const MOST: usize = 6;

/// How many of them are read at once.
const READS: usize = 8;

/// The figures of something by day.
pub(super) struct Line {
    name: String,
    days: BTreeMap<Hour, Summary>,
}

/// The lines of all charts.
#[derive(Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
    /// How many more there would be.
    pub(super) left_out: usize,
}

impl Lines {
    /// With no more of them than can be told apart, the first ones.
    fn first(mut lines: Vec<Line>) -> Self {
        let left_out = lines.len().saturating_sub(MOST);
        lines.truncate(MOST);
        Self { lines, left_out }
    }
}

/// Whole days until now, today included.
fn recent(days: u32, now: Timestamp) -> Wanted {
    let before = Duration::from_hours(24) * days.saturating_sub(1);
    // A range is never empty, not even one of today alone.
    let from = now.minus(before).minus(Duration::from_millis(1));
    Wanted { from: Some(from), to: None, bucket: Bucket::Day }
}

/// All calls together.
pub(super) fn of_all(ranking: &Ranking) -> Lines {
    Lines::first(vec![Line { name: String::new(), days: ranking.by_day.clone() }])
}

/// Those teams that are called, the most called first.
pub(super) async fn of_teams(
    app: &App,
    caller: &Caller,
    teams: Vec<TeamId>,
    (sort, days): (Sort, u32),
) -> Result<Lines> {
    let reads = stream::iter(teams).map(|team| async move {
        let (_, ranking) = app.rankings.of(app.registry(), caller, Some(&team), sort, days).await?;
        let calls: i64 = ranking.by_day.values().map(|day| day.calls).sum();
        Ok::<_, Error>((calls, Line { name: team.to_string(), days: ranking.by_day.clone() }))
    });
    let mut lines: Vec<_> = reads.buffered(READS).try_collect().await?;
    lines.retain(|(calls, _)| *calls > 0);
    lines.sort_by_key(|(calls, _)| std::cmp::Reverse(*calls));
    Ok(Lines::first(lines.into_iter().map(|(_, line)| line).collect()))
}

/// The first prompts of a ranking, each with all its versions.
pub(super) async fn of_prompts(registry: &Registry, ranking: &Ranking, days: u32) -> Result<Lines> {
    let wanted = recent(days, registry.sources.now());
    let named =
        |Ranked { prompt, .. }: &Ranked| (prompt.prompt_id, format!("{}/{}", prompt.team_id, prompt.name));
    let drawn: Vec<_> = ranking.data.iter().take(MOST).map(named).collect();
    let reads = stream::iter(drawn).map(|(prompt, name)| async move {
        let days = registry.prompt_totals(prompt, wanted).await?;
        Ok::<_, Error>(Line { name, days })
    });
    let lines = reads.buffered(READS).try_collect().await?;
    Ok(Lines { lines, left_out: ranking.data.len().saturating_sub(MOST) + ranking.left_out })
}

/// The versions of a prompt that are called, the newest first.
pub(super) async fn of_versions(
    registry: &Registry,
    caller: &Caller,
    prompt: &Prompt,
    days: u32,
) -> Result<Lines> {
    let (address, wanted) = (prompt.prompt_id.to_string(), recent(days, registry.sources.now()));
    let metrics = registry.prompt_metrics(caller, &address, wanted, GroupBy::Version).await?;
    let mut versions: BTreeMap<u32, BTreeMap<Hour, Summary>> = BTreeMap::new();
    for (day, group, summary) in metrics.rows {
        if let Group::Version { number, .. } = group {
            versions.entry(number).or_default().insert(day, summary);
        }
    }
    let line = |(number, days)| Line { name: format!("version {number}"), days };
    Ok(Lines::first(versions.into_iter().rev().map(line).collect()))
}

type Read = fn(&Summary) -> Option<f64>;

/// The charts, each with all lines in the same order, so that a colour means the same in all of them.
pub(super) fn charts(Lines { lines, .. }: &Lines) -> Result<Vec<Figure>> {
    #[expect(clippy::cast_precision_loss, reason = "it is drawn")]
    let kinds: [(&str, Read, chart::Written<'_>); 7] = [
        ("Calls a day", |day| Some(day.calls as f64), &chart::number),
        ("Cost a day, USD", |day| Some(day.cost_usd.as_nanos() as f64 / 1e9), &chart::number),
        ("Tokens a day", |day| Some((day.input_tokens + day.output_tokens) as f64), &chart::number),
        ("Median of the latency, ms", |day| day.latency_ms.map(|latency| latency.p50), &chart::number),
        (
            "95th percentile of the latency, ms",
            |day| day.latency_ms.map(|latency| latency.p95),
            &chart::number,
        ),
        ("Share of errors", |day| day.error_rate, &chart::percent),
        ("Mean rating", |day| day.rating, &chart::number),
    ];
    let legend: Vec<String> =
        lines.iter().map(|line| line.name.clone()).filter(|name| !name.is_empty()).collect();
    let mut figures = Vec::new();
    for (title, read, y) in kinds {
        let points = |line: &Line| {
            let points = line.days.iter().map(|(day, summary)| (chart::place(day.start()), read(summary)));
            points.filter_map(|(place, value)| Some((place, value?))).collect()
        };
        let chart = Chart {
            title,
            lines: lines.iter().map(points).collect(),
            marks: Vec::new(),
            filled: lines.len() == 1,
            from_zero: true,
            x: &chart::day,
            y,
        };
        let drawn = chart.draw()?;
        figures.extend(drawn.map(|svg| Figure { title: title.to_owned(), svg, legend: legend.clone() }));
    }
    Ok(figures)
}
