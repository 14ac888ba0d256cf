//! What a decision on a trial was made from, as the audit keeps it.

use std::collections::BTreeMap;

use domain::{
    experiment::{self, estimate::Stratum},
    rollout::{self, Mean},
};
use serde_json::{Value, json};

/// How many strata an entry of the audit keeps: a decision has 8 KB.
const STRATA_KEPT: usize = 12;

/// What was known of an experiment.
pub(crate) fn of_experiment(observed: &experiment::Observed) -> Value {
    json!({
        "strata": newest(&observed.strata), "design_effect": observed.design_effect,
        "exposures": observed.exposures,
    })
}

/// What was known of a canary: who failed by measure, in this stage or watch, and all else that its guardrails watch.
pub(crate) fn of_canary(observed: &rollout::Observed) -> Value {
    let mean = |mean: &Mean| json!({ "strata": newest(&mean.strata), "design_effect": mean.design_effect });
    let means: BTreeMap<_, _> = observed.means.iter().map(|(measure, of)| (measure, mean(of))).collect();
    json!({
        "requests": observed.requests, "labels": observed.labels,
        "failures": observed.failures, "means": means,
    })
}

/// The newest strata first, for an entry has its bounds; the others are in the counters. Each arm, the control first, has
/// n, Σx and Σx² of the measure times its sign.
fn newest(strata: &[Stratum]) -> Vec<Value> {
    let stratum = |stratum: &Stratum| {
        let arms = stratum.arms.iter().map(|sums| json!([sums.n, sums.s1, sums.s2]));
        json!({ "allocation_version": stratum.allocation_version, "arms": arms.collect::<Value>() })
    };
    strata.iter().rev().take(STRATA_KEPT).map(stratum).collect()
}
