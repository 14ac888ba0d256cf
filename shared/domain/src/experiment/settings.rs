//! What a person may choose of an experiment, and what is taken where they choose nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    decision::{self, Mode},
    weights::{Floor, Objective, Split},
};
use crate::{
    Error, FieldProblem, Result,
    measure::Measure,
    rollout::{Guardrail, guardrail},
};

/// The measures that an experiment may be about.
const PRIMARY: [Measure; 7] = [
    Measure::UserRating,
    Measure::Quality,
    Measure::Success,
    Measure::EvalScore,
    Measure::LatencyMs,
    Measure::CostUsd,
    Measure::Error,
];

/// The longest that an experiment may be planned for: counters are kept for 400 days.
const MOST_DAYS: f64 = 365.0;

/// The longest window in which an answer may be given, in minutes: three days.
const MOST_WINDOW: u32 = 72 * 60;

/// How traffic is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// As asked, to the end.
    #[default]
    FixedSplit,
    /// By what the data say, again and again.
    ThompsonSampling,
}

/// What an exposure without an answer means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feedback {
    /// Nothing: answers that came count, no others.
    #[default]
    Explicit,
    /// A failure, once the window for an answer has closed.
    ImplicitNegative,
}

/// What is asked of an experiment; what is left out is filled in by [`NewSettings::settle`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewSettings {
    /// See [`Settings::allocation_strategy`].
    pub allocation_strategy: Option<Strategy>,
    /// See [`Settings::primary_metric`].
    pub primary_metric: Option<Measure>,
    /// See [`Settings::min_samples`].
    pub min_samples: Option<u32>,
    /// See [`Settings::decision`].
    pub decision: Option<Mode>,
    /// See [`Settings::auto_promote`].
    pub auto_promote: Option<bool>,
    /// See [`Settings::max_duration_days`].
    pub max_duration_days: Option<f64>,
    /// See [`Settings::min_duration_days`].
    pub min_duration_days: Option<f64>,
    /// See [`Settings::exploration_floor`].
    pub exploration_floor: Option<f64>,
    /// See [`Settings::update_interval_minutes`].
    pub update_interval_minutes: Option<u32>,
    /// See [`Settings::traffic_allocation`].
    pub traffic_allocation: Option<f64>,
    /// See [`Settings::objective`].
    pub objective: Option<Objective>,
    /// See [`Settings::continuous`].
    pub continuous: bool,
    /// See [`Settings::reward_half_life_days`].
    pub reward_half_life_days: Option<f64>,
    /// See [`Settings::feedback`].
    pub feedback: Option<Feedback>,
    /// See [`Settings::attribution_window_minutes`].
    pub attribution_window_minutes: Option<u32>,
    /// See [`Settings::guardrails`].
    pub guardrails: Option<Vec<Guardrail>>,
}

/// How an experiment is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How traffic is divided.
    pub allocation_strategy: Strategy,
    /// What the winner is better in.
    pub primary_metric: Measure,
    /// How many answers each arm needs before anything is decided.
    pub min_samples: u32,
    /// What a winner has to show.
    pub decision: Mode,
    /// Whether a winner is promoted by itself.
    pub auto_promote: bool,
    /// When it ends; `None` for one that goes on until somebody stops it.
    pub max_duration_days: Option<f64>,
    /// How long it runs at least.
    pub min_duration_days: f64,
    /// The least share that an arm keeps in an adaptive split.
    pub exploration_floor: f64,
    /// How often the weights of an adaptive split may change.
    pub update_interval_minutes: u32,
    /// The share of the units that take part, 0 to 1.
    pub traffic_allocation: f64,
    /// What an adaptive split is after.
    pub objective: Objective,
    /// Whether it goes on for ever, following what is best at the time.
    pub continuous: bool,
    /// After how many days an answer counts half for the weights; `None`: never less.
    pub reward_half_life_days: Option<f64>,
    /// What an exposure without an answer means.
    pub feedback: Feedback,
    /// How long after a resolve its answer may be given.
    pub attribution_window_minutes: u32,
    /// What no arm may make worse than the control.
    pub guardrails: Vec<Guardrail>,
}

impl NewSettings {
    /// The whole settings of an experiment with so many arms. All that is wrong is said together.
    pub fn settle(self, arms: usize) -> Result<Settings> {
        Error::check(self.problems())?;
        let floor = self.exploration_floor.unwrap_or_else(|| Floor::default_of(arms).share());
        Floor::new(floor, arms)?;
        let guardrails = self.guardrails.unwrap_or_else(guardrail::defaults);
        guardrail::validate(&guardrails)?;
        let decision = self.decision.unwrap_or(if self.continuous { Mode::Manual } else { Mode::Strict });
        let strategy = if self.continuous { Strategy::ThompsonSampling } else { Strategy::FixedSplit };
        let max_duration_days = (!self.continuous).then(|| self.max_duration_days.unwrap_or(14.0));
        let least = 1.0_f64.min(max_duration_days.unwrap_or(1.0));
        Ok(Settings {
            allocation_strategy: self.allocation_strategy.unwrap_or(strategy),
            primary_metric: self.primary_metric.unwrap_or(Measure::UserRating),
            min_samples: self.min_samples.unwrap_or(100),
            decision,
            auto_promote: self.auto_promote.unwrap_or(decision != Mode::Manual),
            max_duration_days,
            min_duration_days: self.min_duration_days.unwrap_or(least),
            exploration_floor: floor,
            update_interval_minutes: self.update_interval_minutes.unwrap_or(60),
            traffic_allocation: self.traffic_allocation.unwrap_or(1.0),
            objective: self.objective.unwrap_or_default(),
            continuous: self.continuous,
            reward_half_life_days: self.reward_half_life_days.or(self.continuous.then_some(7.0)),
            feedback: self.feedback.unwrap_or_default(),
            attribution_window_minutes: self.attribution_window_minutes.unwrap_or(60),
            guardrails,
        })
    }

    fn problems(&self) -> Vec<FieldProblem> {
        let max_days = self.max_duration_days.unwrap_or(14.0);
        let min_days = self.min_duration_days.unwrap_or(0.0);
        let manual = self.decision == Some(Mode::Manual) || self.continuous;
        let half_life = self.reward_half_life_days;
        let rules = [
            (
                self.primary_metric.is_none_or(|metric| PRIMARY.contains(&metric)),
                "primary_metric",
                "An experiment is about user_rating, quality, success, eval_score, latency_ms, cost_usd or error.",
            ),
            (self.min_samples != Some(0), "min_samples", "min_samples is at least 1."),
            (
                max_days > 0.0 && max_days <= MOST_DAYS,
                "max_duration_days",
                "max_duration_days lies above 0, at most 365.",
            ),
            (
                !(self.continuous && self.max_duration_days.is_some()),
                "max_duration_days",
                "A continuous experiment has no end. Leave max_duration_days out.",
            ),
            (
                min_days >= 0.0 && (self.continuous || min_days <= max_days),
                "min_duration_days",
                "min_duration_days lies between 0 and max_duration_days.",
            ),
            (
                self.update_interval_minutes.is_none_or(|minutes| (1..=24 * 60).contains(&minutes)),
                "update_interval_minutes",
                "update_interval_minutes lies between 1 and 1440.",
            ),
            (
                self.traffic_allocation.is_none_or(|share| (0.0..=1.0).contains(&share)),
                "traffic_allocation",
                "traffic_allocation lies between 0 and 1.",
            ),
            (
                half_life.is_none_or(|days| days > 0.0 && days <= MOST_DAYS),
                "reward_half_life_days",
                "reward_half_life_days lies above 0, at most 365.",
            ),
            (
                self.attribution_window_minutes.is_none_or(|minutes| (1..=MOST_WINDOW).contains(&minutes)),
                "attribution_window_minutes",
                "attribution_window_minutes lies between 1 and 4320, which is three days.",
            ),
            (
                self.feedback != Some(Feedback::ImplicitNegative)
                    || self.primary_metric == Some(Measure::Success),
                "feedback",
                "implicit_negative takes a missing answer for a failure: it goes with the primary_metric success.",
            ),
            (
                !(manual && self.auto_promote == Some(true)),
                "auto_promote",
                "A manual or continuous experiment promotes nothing by itself. Leave auto_promote out.",
            ),
            (
                !(self.continuous && self.decision.is_some_and(|mode| mode != Mode::Manual)),
                "decision",
                "A continuous experiment declares no winner: its decision is manual.",
            ),
            (
                !(self.continuous && self.allocation_strategy == Some(Strategy::FixedSplit)),
                "allocation_strategy",
                "A continuous experiment follows the data: its allocation_strategy is thompson_sampling.",
            ),
        ];
        let broken = rules.into_iter().filter(|(right, ..)| !right);
        broken
            .map(|(_, field, detail)| FieldProblem {
                pointer: format!("/{field}"),
                detail: detail.to_owned(),
            })
            .collect()
    }
}

impl Settings {
    /// How an adaptive split is made, where it is one.
    pub fn split(&self, arms: usize) -> Result<Option<Split>> {
        if self.allocation_strategy == Strategy::FixedSplit {
            return Ok(None);
        }
        let floor = Floor::new(self.exploration_floor, arms)?;
        Ok(Some(Split { objective: self.objective, floor, binary: self.primary_metric.is_binary() }))
    }

    /// When and how it may be decided.
    pub fn of_decision(&self) -> decision::Settings {
        decision::Settings {
            mode: self.decision,
            min_samples: f64::from(self.min_samples),
            min_duration: days(self.min_duration_days),
            max_duration: self.max_duration_days.map(days),
            extended: false,
        }
    }

    /// How often the weights may change.
    pub fn update_interval(&self) -> Duration {
        Duration::from_mins(self.update_interval_minutes.into())
    }

    /// How long after a resolve its answer may be given.
    pub fn attribution_window(&self) -> Duration {
        Duration::from_mins(self.attribution_window_minutes.into())
    }

    /// How long a call may take where a guardrail watches that, in milliseconds.
    pub fn slo_ms(&self) -> Option<u64> {
        guardrail::slo_ms(&self.guardrails)
    }
}

fn days(days: f64) -> Duration {
    Duration::from_secs_f64(days.clamp(0.0, MOST_DAYS) * 86_400.0)
}

#[cfg(test)]
mod tests;
