//! Gates, as prompts and teams show and take them.

use domain::{
    Error, FieldProblem,
    gate::{GateMode, GatePolicy},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The gate in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateView {
    /// `required`, `advisory` or `off`.
    mode: String,
    min_pass_rate: f64,
    min_cases: u32,
    /// Whether the prompt has it from its team.
    inherited: bool,
}

impl GateView {
    pub(crate) fn new(gate: &GatePolicy, inherited: bool) -> Self {
        let mode = match gate.mode {
            GateMode::Required => "required",
            GateMode::Advisory => "advisory",
            GateMode::Off => "off",
        };
        Self {
            mode: mode.to_owned(),
            min_pass_rate: gate.min_pass_rate,
            min_cases: gate.min_cases,
            inherited,
        }
    }
}

/// A gate as it is asked for; what is left out takes the platform's default.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateBody {
    /// `required` (default), `advisory` or `off`.
    #[schema(value_type = Option<String>)]
    mode: Option<GateMode>,
    /// 0 to 1; default 0.80.
    min_pass_rate: Option<f64>,
    /// Default 50.
    min_cases: Option<u32>,
    /// Not enforced yet: refused unless null.
    min_score: Option<f64>,
    /// Not enforced yet: refused unless null or false.
    require_staging_first: Option<bool>,
    /// Not enforced yet: refused unless null or false.
    require_approval: Option<bool>,
    /// Not enforced yet: refused unless null.
    max_cost_usd_per_case: Option<f64>,
    /// Not enforced yet: refused unless null.
    max_p95_latency_ms: Option<u64>,
}

impl GateBody {
    /// The policy, unless it asks for what nobody would enforce.
    pub(crate) fn policy(&self) -> domain::Result<GatePolicy> {
        let not_enforced = [
            ("min_score", self.min_score.is_some()),
            ("require_staging_first", self.require_staging_first == Some(true)),
            ("require_approval", self.require_approval == Some(true)),
            ("max_cost_usd_per_case", self.max_cost_usd_per_case.is_some()),
            ("max_p95_latency_ms", self.max_p95_latency_ms.is_some()),
        ];
        let problems = not_enforced.iter().filter(|(_, asked)| *asked).map(|(name, _)| FieldProblem {
            pointer: format!("/gate/{name}"),
            detail: format!("`{name}` is not enforced yet, so it is not accepted."),
        });
        Error::check(problems.collect())?;
        let default = GatePolicy::default();
        Ok(GatePolicy {
            mode: self.mode.unwrap_or(default.mode),
            min_pass_rate: self.min_pass_rate.unwrap_or(default.min_pass_rate),
            min_cases: self.min_cases.unwrap_or(default.min_cases),
        })
    }
}
