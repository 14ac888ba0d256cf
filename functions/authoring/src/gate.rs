//! Gates, as prompts and teams show and take them.

use domain::{
    gate::{GateMode, GatePolicy},
    money::Usd,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The gate in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateView {
    /// `required`, `advisory` or `off`.
    #[schema(value_type = String)]
    mode: GateMode,
    min_pass_rate: f64,
    min_score: Option<f64>,
    min_cases: u32,
    confidence: f64,
    require_staging_first: bool,
    require_approval: bool,
    #[schema(value_type = Option<f64>)]
    max_cost_usd_per_case: Option<Usd>,
    max_p95_latency_ms: Option<u64>,
    /// Whether the prompt has it from its team.
    inherited: bool,
}

impl GateView {
    pub(crate) fn new(gate: &GatePolicy, inherited: bool) -> Self {
        Self {
            mode: gate.mode,
            min_pass_rate: gate.min_pass_rate,
            min_score: gate.min_score,
            min_cases: gate.min_cases,
            confidence: gate.confidence,
            require_staging_first: gate.require_staging_first,
            require_approval: gate.require_approval,
            max_cost_usd_per_case: gate.max_cost_usd_per_case,
            max_p95_latency_ms: gate.max_p95_latency_ms,
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
    /// The share of cases that must pass, 0 to 1; default 0.80.
    min_pass_rate: Option<f64>,
    /// The average score that must be reached, 0 to 1; default none.
    min_score: Option<f64>,
    /// Default 50.
    min_cases: Option<u32>,
    /// How sure the gate must be that the pass rate is not 5 points below production's: 0.95 (default) or 0.90, which
    /// asks people half as often and lets twice as many through that are 5 points worse.
    confidence: Option<f64>,
    /// Whether a version must have been live in `staging` before; default false.
    require_staging_first: Option<bool>,
    /// Whether a releaser who did not write the version must approve it; default false.
    require_approval: Option<bool>,
    /// The most that a case may cost on average; default none.
    #[schema(value_type = Option<f64>)]
    max_cost_usd_per_case: Option<Usd>,
    /// The longest that 95 of 100 answers may take; default none.
    max_p95_latency_ms: Option<u64>,
}

impl GateBody {
    /// The policy that it comes to.
    pub(crate) fn policy(&self) -> domain::Result<GatePolicy> {
        let default = GatePolicy::default();
        let policy = GatePolicy {
            mode: self.mode.unwrap_or(default.mode),
            min_pass_rate: self.min_pass_rate.unwrap_or(default.min_pass_rate),
            min_score: self.min_score,
            min_cases: self.min_cases.unwrap_or(default.min_cases),
            confidence: self.confidence.unwrap_or(default.confidence),
            require_staging_first: self.require_staging_first.unwrap_or_default(),
            require_approval: self.require_approval.unwrap_or_default(),
            max_cost_usd_per_case: self.max_cost_usd_per_case,
            max_p95_latency_ms: self.max_p95_latency_ms,
        };
        policy.validate()?;
        Ok(policy)
    }
}
