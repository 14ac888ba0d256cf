//! The first page: what is live, what is being tried, what needs somebody, what changed, and what today costs.

use std::time::Duration;

use axum::extract::State;
use domain::{
    EvalRun, Prompt, PromptId, Trial,
    audit::AuditEntry,
    eval_run::RunStatus,
    metric::{Summary, Tally},
};
use registry::{evaluation::RunDetails, metric::Sort, prompt::PromptFilter};
use serde::Serialize;
use store::{PageRequest, audit::Order};

use crate::{App, failure::Answer, live::Row, pages::Page, visit::Visit};

/// How many prompts the page shows.
const SHOWN: u32 = 12;

/// How many changes it shows.
const CHANGES: usize = 8;

/// How far back «what changed» looks.
const RECENT: Duration = Duration::from_hours(1);

#[derive(Serialize)]
struct Context {
    /// What all calls of today came to.
    today: Summary,
    prompts: Vec<Row>,
    more_prompts: bool,
    trials: Vec<Running>,
    reviews: Vec<Review>,
    runs: Vec<OpenRun>,
    changes: Vec<Change>,
    more_changes: usize,
}

#[derive(Serialize)]
struct Running {
    prompt: String,
    team: String,
    environment: String,
    id: String,
    is_canary: bool,
    /// Each arm with its share, by version.
    arms: Vec<(u32, f64)>,
}

#[derive(Serialize)]
struct Review {
    prompt: String,
    team: String,
    run: EvalRun,
}

/// What moved, and of which prompt.
#[derive(Serialize)]
struct Change {
    #[serde(flatten)]
    entry: AuditEntry,
    of: Option<Prompt>,
}

/// A run under way.
#[derive(Serialize)]
struct OpenRun {
    run: EvalRun,
    completed: usize,
}

impl Running {
    fn new((prompt, trial): (Prompt, Trial)) -> Self {
        let arms = trial.allocation().map_or_else(Vec::new, |running| running.arms);
        Self {
            prompt: prompt.name.to_string(),
            team: prompt.team_id.to_string(),
            environment: trial.environment().to_string(),
            id: trial.id().to_string(),
            is_canary: matches!(trial, Trial::Rollout(_)),
            arms: arms.iter().map(|arm| (arm.version.number, arm.weight)).collect(),
        }
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    let (registry, caller) = (app.registry(), &visit.caller);
    let now = registry.sources.now();
    let filter = PromptFilter { archived: Some(false), ..PromptFilter::default() };
    let (first, hundred) = (PageRequest::first(SHOWN), PageRequest::first(100));
    let ((_, ranking), prompts, trials, reviews, queued, running, changes) = tokio::try_join!(
        app.rankings.of(registry, caller, None, Sort::Cost, 1),
        registry.prompts(caller, &filter, &first),
        registry.active_trials(caller),
        registry.newest_to_review(caller),
        registry.runs_that_are(caller, RunStatus::Queued, &hundred),
        registry.runs_that_are(caller, RunStatus::Running, &hundred),
        registry.changes(caller, now.minus(RECENT), Order::NewestFirst, &hundred),
    )?;
    let more_changes = changes.data.len().saturating_sub(CHANGES);
    let newest: Vec<AuditEntry> = changes.data.into_iter().take(CHANGES).collect();
    let prompt_of = |entry: &AuditEntry| entry.chain.parse::<PromptId>().ok();
    let (last_used, named) = tokio::try_join!(
        registry.last_used(&prompts.data),
        registry.prompts_of(caller, newest.iter().filter_map(prompt_of)),
    )?;
    let change = |entry: AuditEntry| Change {
        of: prompt_of(&entry).and_then(|prompt| named.get(&prompt).cloned()),
        entry,
    };
    let rows = prompts.data.iter().zip(last_used);
    let open = |details: RunDetails| OpenRun { completed: details.progress.completed(), run: details.run };
    let review = |(prompt, run): (Prompt, EvalRun)| Review {
        prompt: prompt.name.to_string(),
        team: prompt.team_id.to_string(),
        run,
    };
    let context = Context {
        today: ranking.by_day.values().next().cloned().unwrap_or_else(|| Summary::from(&Tally::default())),
        prompts: rows.map(|(details, used)| Row::new(details, used, now)).collect(),
        more_prompts: prompts.next_cursor.is_some(),
        trials: trials.into_iter().map(Running::new).collect(),
        reviews: reviews.into_iter().map(review).collect(),
        runs: queued.data.into_iter().chain(running.data).map(open).collect(),
        changes: newest.into_iter().map(change).collect(),
        more_changes,
    };
    app.show(&visit, &Page { title: "Overview", part: "overview", template: "overview.html" }, &context).await
}
