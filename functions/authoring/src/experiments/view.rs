//! Experiments as the API shows them.

use domain::{
    experiment::{
        Ended, Feedback, Flag, Settings, Status, Strategy, Verdict, decision::Mode, posterior::Figure,
        weights::Objective,
    },
    measure::Measure,
    rollout::Guardrail,
    trial::Weights,
};
use registry::experiment::{ArmDetails, ExperimentDetails};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A limit on how much worse a version may be than its control.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GuardrailSchema {
    /// `error`, `refusal`, `latency_slo`, `latency`, `cost`, `rating` or `eval`.
    pub metric: String,
    /// Of `error`, `refusal` and `latency_slo`: how often as many users may meet it, 1 to 5.
    pub ratio: Option<f64>,
    /// Of the others: how much worse is still fine; a share of latency and cost, points of rating and score.
    pub margin: Option<f64>,
    /// Of `latency_slo`: how long an answer may take, in milliseconds.
    pub slo_ms: Option<u64>,
}

/// An experiment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentView {
    experiment_id: String,
    prompt_id: String,
    environment: String,
    variants: Vec<VariantView>,
    #[serde(flatten)]
    settings: SettingsView,
    start_date: String,
    /// Null while it runs.
    end_date: Option<String>,
    /// `active`, `completed` or `stopped`.
    #[schema(value_type = String)]
    status: Status,
    /// `winner`, `equivalent`, `inconclusive` or `guardrail`; null while it runs, and where a person stopped it.
    #[schema(value_type = Option<String>)]
    outcome: Option<Ended>,
    /// `srm`, `feedback_bias`, `frozen`, `stalled`.
    #[schema(value_type = Vec<String>)]
    flags: Vec<Flag>,
    winner_version_id: Option<String>,
    decision: DecisionView,
    /// Counts the changes of the weights.
    allocation_version: u64,
    created_by: String,
}

/// What an experiment was asked to be, with what was left out filled in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsView {
    #[schema(value_type = String)]
    allocation_strategy: Strategy,
    #[schema(value_type = String)]
    primary_metric: Measure,
    min_samples: u32,
    auto_promote: bool,
    max_duration_days: Option<f64>,
    min_duration_days: f64,
    exploration_floor: f64,
    update_interval_minutes: u32,
    traffic_allocation: f64,
    #[schema(value_type = String)]
    objective: Objective,
    continuous: bool,
    reward_half_life_days: Option<f64>,
    #[schema(value_type = String)]
    feedback: Feedback,
    attribution_window_minutes: u32,
    #[schema(value_type = Vec<GuardrailSchema>)]
    guardrails: Vec<Guardrail>,
}

/// A variant with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct VariantView {
    key: String,
    version_id: String,
    version_number: u32,
    /// Its share of the traffic now; after the end, the last one.
    traffic_weight: f64,
    /// How many resolves were heard of.
    exposures: i64,
    /// How many answers there are in the primary metric.
    feedback: i64,
    /// What can be expected of it, in the metric's own unit; null without an answer.
    estimate: Option<f64>,
    /// The 95 % interval of that.
    interval: Option<Vec<f64>>,
    /// How likely it is the best.
    p_best: f64,
    /// How much is lost on average by choosing it, in the unit in which the metric is counted; null while nothing is
    /// known.
    expected_loss: Option<f64>,
    /// How much better than the control it was observed to be: likely overstated at the end. Null for the control.
    observed_lift: Option<f64>,
    /// How much better it is at least, however often one looks. Null for the control.
    lift_at_least: Option<f64>,
    /// Why it serves nobody any more; empty where it does.
    breaches: Vec<String>,
}

/// What is decided so far.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionView {
    /// `strict`, `balanced` or `manual`.
    #[schema(value_type = String)]
    mode: Mode,
    /// The evidence that the leader beats its closest rival.
    e_value: f64,
    /// What it has to reach; in balanced mode a probability.
    threshold: f64,
    reasons: Vec<String>,
}

impl ExperimentView {
    /// The view of an experiment.
    pub fn new(details: ExperimentDetails) -> Self {
        let ExperimentDetails { tick, arms } = details;
        let experiment = &tick.experiment;
        let known = arms.iter().any(|arm| arm.feedback > 0);
        let variants = arms.iter().enumerate().map(|(at, arm)| {
            let chosen = &experiment.arms[at];
            let Figures { estimate, interval } = Figures::of(arm.figure);
            VariantView {
                key: chosen.key.clone(),
                version_id: chosen.version.id.to_string(),
                version_number: chosen.version.number,
                traffic_weight: experiment.state.weights.get(at).copied().unwrap_or_default(),
                exposures: arm.exposures,
                feedback: arm.feedback,
                estimate,
                interval,
                p_best: tick.standing.p_best[at],
                expected_loss: known.then(|| tick.standing.expected_loss[at]),
                observed_lift: lift(arm, |lift| lift.0),
                lift_at_least: lift(arm, |lift| lift.1),
                breaches: at
                    .checked_sub(1)
                    .map_or_else(Vec::new, |at| experiment.state.challengers[at].breaches.clone()),
            }
        });
        let decided = experiment.verdict.clone().unwrap_or(tick.verdict);
        Self {
            experiment_id: experiment.experiment_id.to_string(),
            prompt_id: experiment.prompt_id.to_string(),
            environment: experiment.environment.to_string(),
            variants: variants.collect(),
            settings: SettingsView::new(&experiment.settings),
            start_date: experiment.started_at.to_string(),
            end_date: experiment.ended_at.map(|at| at.to_string()),
            status: experiment.status,
            outcome: experiment.outcome,
            flags: experiment.flags.iter().copied().collect(),
            winner_version_id: experiment.winner_version_id.map(|id| id.to_string()),
            decision: DecisionView::new(decided),
            allocation_version: experiment.state.allocation_version,
            created_by: experiment.created_by.clone(),
        }
    }
}

fn lift(arm: &ArmDetails, of: fn((f64, f64)) -> f64) -> Option<f64> {
    // Before there are observations nothing is known, and the bound is beyond all numbers.
    arm.lift.map(of).filter(|_| arm.feedback > 0).filter(|value| value.is_finite())
}

struct Figures {
    estimate: Option<f64>,
    interval: Option<Vec<f64>>,
}

impl Figures {
    fn of(figure: Option<Figure>) -> Self {
        Self {
            estimate: figure.map(|figure| figure.value),
            interval: figure.map(|figure| vec![figure.low, figure.high]),
        }
    }
}

impl SettingsView {
    fn new(settings: &Settings) -> Self {
        let settings = settings.clone();
        Self {
            allocation_strategy: settings.allocation_strategy,
            primary_metric: settings.primary_metric,
            min_samples: settings.min_samples,
            auto_promote: settings.auto_promote,
            max_duration_days: settings.max_duration_days,
            min_duration_days: settings.min_duration_days,
            exploration_floor: settings.exploration_floor,
            update_interval_minutes: settings.update_interval_minutes,
            traffic_allocation: settings.traffic_allocation,
            objective: settings.objective,
            continuous: settings.continuous,
            reward_half_life_days: settings.reward_half_life_days,
            feedback: settings.feedback,
            attribution_window_minutes: settings.attribution_window_minutes,
            guardrails: settings.guardrails,
        }
    }
}

impl DecisionView {
    fn new(verdict: Verdict) -> Self {
        let Verdict { mode, e_value, threshold, reasons } = verdict;
        Self { mode, e_value, threshold, reasons }
    }
}

/// The weights of an allocation version.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeightsView {
    allocation_version: u64,
    /// Since when.
    at: String,
    weights: Vec<WeightView>,
    /// Why they are so.
    reasons: Vec<String>,
}

/// The weight of a variant.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeightView {
    key: String,
    traffic_weight: f64,
    /// How likely it was the best by then; null at the beginning, and in canaries.
    p_best: Option<f64>,
}

impl WeightsView {
    /// The view of weights.
    pub fn new(weights: Weights) -> Self {
        let of_arm = |(at, key): (usize, &String)| WeightView {
            key: key.clone(),
            traffic_weight: weights.weights.get(at).copied().unwrap_or_default(),
            p_best: weights.p_best.get(at).copied(),
        };
        Self {
            allocation_version: weights.allocation_version,
            at: weights.at.to_string(),
            weights: weights.keys.iter().enumerate().map(of_arm).collect(),
            reasons: weights.reasons.clone(),
        }
    }
}
