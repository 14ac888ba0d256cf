//! Experiments: versions side by side until one is better.

use domain::{ExperimentId, PromptId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

use crate::{Client, Page, Result};

/// A limit on how much worse a version may be than its control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// `error`, `refusal`, `latency_slo`, `latency`, `cost`, `rating` or `eval`.
    pub metric: String,
    /// Of `error`, `refusal` and `latency_slo`: how often as many users may meet it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Of the others: how much worse is still fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Of `latency_slo`: how long an answer may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_ms: Option<u64>,
}

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its id.
    pub experiment_id: ExperimentId,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Where it runs.
    pub environment: String,
    /// The versions; the first is the control.
    pub variants: Vec<Variant>,
    /// `fixed_split` or `thompson_sampling`.
    pub allocation_strategy: String,
    /// What is compared.
    pub primary_metric: String,
    /// How many answers each variant needs before anything is decided.
    pub min_samples: u32,
    /// Whether a winner is promoted by itself.
    pub auto_promote: bool,
    /// When it ends at the latest.
    pub max_duration_days: Option<f64>,
    /// How long it lasts at least.
    pub min_duration_days: f64,
    /// The least share that a variant keeps.
    pub exploration_floor: f64,
    /// How often weights may change.
    pub update_interval_minutes: u32,
    /// The share of the units that take part.
    pub traffic_allocation: f64,
    /// `reward` or `identify`.
    pub objective: String,
    /// Whether it goes on for ever.
    pub continuous: bool,
    /// After how many days an answer counts half.
    pub reward_half_life_days: Option<f64>,
    /// `explicit` or `implicit_negative`.
    pub feedback: String,
    /// How long after a resolve its answer may be given.
    pub attribution_window_minutes: u32,
    /// What no variant may make worse.
    pub guardrails: Vec<Guardrail>,
    /// When it began.
    pub start_date: Timestamp,
    /// When it ended.
    pub end_date: Option<Timestamp>,
    /// `active`, `completed` or `stopped`.
    pub status: String,
    /// `winner`, `equivalent`, `inconclusive` or `guardrail`.
    pub outcome: Option<String>,
    /// `srm`, `feedback_bias`, `frozen`, `stalled`.
    pub flags: Vec<String>,
    /// What won.
    pub winner_version_id: Option<VersionId>,
    /// What is decided so far.
    pub decision: Decision,
    /// Counts the changes of the weights.
    pub allocation_version: u64,
    /// Who started it.
    pub created_by: String,
}

/// A variant with what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// A, B, C, …
    pub key: String,
    /// The version.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: u32,
    /// Its share of the traffic.
    pub traffic_weight: f64,
    /// How many resolves were heard of.
    pub exposures: i64,
    /// How many answers there are.
    pub feedback: i64,
    /// What can be expected of it.
    pub estimate: Option<f64>,
    /// The 95 % interval of that.
    pub interval: Option<Vec<f64>>,
    /// How likely it is the best.
    pub p_best: f64,
    /// How much is lost on average by choosing it.
    pub expected_loss: Option<f64>,
    /// How much better than the control it was observed to be.
    pub observed_lift: Option<f64>,
    /// How much better it is at least.
    pub lift_at_least: Option<f64>,
    /// Why it serves nobody any more.
    pub breaches: Vec<String>,
}

/// What is decided so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// `strict`, `balanced` or `manual`.
    pub mode: String,
    /// The evidence that the leader beats its closest rival.
    pub e_value: f64,
    /// What it has to reach.
    pub threshold: f64,
    /// In words.
    pub reasons: Vec<String>,
}

/// The weights of an allocation version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Counts the changes.
    pub allocation_version: u64,
    /// Since when.
    pub at: Timestamp,
    /// Of each variant.
    pub weights: Vec<Weight>,
    /// Why they are so.
    pub reasons: Vec<String>,
}

/// The weight of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// The variant.
    pub key: String,
    /// Its share of the traffic.
    pub traffic_weight: f64,
    /// How likely it was the best by then.
    pub p_best: Option<f64>,
}

/// An experiment to be started; what is `None` takes the platform's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewExperiment {
    /// The versions; the first is the control.
    pub variants: Vec<NewVariant>,
    /// Where.
    pub environment: Option<String>,
    /// `fixed_split` or `thompson_sampling`.
    pub allocation_strategy: Option<String>,
    /// What is compared.
    pub primary_metric: Option<String>,
    /// How many answers each variant needs.
    pub min_samples: Option<u32>,
    /// `strict`, `balanced` or `manual`.
    pub decision: Option<String>,
    /// Whether a winner is promoted by itself.
    pub auto_promote: Option<bool>,
    /// When it ends at the latest.
    pub max_duration_days: Option<f64>,
    /// How long it lasts at least.
    pub min_duration_days: Option<f64>,
    /// The least share that a variant keeps.
    pub exploration_floor: Option<f64>,
    /// How often weights may change.
    pub update_interval_minutes: Option<u32>,
    /// The share of the units that take part.
    pub traffic_allocation: Option<f64>,
    /// `reward` or `identify`.
    pub objective: Option<String>,
    /// Whether it goes on for ever.
    pub continuous: Option<bool>,
    /// After how many days an answer counts half.
    pub reward_half_life_days: Option<f64>,
    /// `explicit` or `implicit_negative`.
    pub feedback: Option<String>,
    /// How long after a resolve its answer may be given.
    pub attribution_window_minutes: Option<u32>,
    /// What no variant may make worse.
    pub guardrails: Option<Vec<Guardrail>>,
}

/// A variant to be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVariant {
    /// The version.
    pub version_id: VersionId,
    /// Its share; none of all: equal.
    #[serde(default)]
    pub traffic_weight: Option<f64>,
    /// None: A, B, C, … by its place.
    #[serde(default)]
    pub key: Option<String>,
}

/// What shall become of an experiment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// What shall be live; none: the control stays.
    pub winner_version_id: Option<VersionId>,
    /// Why.
    pub reason: Option<String>,
}

impl Client {
    /// Starts an experiment.
    pub async fn create_experiment(&self, prompt: &str, new: &NewExperiment) -> Result<Experiment> {
        let path = self.prompt_path(prompt).await?;
        self.post_once(&format!("{path}/experiments")).json(new).answer().await
    }

    /// Lists a prompt's experiments, newest first.
    pub async fn experiments(&self, prompt: &str, most: usize) -> Result<Page<Experiment>> {
        let path = self.prompt_path(prompt).await?;
        self.list(&format!("{path}/experiments"), &(), most).await
    }

    /// An experiment with what its counters say now.
    pub async fn experiment(&self, id: ExperimentId) -> Result<Experiment> {
        self.get(&format!("/api/experiments/{id}")).answer().await
    }

    /// Lists the weights that an experiment had, oldest first.
    pub async fn experiment_weights(&self, id: ExperimentId, most: usize) -> Result<Page<Weights>> {
        self.list(&format!("/api/experiments/{id}/weights"), &(), most).await
    }

    /// Stops an experiment.
    pub async fn stop_experiment(&self, id: ExperimentId, stop: &Stop) -> Result<Experiment> {
        self.post_once(&format!("/api/experiments/{id}/stop")).json(stop).answer().await
    }
}
