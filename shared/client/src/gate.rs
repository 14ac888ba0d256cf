//! Gates: what a version must have shown before it goes to production.

use domain::money::Usd;
use serde::{Deserialize, Serialize};

/// The gate in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// `required`, `advisory` or `off`.
    pub mode: String,
    /// The share of cases that must pass.
    pub min_pass_rate: f64,
    /// How sure the gate must be that the pass rate is not 5 points below production's: 0.95 or 0.90.
    pub confidence: f64,
    /// The average score that must be reached.
    pub min_score: Option<f64>,
    /// How many cases there must be.
    pub min_cases: u32,
    /// Whether a version must have been live in staging.
    pub require_staging_first: bool,
    /// Whether another releaser must approve.
    pub require_approval: bool,
    /// The most that a case may cost on average.
    pub max_cost_usd_per_case: Option<Usd>,
    /// The longest that 95 of 100 answers may take.
    pub max_p95_latency_ms: Option<u64>,
    /// Whether the prompt has it from its team.
    pub inherited: bool,
}

/// A gate to be set; what is left out takes the platform's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewGate {
    /// `required`, `advisory` or `off`.
    pub mode: Option<String>,
    /// The share of cases that must pass.
    pub min_pass_rate: Option<f64>,
    /// How sure the gate must be that the pass rate is not 5 points below production's: 0.95 or 0.90.
    pub confidence: Option<f64>,
    /// The average score that must be reached.
    pub min_score: Option<f64>,
    /// How many cases there must be.
    pub min_cases: Option<u32>,
    /// Whether a version must have been live in staging.
    pub require_staging_first: Option<bool>,
    /// Whether another releaser must approve.
    pub require_approval: Option<bool>,
    /// The most that a case may cost on average.
    pub max_cost_usd_per_case: Option<Usd>,
    /// The longest that 95 of 100 answers may take.
    pub max_p95_latency_ms: Option<u64>,
}
