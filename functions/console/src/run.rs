//! An evaluation run: its progress, the decision with its reasons, and cases beside production's answers.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    Error, EvalRun, EvalRunId, EvalStatus, Prompt, Result,
    content::Literal,
    eval_run::{CaseOutcome, CaseResult},
    gate::GateResult,
    test_set::{CaseDocument, case_lines},
};
use registry::evaluation::{CaseFilter, RunDetails};
use serde::Serialize;

use crate::{
    App,
    failure::{Answer, if_there},
    form::FormState,
    pages::Page,
    visit::{Sent, Visit},
};

/// How many cases a page shows.
const SHOWN: u32 = 15;

/// How much of an output, and of what was asked, a page shows, in characters.
const OUTPUT_CHARS: usize = 1500;

/// The largest test set that is read to show what was asked, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    progress: Progress,
    cases: Vec<Case>,
    outcome: String,
    next: Option<String>,
    test_set: Option<String>,
    reviewable: bool,
    /// Whether the viewer wrote the version, and so decides nothing about it.
    own: bool,
    form: FormState,
}

/// How far a run is.
#[derive(Serialize)]
pub(crate) struct Progress {
    run: EvalRun,
    open: bool,
    completed: usize,
    passed: usize,
    failed: usize,
    errored: usize,
}

/// A case beside what production says to it.
#[derive(Serialize)]
struct Case {
    case: CaseResult,
    /// The values of the variables, where they can be read.
    asked: Option<String>,
    why: Vec<String>,
    cut: bool,
    production: Option<Former>,
}

/// What production's run came to on the same case.
#[derive(Serialize)]
struct Former {
    outcome: CaseOutcome,
    output: Option<String>,
    error: Option<String>,
}

impl Progress {
    pub(crate) fn new(RunDetails { run, progress }: RunDetails) -> Self {
        Self {
            open: run.status.is_open(),
            completed: progress.completed(),
            passed: progress.passed.len(),
            failed: progress.failed.len(),
            errored: progress.errored.len(),
            run,
        }
    }
}

impl Case {
    fn new(
        mut case: CaseResult,
        production: &BTreeMap<String, CaseResult>,
        asked: &mut BTreeMap<u32, String>,
    ) -> Self {
        let results = case.score.iter().flat_map(|score| &score.results);
        let why = results.filter(|result| !result.passed).map(|result| result.reason.clone()).collect();
        let cut = case.output.as_mut().is_some_and(shorten);
        let production = production.get(&case.case_id).map(|former| {
            let mut output = former.output.clone();
            if let Some(output) = &mut output {
                shorten(output);
            }
            Former { outcome: former.outcome, output, error: former.error.clone() }
        });
        Self { asked: asked.remove(&case.number), case, why, cut, production }
    }
}

/// Cuts a text to its beginning; whether there was more.
fn shorten(text: &mut String) -> bool {
    let end = text.char_indices().nth(OUTPUT_CHARS).map(|(at, _)| at);
    if let Some(end) = end {
        text.truncate(end);
    }
    end.is_some()
}

/// What the cases of a page ask, by their numbers; nothing where the test set is gone, or large.
async fn asked(app: &App, run: &EvalRun, cases: &[CaseResult]) -> Result<BTreeMap<u32, String>> {
    let store = &app.registry().store;
    let set = store.test_set_version(run.test_set_id, run.test_set_version).await?;
    let Some(set) = set.filter(|set| set.bytes <= LARGEST && !cases.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let lines = if_there(store.dataset(&set).await)?.unwrap_or_default();
    let shown = (1..).zip(case_lines(&lines)).filter(|(at, _)| cases.iter().any(|case| case.number == *at));
    Ok(shown.filter_map(|(at, line)| Some((at, question(line.bytes)?))).collect())
}

/// The values of a case's variables: texts as they are, all else as it was written.
fn question(case: &[u8]) -> Option<String> {
    let case: CaseDocument = serde_json::from_slice(case).ok()?;
    let vars: BTreeMap<String, Literal> = serde_json::from_str(case.vars.as_str()).ok()?;
    let value = |value: &Literal| {
        serde_json::from_str::<String>(value.as_str()).unwrap_or_else(|_| value.as_str().to_owned())
    };
    let values: Vec<_> = vars.iter().map(|(name, given)| format!("{name}: {}", value(given))).collect();
    let mut text = values.join("\n");
    if shorten(&mut text) {
        text.push_str("… (cut here)");
    }
    Some(text)
}

fn filter_of(outcome: &str) -> Result<CaseFilter> {
    Ok(match outcome {
        "all" => CaseFilter::All,
        "passed" => CaseFilter::Outcome(CaseOutcome::Passed),
        "failed" => CaseFilter::Outcome(CaseOutcome::Failed),
        "errored" => CaseFilter::Outcome(CaseOutcome::Errored),
        "regressed" => CaseFilter::Regressed,
        _ => {
            return Err(Error::invalid("/outcome", "There are passed, failed, errored and regressed cases."));
        }
    })
}

/// What somebody wants to see first.
fn first_look(run: &EvalRun) -> &'static str {
    match &run.comparison {
        Some(comparison) if comparison.regressed > 0 => "regressed",
        _ if run.summary.is_some_and(|summary| summary.tally.failed > 0) => "failed",
        _ => "all",
    }
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, None).await
}

/// The page; of what was refused, a review or a stop, with its form.
pub(crate) async fn page(
    app: &App,
    visit: &Visit,
    refused: Option<(axum::http::StatusCode, FormState)>,
) -> Answer {
    let registry = app.registry();
    let details = registry.run(&visit.caller, visit.path::<EvalRunId>("run")?).await?;
    let id = details.run.eval_run_id;
    let (prompt, version) = registry.version_in_prompt(&visit.caller, details.run.version.id).await?;
    let outcome = visit.query.given("outcome").unwrap_or(first_look(&details.run)).to_owned();
    let filter = filter_of(&outcome)?;
    let cases = registry.case_results(&visit.caller, id, filter, &visit.page(SHOWN)).await?;
    let production = match details.run.baseline {
        Some(baseline) => registry.store.all_case_results(baseline.eval_run_id).await?,
        None => Vec::new(),
    };
    let production = production.into_iter().map(|case| (case.case_id.clone(), case)).collect();
    let test_set = if_there(registry.test_set(&visit.caller, details.run.test_set_id).await)?;
    let mut asked = match &test_set {
        Some(_) => asked(app, &details.run, &cases.data).await?,
        None => BTreeMap::new(),
    };
    let state = &version.state;
    let (status, form) = refused.unwrap_or_default();
    let title = format!("Evaluation of version {}", details.run.version.number);
    let context = Context {
        prompt,
        reviewable: details.run.gate_result == Some(GateResult::ManualReview)
            && (state.eval_run_id != Some(id) || state.eval_status == EvalStatus::ManualReview),
        own: version.version.created_by == visit.caller.actor.id,
        progress: Progress::new(details),
        cases: cases.data.into_iter().map(|case| Case::new(case, &production, &mut asked)).collect(),
        outcome,
        next: cases.next_cursor,
        test_set: test_set.map(|set| set.name),
        form,
    };
    app.show_as(status, visit, &Page { title: &title, part: "prompts", template: "run.html" }, &context).await
}

/// The part of the page that changes while the run goes on.
pub(crate) async fn progress(State(app): State<App>, visit: Visit) -> Answer {
    let run = app.registry().run(&visit.caller, visit.path::<EvalRunId>("run")?).await?;
    let context = Only { progress: Progress::new(run) };
    Ok(app.pages.part(&visit, &app.registry().sources, "progress.html", &context)?)
}

#[derive(Serialize)]
struct Only {
    progress: Progress,
}

pub(crate) async fn cancel(State(app): State<App>, sent: Sent) -> Answer {
    let run: EvalRunId = sent.visit.path("run")?;
    match app.registry().cancel_run(&sent.act, run).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/runs/{run}")).into_response()),
        Err(error) => page(&app, &sent.visit, Some(FormState::refused(&sent.fields, error)?)).await,
    }
}
