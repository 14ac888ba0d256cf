//! An experiment: its arms, how sure one can be of them, its weights over time, and what is decided so far.

mod stopping;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use domain::{
    ExperimentId, KeyRole, Prompt, Result, VersionPointer,
    experiment::{Experiment, Verdict, posterior::Figure as Interval},
    trial::Weights,
};
use registry::{
    experiment::{ArmDetails, ExperimentDetails},
    judging,
};
use release::Stop;
use serde::Serialize;
use web::Fields;

use self::stopping::asked;
use crate::{
    App,
    chart::{self, Chart},
    confirm::{Question, is_sure},
    failure::Answer,
    form::FormState,
    pages::Page,
    prompt::Figure,
    visit::{Sent, Visit},
};

/// How many weights are drawn, newest first, and how many of them are listed.
const DRAWN: u32 = 100;
const LISTED: usize = 10;

/// How many points a density is drawn with.
const POINTS: u32 = 80;

/// Below this the axis of time shows hours, in milliseconds.
const TWO_DAYS: f64 = 48.0 * 3_600_000.0;

/// The density of a standard normal distribution is left away this far from its middle.
const TAIL: f64 = 3.5;

/// How many standard deviations the end of a 95 % interval is from the middle.
const END: f64 = 1.96;

#[derive(Serialize)]
struct Context {
    prompt: Prompt,
    experiment: Experiment,
    active: bool,
    arms: Vec<Arm>,
    verdict: Verdict,
    weights: Option<Figure>,
    densities: Option<Figure>,
    history: Vec<Weights>,
    fewest: i64,
    judged: Judged,
    /// What is asked before the traffic moves.
    question: Option<Question>,
    form: FormState,
}

/// What people said who did not know which arm was which.
#[derive(Serialize)]
struct Judged {
    arms: Vec<(String, usize, usize)>,
    equal: usize,
    people: usize,
}

impl Judged {
    fn new(judging::Judged { arms, equal, people }: judging::Judged) -> Self {
        Self { arms, equal, people }
    }
}

/// An arm with what is known of it.
#[derive(Serialize)]
struct Arm {
    key: String,
    version: VersionPointer,
    weight: f64,
    exposures: i64,
    feedback: i64,
    figure: Option<Interval>,
    p_best: f64,
    expected_loss: Option<f64>,
    lift: Option<(f64, f64)>,
    breaches: Vec<String>,
    won: bool,
}

fn arms(ExperimentDetails { tick, arms }: &ExperimentDetails) -> Vec<Arm> {
    let experiment = &tick.experiment;
    let known = arms.iter().any(|arm| arm.feedback > 0);
    let arm = |(at, arm): (usize, &ArmDetails)| {
        let chosen = &experiment.arms[at];
        let lift = arm.lift.filter(|(seen, least)| arm.feedback > 0 && seen.is_finite() && least.is_finite());
        let challenger = at.checked_sub(1).and_then(|at| experiment.state.challengers.get(at));
        Arm {
            key: chosen.key.clone(),
            version: chosen.version,
            weight: experiment.state.weights.get(at).copied().unwrap_or_default(),
            exposures: arm.exposures,
            feedback: arm.feedback,
            figure: arm.figure,
            p_best: tick.standing.p_best[at],
            expected_loss: known.then(|| tick.standing.expected_loss[at]).filter(|loss| loss.is_finite()),
            lift,
            breaches: challenger.map_or_else(Vec::new, |challenger| challenger.breaches.clone()),
            won: experiment.winner_version_id == Some(chosen.version.id),
        }
    };
    arms.iter().enumerate().map(arm).collect()
}

/// The weights over time, in steps.
fn weights_chart(experiment: &Experiment, history: &[Weights], end: f64) -> Result<Option<Figure>> {
    let keys: Vec<String> = experiment.keys().into_iter().map(str::to_owned).collect();
    let line = |at: usize| {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for weights in history {
            let (place, weight) = (chart::place(weights.at), weights.weights.get(at).copied().unwrap_or(0.0));
            if let Some((_, former)) = points.last().copied() {
                points.push((place, former));
            }
            points.push((place, weight));
        }
        if let Some((_, last)) = points.last().copied() {
            points.push((end, last));
        }
        points
    };
    let lines = (0..keys.len()).map(line).collect();
    let begun = history.first().map_or(end, |first| chart::place(first.at));
    let title = "Share of the traffic over time";
    let chart = Chart {
        title,
        lines,
        marks: Vec::new(),
        filled: false,
        from_zero: true,
        x: if end - begun > TWO_DAYS { &chart::day } else { &chart::time },
        y: &chart::percent,
    };
    Ok(chart.draw()?.map(|svg| Figure { title: title.to_owned(), svg, legend: keys }))
}

/// What may be true of each arm: two halves of normal curves through the ends of its 95 % interval.
fn densities_chart(arms: &[Arm]) -> Result<Option<Figure>> {
    let mut lines = Vec::new();
    let mut legend = Vec::new();
    for arm in arms {
        let Some(Interval { value, low, high }) = arm.figure else { continue };
        let (below, above) = ((value - low) / END, (high - value) / END);
        if below <= 0.0 || above <= 0.0 || !below.is_finite() || !above.is_finite() {
            continue;
        }
        let point = |step: u32| {
            let z = TAIL * (2.0 * f64::from(step) / f64::from(POINTS) - 1.0);
            let deviation = if z < 0.0 { below } else { above };
            (value + z * deviation, (-0.5 * z * z).exp() * 2.0 / (below + above))
        };
        lines.push((0..=POINTS).map(point).collect());
        legend.push(arm.key.clone());
    }
    let title = "What may be true of each arm";
    let hidden = |_: f64| String::new();
    let chart = Chart {
        title,
        lines,
        marks: Vec::new(),
        filled: true,
        from_zero: true,
        x: &chart::number,
        y: &hidden,
    };
    Ok(chart.draw()?.map(|svg| Figure { title: title.to_owned(), svg, legend }))
}

/// The page; of somebody who wants to stop the experiment, with the question whether they are sure.
async fn page(
    app: &App,
    visit: &Visit,
    (status, form): (StatusCode, FormState),
    wish: Option<&Fields>,
) -> Answer {
    let registry = app.registry();
    let id: ExperimentId = visit.path("experiment")?;
    let experiment = registry.experiment(&visit.caller, id).await?;
    let prompt = registry.prompt(&visit.caller, &experiment.prompt_id.to_string()).await?;
    let (details, judged, history) = tokio::try_join!(
        registry.experiment_details(&experiment),
        registry.judged(&experiment),
        registry.store.newest_weights(id.into(), DRAWN)
    )?;
    let end = chart::place(experiment.ended_at.unwrap_or_else(|| registry.sources.now()));
    let arms = arms(&details);
    let title = format!("Experiment on {}", prompt.name);
    let asked = wish.and_then(|wish| asked(&experiment, wish));
    let question = Question::of(app, prompt.prompt_id, &experiment.environment, asked).await?;
    let context = Context {
        weights: weights_chart(&experiment, &history, end)?,
        densities: densities_chart(&arms)?,
        fewest: arms.iter().map(|arm| arm.feedback).min().unwrap_or_default(),
        arms,
        active: experiment.ended_at.is_none(),
        verdict: experiment.verdict.clone().unwrap_or(details.tick.verdict),
        history: history.into_iter().rev().take(LISTED).collect(),
        judged: Judged::new(judged),
        experiment,
        prompt,
        question,
        form,
    };
    let page = Page { title: &title, part: "prompts", template: "experiment.html" };
    app.show_as(status, visit, &page, &context).await
}

pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Answer {
    page(&app, &visit, FormState::fresh(), None).await
}

pub(crate) async fn stop(State(app): State<App>, sent: Sent) -> Answer {
    let id: ExperimentId = sent.visit.path("experiment")?;
    let stopped = async {
        let stop = Stop {
            winner_version_id: sent.fields.optional("winner_version_id")?,
            reason: sent.fields.given("reason").map(str::to_owned),
        };
        if !is_sure(&sent.fields) {
            sent.act.caller.require(KeyRole::Releaser)?;
            let experiment = app.registry().experiment(&sent.act.caller, id).await?;
            // What cannot be asked about is refused below.
            if asked(&experiment, &sent.fields).is_some() {
                return Ok(None);
            }
        }
        app.release.stop_experiment(&sent.act, id, &stop).await.map(Some)
    };
    match stopped.await {
        Ok(Some(_)) => Ok(Redirect::to(&format!("/console/experiments/{id}")).into_response()),
        Ok(None) => {
            let form = (StatusCode::OK, FormState::of(&sent.fields));
            page(&app, &sent.visit, form, Some(&sent.fields)).await
        }
        Err(error) => {
            let refused = FormState::refused(&sent.fields, error)?;
            page(&app, &sent.visit, refused, Some(&sent.fields)).await
        }
    }
}
