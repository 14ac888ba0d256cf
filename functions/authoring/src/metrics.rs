//! Metrics: what the calls of prompts came to.

mod view;

use axum::{Json, extract::State};
use domain::{TeamId, Timestamp, metric::summary::Bucket};
use registry::metric::{GroupBy, Sort, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Path, Query, Resolver};

pub use view::{MetricsView, RankingView, TeamMetricsView};

use crate::App;

/// Which figures of a prompt are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MetricsQuery {
    /// From this moment on, RFC 3339; left out: 24 hours before `to`. At most 31 days are shown by hour, 400 by day.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment; left out: until now. The buckets at both ends are whole ones.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `hour` when left out.
    #[param(inline)]
    bucket: Option<BucketName>,
    /// `version` when left out.
    #[param(inline)]
    group_by: Option<GroupName>,
}

/// Which figures of a team are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TeamMetricsQuery {
    /// From this moment on, RFC 3339; left out: 24 hours before `to`. At most 400 days are shown.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment; left out: until now. The days at both ends are whole ones.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Figures of teams are kept by day alone.
    #[param(inline)]
    #[serde(rename = "bucket")]
    _bucket: Option<DayName>,
}

/// Which prompts come first, and over how many days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RankingQuery {
    /// The dearest (when left out), the most called, the most failed, or the worst rated.
    #[param(inline)]
    sort: Option<SortName>,
    /// Today and the days before it, 1 to 400; 7 when left out.
    #[param(minimum = 1, maximum = 400)]
    days: Option<u32>,
}

/// How long a bucket of time is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketName {
    /// An hour.
    #[default]
    Hour,
    /// A day in UTC.
    Day,
}

/// The one bucket of teams.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayName {
    /// A day in UTC.
    Day,
}

/// What figures are told apart by.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupName {
    /// Versions, in all environments together.
    #[default]
    Version,
    /// Environments, whatever the version.
    Environment,
    /// Arms of the experiments and canaries that ran.
    Variant,
}

/// What comes first.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortName {
    /// The dearest.
    #[default]
    Cost,
    /// The most called.
    Calls,
    /// The most failed calls.
    Errors,
    /// The worst rated; what nobody rated comes last.
    Rating,
}

impl From<BucketName> for Bucket {
    fn from(name: BucketName) -> Self {
        match name {
            BucketName::Hour => Self::Hour,
            BucketName::Day => Self::Day,
        }
    }
}

impl From<GroupName> for GroupBy {
    fn from(name: GroupName) -> Self {
        match name {
            GroupName::Version => Self::Version,
            GroupName::Environment => Self::Environment,
            GroupName::Variant => Self::Variant,
        }
    }
}

impl From<SortName> for Sort {
    fn from(name: SortName) -> Self {
        match name {
            SortName::Cost => Self::Cost,
            SortName::Calls => Self::Calls,
            SortName::Errors => Self::Errors,
            SortName::Rating => Self::Rating,
        }
    }
}

/// Shows what the calls of a prompt came to, by time, and by version or environment.
#[utoipa::path(get, path = "/api/prompts/{prompt}/metrics", tag = "metrics",
    params(("prompt" = String, Path, description = "Its id, or its name in the key's team."), MetricsQuery),
    responses((status = 200, body = MetricsView, description = "The figures")))]
pub async fn of_prompt(
    State(app): State<App>,
    Resolver(caller): Resolver,
    Path(prompt, _): Path<String>,
    Query(query): Query<MetricsQuery>,
) -> web::Result<Json<MetricsView>> {
    let (bucket, group_by) = (query.bucket.unwrap_or_default(), query.group_by.unwrap_or_default());
    let wanted = Wanted { from: query.from, to: query.to, bucket: bucket.into() };
    let metrics = app.registry().prompt_metrics(&caller, &prompt, wanted, group_by.into()).await?;
    Ok(Json(MetricsView::new(metrics, bucket, group_by)))
}

/// Shows what the calls of a team's prompts came to, by day.
#[utoipa::path(get, path = "/api/teams/{team}/metrics", tag = "metrics",
    params(("team" = String, Path), TeamMetricsQuery),
    responses((status = 200, body = TeamMetricsView, description = "The figures")))]
pub async fn of_team(
    State(app): State<App>,
    Resolver(caller): Resolver,
    Path(team, _): Path<TeamId>,
    Query(query): Query<TeamMetricsQuery>,
) -> web::Result<Json<TeamMetricsView>> {
    let wanted = Wanted { from: query.from, to: query.to, bucket: Bucket::Day };
    Ok(Json(TeamMetricsView::new(app.registry().team_metrics(&caller, &team, wanted).await?)))
}

/// Ranks the prompts that the key sees: by cost, calls, errors or rating, with what other models would cost.
#[utoipa::path(get, path = "/api/metrics/summary", tag = "metrics", params(RankingQuery),
    responses((status = 200, body = RankingView, description = "The first hundred prompts")))]
pub async fn summary(
    State(app): State<App>,
    Resolver(caller): Resolver,
    Query(query): Query<RankingQuery>,
) -> web::Result<Json<RankingView>> {
    let sort = query.sort.unwrap_or_default();
    let ranking = app.registry().metrics_summary(&caller, None, sort.into(), query.days.unwrap_or(7)).await?;
    Ok(Json(RankingView::new(ranking, sort)))
}
