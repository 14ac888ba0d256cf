//! Metrics: what the calls of prompts came to. What nobody reported is `None`.

mod report;

use domain::{PromptId, TeamId, Timestamp, VersionId, money::Usd};
use serde::{Deserialize, Serialize};

pub(crate) use self::report::{Batch, Event};
pub use self::report::{Outcome, Rejected, Taken};
use crate::{Client, Result, call::segment};

/// What the calls of a prompt came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptMetrics {
    /// Where the first bucket begins.
    pub from: Timestamp,
    /// Where the last bucket ends.
    pub to: Timestamp,
    /// `hour` or `day`.
    pub bucket: String,
    /// `version`, `environment` or `variant`.
    pub group_by: String,
    /// By time, then by group.
    pub data: Vec<PromptMetricsRow>,
    /// How many more versions there are.
    pub versions_left_out: usize,
    /// How many more environments there are.
    pub environments_left_out: usize,
}

/// What the calls of a version or an environment came to in an hour or a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptMetricsRow {
    /// Where the bucket begins.
    pub bucket_start: Timestamp,
    /// The version, where they are told apart by it.
    pub version_id: Option<VersionId>,
    /// Its number.
    pub version_number: Option<u32>,
    /// The environment, where they are told apart by it.
    pub environment: Option<String>,
    /// The experiment or canary, where they are told apart by its arms.
    pub experiment_id: Option<String>,
    /// The key of the arm.
    pub variant: Option<String>,
    /// Calls of the model.
    pub calls: i64,
    /// Resolves that were answered.
    pub resolves: i64,
    /// Share of the calls that failed.
    pub error_rate: Option<f64>,
    /// Share of the calls that the model refused.
    pub refusal_rate: Option<f64>,
    /// Share of those that say so who succeeded.
    pub success_rate: Option<f64>,
    /// How long calls took.
    pub latency: Option<Latency>,
    /// Tokens sent.
    pub input_tokens: i64,
    /// Tokens received.
    pub output_tokens: i64,
    /// Of both kinds.
    pub tokens_per_call: Option<f64>,
    /// What they cost.
    pub cost_usd: Usd,
    /// What one cost.
    pub cost_per_call_usd: Option<f64>,
    /// What users think.
    pub rating: Rating,
    /// Mean quality, 0 to 1.
    pub quality: Option<f64>,
    /// Mean score of judges, 0 to 1.
    pub eval_score: Option<f64>,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// What 95 of 100 stay below.
    pub p95: f64,
    /// What 99 of 100 stay below.
    pub p99: f64,
}

/// What users think.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// 1 to 5.
    pub mean: Option<f64>,
    /// How many gave 1, 2, 3, 4 and 5.
    pub histogram: Vec<i64>,
}

/// What the calls of a team's prompts came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamMetrics {
    /// Where the first day begins.
    pub from: Timestamp,
    /// Where the last day ends.
    pub to: Timestamp,
    /// Always `day`.
    pub bucket: String,
    /// By day, then by prompt.
    pub data: Vec<TeamMetricsRow>,
}

/// What the calls of a prompt came to on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamMetricsRow {
    /// Where the day begins.
    pub bucket_start: Timestamp,
    /// The prompt.
    pub prompt_id: PromptId,
    /// Calls of the model.
    pub calls: i64,
    /// Resolves that were answered.
    pub resolves: i64,
    /// Share of the calls that failed.
    pub error_rate: Option<f64>,
    /// Tokens sent.
    pub input_tokens: i64,
    /// Tokens received.
    pub output_tokens: i64,
    /// Of both kinds.
    pub tokens_per_call: Option<f64>,
    /// What they cost.
    pub cost_usd: Usd,
    /// Mean rating, 1 to 5.
    pub rating: Option<f64>,
}

/// Prompts in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Where the first day begins.
    pub from: Timestamp,
    /// Where today ends.
    pub to: Timestamp,
    /// What comes first.
    pub sort: String,
    /// Prompts that were called in these days.
    pub data: Vec<Ranked>,
    /// How many more there are.
    pub prompts_left_out: usize,
}

/// What the calls of a prompt came to in all these days together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The prompt.
    pub prompt_id: PromptId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub team_id: TeamId,
    /// Calls of the model.
    pub calls: i64,
    /// Calls that failed.
    pub errors: i64,
    /// Share of the calls that failed.
    pub error_rate: Option<f64>,
    /// Tokens sent.
    pub input_tokens: i64,
    /// Tokens received.
    pub output_tokens: i64,
    /// What they cost.
    pub cost_usd: Usd,
    /// What they cost on a mean day.
    pub cost_usd_per_day: Usd,
    /// Mean rating, 1 to 5.
    pub rating: Option<f64>,
    /// What the same tokens would cost elsewhere.
    pub on_other_models: Vec<OtherModel>,
}

/// What the same tokens would cost on a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherModel {
    /// The model.
    pub model_id: String,
    /// On a mean day.
    pub cost_usd_per_day: Usd,
}

/// Which figures of a prompt are wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MetricsQuery {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// `hour` or `day`.
    pub bucket: Option<String>,
    /// `version`, `environment` or `variant`.
    pub group_by: Option<String>,
}

/// Which figures of a team are wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TeamMetricsQuery {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// `day`.
    pub bucket: Option<String>,
}

/// Which prompts come first, and over how many days.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RankingQuery {
    /// `cost`, `calls`, `errors` or `rating`.
    pub sort: Option<String>,
    /// Today and the days before it.
    pub days: Option<u32>,
}

impl Client {
    /// What the calls of a prompt came to.
    pub async fn prompt_metrics(&self, prompt: &str, query: &MetricsQuery) -> Result<PromptMetrics> {
        let path = self.prompt_path(prompt).await?;
        self.get(&format!("{path}/metrics")).query(query).answer().await
    }

    /// What the calls of a team's prompts came to, by day.
    pub async fn team_metrics(&self, team: &str, query: &TeamMetricsQuery) -> Result<TeamMetrics> {
        self.get(&format!("/api/teams/{}/metrics", segment(team))).query(query).answer().await
    }

    /// The prompts that the key sees, in order.
    pub async fn ranking(&self, query: &RankingQuery) -> Result<Ranking> {
        self.get("/api/metrics/summary").query(query).answer().await
    }
}
