//! One prompt: what is live, its versions and trials, its figures with its moves marked, and who did what.

use std::{collections::BTreeMap, time::Duration};

use axum::{extract::State, http::StatusCode};
use domain::{
    Environment, EvalRun, Prompt, PromptId, Result, Version, VersionState,
    audit::{Action, AuditEntry},
    gate::GatePolicy,
    metric::summary::Bucket,
};
use registry::{
    audit::AuditFilter,
    metric::{Group, GroupBy, PromptMetrics, Wanted},
    prompt::is_ungated,
    version::VersionDetails,
};
use serde::Serialize;
use store::PageRequest;

use crate::{
    App,
    chart::{self, Chart},
    failure::{Answer, if_there},
    form::FormState,
    live::Live,
    pages::Page,
    visit::Visit,
};

/// How far back the charts go.
const SHOWN: Duration = Duration::from_hours(14 * 24);

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    gate: GatePolicy,
    ungated: bool,
    environments: Vec<Live>,
    versions: Vec<Row>,
    more_versions: Option<String>,
    moves: Vec<AuditEntry>,
    entries: Vec<AuditEntry>,
    runs: Vec<EvalRun>,
    more_runs: Option<String>,
    /// Whether there are newer runs than these.
    older_runs: bool,
    trials: Vec<TrialRow>,
    charts: Vec<Figure>,
    test_set: Option<String>,
    /// What takes a lock off.
    form: FormState,
}

/// A version in a list.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) version: Version,
    pub(crate) state: VersionState,
    /// Where it is live.
    pub(crate) live_in: Vec<String>,
}

/// An experiment or a canary in a list.
#[derive(Serialize)]
struct TrialRow {
    id: String,
    is_canary: bool,
    environment: String,
    active: bool,
    started_at: String,
    outcome: String,
}

/// A chart with its legend.
#[derive(Serialize)]
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) svg: String,
    pub(crate) legend: Vec<String>,
}

impl Row {
    pub(crate) fn new(VersionDetails { version, state }: VersionDetails, environments: &[Live]) -> Self {
        let id = version.version_id;
        let here = environments.iter().filter(|live| live.version.is_some_and(|live| live.id == id));
        Self { live_in: here.map(|live| live.environment.clone()).collect(), version, state }
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    Box::pin(page(&app, &visit, FormState::fresh())).await
}

/// The page; of a lock that was not taken off with its form.
pub(crate) async fn page(app: &App, visit: &Visit, (status, form): (StatusCode, FormState)) -> Answer {
    let (registry, caller) = (app.registry(), &visit.caller);
    let id: PromptId = visit.path("prompt")?;
    let address = id.to_string();
    let details = registry.prompt_details(registry.prompt(caller, &address).await?).await?;
    let now = registry.sources.now();
    let wanted = Wanted { from: Some(now.minus(SHOWN)), to: None, bucket: Bucket::Day };
    let filter = AuditFilter { prompt: Some(address.clone()), ..AuditFilter::default() };
    let (versions, runs, twenty) = (visit.page(20), visit.page_of("runs", 10), PageRequest::first(20));
    let older_runs = runs.cursor.is_some();
    let (versions, moves, entries, runs, trials, metrics) = tokio::try_join!(
        registry.versions(caller, &address, &versions),
        registry.history(caller, &address, &twenty),
        registry.audit(caller, &filter, &twenty),
        registry.runs_of(caller, &address, &runs),
        trials(app, visit, &address),
        registry.prompt_metrics(caller, &address, wanted, GroupBy::Version),
    )?;
    let environments = Live::all(&details, now);
    let title = details.prompt.name.to_string();
    let context = Context {
        ungated: is_ungated(&details.gate),
        gate: details.gate,
        versions: versions.data.into_iter().map(|version| Row::new(version, &environments)).collect(),
        more_versions: versions.next_cursor,
        environments,
        charts: charts(&metrics, &moves.data)?,
        moves: moves.data,
        entries: entries.data,
        runs: runs.data.into_iter().map(|details| details.run).collect(),
        more_runs: runs.next_cursor,
        older_runs,
        trials,
        test_set: test_set(app, visit, &details.prompt).await?,
        prompt: details.prompt,
        form,
    };
    app.show_as(status, visit, &Page { title: &title, part: "prompts", template: "prompt.html" }, &context)
        .await
}

/// What its test set is called.
async fn test_set(app: &App, visit: &Visit, prompt: &Prompt) -> Result<Option<String>> {
    let Some(set) = prompt.test_set_id else { return Ok(None) };
    Ok(if_there(app.registry().test_set(&visit.caller, set).await)?.map(|set| set.name))
}

async fn trials(app: &App, visit: &Visit, address: &str) -> Result<Vec<TrialRow>> {
    let (registry, five) = (app.registry(), PageRequest::first(5));
    let (experiments, canaries) = tokio::try_join!(
        registry.experiments(&visit.caller, address, &five),
        registry.rollouts(&visit.caller, address, &five)
    )?;
    let experiments = experiments.data.into_iter().map(|details| {
        let experiment = details.tick.experiment;
        TrialRow {
            id: experiment.experiment_id.to_string(),
            is_canary: false,
            environment: experiment.environment.to_string(),
            active: experiment.ended_at.is_none(),
            started_at: experiment.started_at.to_string(),
            outcome: said(experiment.outcome, experiment.status),
        }
    });
    let canaries = canaries.data.into_iter().map(|details| {
        let canary = details.tick.rollout;
        TrialRow {
            id: canary.rollout_id.to_string(),
            is_canary: true,
            environment: canary.environment.to_string(),
            active: canary.ended_at.is_none(),
            started_at: canary.started_at.to_string(),
            outcome: said(None::<()>, canary.status),
        }
    });
    let mut rows: Vec<_> = experiments.chain(canaries).collect();
    rows.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    Ok(rows)
}

/// How it ended, else where it stands, in the words of the API.
fn said(outcome: Option<impl Serialize>, status: impl Serialize) -> String {
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned))
    };
    let outcome = outcome.and_then(|outcome| word(serde_json::to_value(outcome)));
    outcome.or_else(|| word(serde_json::to_value(status))).unwrap_or_default()
}

/// Calls, latency, errors and cost by version and day; marked is when another version went live in production.
pub(crate) fn charts(metrics: &PromptMetrics, moves: &[AuditEntry]) -> Result<Vec<Figure>> {
    #[expect(clippy::cast_precision_loss, reason = "it is drawn")]
    let calls = |summary: &domain::metric::Summary| Some(summary.calls as f64);
    let kinds: [(&str, Read<'_>, chart::Written<'_>); 5] = [
        ("Calls a day", &calls, &chart::number),
        ("95th percentile of the latency, ms", &|s| s.latency_ms.map(|latency| latency.p95), &chart::number),
        ("Share of errors", &|s| s.error_rate, &chart::percent),
        ("Cost a day, USD", &|s| s.cost_usd.to_string().parse().ok(), &chart::number),
        ("Mean rating", &|s| s.rating, &chart::number),
    ];
    let marked = |entry: &&AuditEntry| {
        matches!(entry.action, Action::Promoted | Action::RolledBack)
            && entry.environment.as_ref().is_some_and(Environment::is_production)
    };
    let marks: Vec<f64> = moves.iter().filter(marked).map(|entry| chart::place(entry.at)).collect();
    let mut figures = Vec::new();
    for (title, read, y) in kinds {
        figures.extend(figure(metrics, title, read, y, &marks)?);
    }
    Ok(figures)
}

type Read<'a> = &'a dyn Fn(&domain::metric::Summary) -> Option<f64>;

fn figure(
    metrics: &PromptMetrics,
    title: &str,
    read: Read<'_>,
    y: chart::Written<'_>,
    marks: &[f64],
) -> Result<Option<Figure>> {
    let mut lines: BTreeMap<&Group, Vec<(f64, f64)>> = BTreeMap::new();
    for (hour, group, summary) in &metrics.rows {
        if let Some(value) = read(summary) {
            lines.entry(group).or_default().push((chart::place(hour.start()), value));
        }
    }
    let legend = lines.keys().map(|group| match group {
        Group::Version { number, .. } => format!("version {number}"),
        Group::Environment(environment) => environment.to_string(),
        Group::Variant { key, .. } => key.clone(),
    });
    let legend = legend.collect();
    let lines = lines.into_values().collect();
    let marks = marks.to_vec();
    let chart = Chart { title, lines, marks, filled: false, from_zero: true, x: &chart::day, y };
    Ok(chart.draw()?.map(|svg| Figure { title: title.to_owned(), svg, legend }))
}
