//! How metrics look. What nobody reported is null; a bucket of which nothing was reported is left out.

use domain::{
    PromptId,
    metric::{Hour, Summary, summary::Latency},
    money::Usd,
};
use registry::metric::{Group, PromptMetrics, Ranked, Ranking, TeamMetrics};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BucketName, DayName, GroupName, SortName};

/// What the calls of a prompt came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricsView {
    /// Where the first bucket begins.
    from: String,
    /// Where the last bucket ends.
    to: String,
    #[schema(inline)]
    bucket: BucketName,
    #[schema(inline)]
    group_by: GroupName,
    /// By time, then by version number, environment, or experiment and arm.
    data: Vec<MetricsRow>,
    /// The newest hundred versions are looked at, and those that are live: how many more there are.
    versions_left_out: usize,
    /// Production is looked at, and the environments that moved last: how many more there are.
    environments_left_out: usize,
}

/// What the calls of a version, an environment or a variant came to in an hour or a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricsRow {
    bucket_start: String,
    /// Null when grouped by environment, as is its number.
    version_id: Option<String>,
    version_number: Option<u32>,
    /// Null unless grouped by environment.
    environment: Option<String>,
    /// The experiment or canary; null unless grouped by variant. The hours in which it begins and ends are whole.
    experiment_id: Option<String>,
    /// The key of its arm.
    variant: Option<String>,
    calls: i64,
    /// Resolves that were answered.
    resolves: i64,
    /// Share of the calls that failed.
    error_rate: Option<f64>,
    /// Share of the calls that the model refused.
    refusal_rate: Option<f64>,
    /// Share of those that say so who succeeded.
    success_rate: Option<f64>,
    latency: Option<LatencyView>,
    input_tokens: i64,
    output_tokens: i64,
    /// Of both kinds.
    tokens_per_call: Option<f64>,
    #[schema(value_type = f64)]
    cost_usd: Usd,
    /// Of the calls whose cost is known.
    cost_per_call_usd: Option<f64>,
    rating: RatingView,
    /// Mean quality, 0 to 1.
    quality: Option<f64>,
    /// Mean score of judges, 0 to 1.
    eval_score: Option<f64>,
}

/// Latencies in milliseconds. Quantiles are off by 2.5 % at most.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatencyView {
    mean: f64,
    p50: f64,
    p95: f64,
    p99: f64,
}

/// What users think.
#[derive(Debug, Serialize, ToSchema)]
pub struct RatingView {
    /// 1 to 5.
    mean: Option<f64>,
    /// How many gave 1, 2, 3, 4 and 5.
    #[schema(value_type = Vec<i64>)]
    histogram: [i64; 5],
}

/// What the calls of a team's prompts came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamMetricsView {
    /// Where the first day begins.
    from: String,
    /// Where the last day ends.
    to: String,
    #[schema(inline)]
    bucket: DayName,
    /// By day, then by prompt.
    data: Vec<TeamMetricsRow>,
}

/// What the calls of a prompt came to on a day, as far as it is kept by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamMetricsRow {
    bucket_start: String,
    prompt_id: String,
    calls: i64,
    /// Resolves that were answered.
    resolves: i64,
    /// Share of the calls that failed.
    error_rate: Option<f64>,
    input_tokens: i64,
    output_tokens: i64,
    /// Of both kinds.
    tokens_per_call: Option<f64>,
    #[schema(value_type = f64)]
    cost_usd: Usd,
    /// Mean rating, 1 to 5.
    rating: Option<f64>,
}

/// Prompts in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankingView {
    /// Where the first day begins.
    from: String,
    /// Where today ends: it counts as a whole day.
    to: String,
    #[schema(inline)]
    sort: SortName,
    /// Prompts that were called in these days; at most a hundred.
    data: Vec<RankedView>,
    /// How many more there are.
    prompts_left_out: usize,
}

/// What the calls of a prompt came to in all these days together.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankedView {
    prompt_id: String,
    name: String,
    team_id: String,
    calls: i64,
    /// Calls that failed.
    errors: i64,
    /// Share of the calls that failed.
    error_rate: Option<f64>,
    input_tokens: i64,
    output_tokens: i64,
    #[schema(value_type = f64)]
    cost_usd: Usd,
    /// The mean of the days.
    #[schema(value_type = f64)]
    cost_usd_per_day: Usd,
    /// Mean rating, 1 to 5.
    rating: Option<f64>,
    /// What the same tokens would cost on each model of the catalogue, by its present prices.
    on_other_models: Vec<OtherModelView>,
}

/// What the same tokens would cost on a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct OtherModelView {
    model_id: String,
    #[schema(value_type = f64)]
    cost_usd_per_day: Usd,
}

impl MetricsView {
    pub(crate) fn new(metrics: PromptMetrics, bucket: BucketName, group_by: GroupName) -> Self {
        let PromptMetrics { range, rows, versions_left_out, environments_left_out } = metrics;
        Self {
            from: range.from.to_string(),
            to: range.to.to_string(),
            bucket,
            group_by,
            data: rows.into_iter().map(MetricsRow::new).collect(),
            versions_left_out,
            environments_left_out,
        }
    }
}

impl MetricsRow {
    fn new((start, group, summary): (Hour, Group, Summary)) -> Self {
        let (version, environment, variant) = match group {
            Group::Version { number, id } => (Some((number, id)), None, None),
            Group::Environment(environment) => (None, Some(environment), None),
            Group::Variant { trial, key, number, id } => (Some((number, id)), None, Some((trial, key))),
        };
        let (trial, key) = variant.unzip();
        Self {
            bucket_start: start.start().to_string(),
            version_id: version.map(|(_, id)| id.to_string()),
            version_number: version.map(|(number, _)| number),
            environment: environment.map(|environment| environment.to_string()),
            experiment_id: trial.map(|trial| trial.to_string()),
            variant: key,
            calls: summary.calls,
            resolves: summary.resolves,
            error_rate: summary.error_rate,
            refusal_rate: summary.refusal_rate,
            success_rate: summary.success_rate,
            latency: summary.latency_ms.map(LatencyView::new),
            input_tokens: summary.input_tokens,
            output_tokens: summary.output_tokens,
            tokens_per_call: summary.tokens_per_call,
            cost_usd: summary.cost_usd,
            cost_per_call_usd: summary.cost_per_call_usd,
            rating: RatingView { mean: summary.rating, histogram: summary.ratings },
            quality: summary.quality,
            eval_score: summary.eval_score,
        }
    }
}

impl LatencyView {
    fn new(Latency { mean, p50, p95, p99 }: Latency) -> Self {
        Self { mean, p50, p95, p99 }
    }
}

impl TeamMetricsView {
    pub(crate) fn new(TeamMetrics { range, rows }: TeamMetrics) -> Self {
        Self {
            from: range.from.to_string(),
            to: range.to.to_string(),
            bucket: DayName::Day,
            data: rows.into_iter().map(TeamMetricsRow::new).collect(),
        }
    }
}

impl TeamMetricsRow {
    fn new((day, prompt, summary): (Hour, PromptId, Summary)) -> Self {
        Self {
            bucket_start: day.start().to_string(),
            prompt_id: prompt.to_string(),
            calls: summary.calls,
            resolves: summary.resolves,
            error_rate: summary.error_rate,
            input_tokens: summary.input_tokens,
            output_tokens: summary.output_tokens,
            tokens_per_call: summary.tokens_per_call,
            cost_usd: summary.cost_usd,
            rating: summary.rating,
        }
    }
}

impl RankingView {
    pub(crate) fn new(Ranking { range, data, left_out, .. }: Ranking, sort: SortName) -> Self {
        Self {
            from: range.from.to_string(),
            to: range.to.to_string(),
            sort,
            data: data.into_iter().map(RankedView::new).collect(),
            prompts_left_out: left_out,
        }
    }
}

impl RankedView {
    fn new(ranked: Ranked) -> Self {
        let Ranked { prompt, summary, errors, cost_per_day, on_other_models } = ranked;
        let on = |(model_id, cost_usd_per_day)| OtherModelView { model_id, cost_usd_per_day };
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
            cost_usd_per_day: cost_per_day,
            rating: summary.rating,
            on_other_models: on_other_models.into_iter().map(on).collect(),
        }
    }
}
