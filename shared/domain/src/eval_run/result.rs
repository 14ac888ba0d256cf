//! What came of cases, one by one and together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tally;
use crate::{
    EvalRunId,
    assertion::{AssertionResult, CaseScore},
    gate::{Figures, Observation},
    money::Usd,
};

/// The figures of an ended run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Cases by outcome.
    pub tally: Tally,
    /// The mean score of the judged cases, 0 to 1.
    pub avg_score: f64,
    /// The median latency of the model's answers, in ms.
    pub p50_latency_ms: Option<u64>,
    /// The 95th percentile, in ms.
    pub p95_latency_ms: Option<u64>,
    /// What the calls cost; a reused answer costs nothing.
    pub total_cost_usd: Usd,
    /// What a judged case costs on average each time that it is asked, also where its answer was reused.
    #[serde(default)]
    pub cost_per_case_usd: Usd,
    /// Cases whose answer was taken from a former run.
    #[serde(default)]
    pub reused_cases: u32,
}

impl RunSummary {
    /// What the gate looks at.
    pub fn figures(&self) -> Figures {
        Figures {
            tally: self.tally,
            avg_score: self.avg_score,
            p95_latency_ms: self.p95_latency_ms,
            cost_per_case: self.cost_per_case_usd,
        }
    }
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// Its assertions hold.
    Passed,
    /// They do not.
    Failed,
    /// There is no output to judge.
    Errored,
}

/// What came of one case. Put once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// Its position in the test set, from 1.
    pub number: u32,
    /// Its name there.
    pub case_id: String,
    /// What its outcome depends on, see [`crate::test_set::Case::content_sha256`].
    #[serde(default)]
    pub content_sha256: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Whether it is tagged `critical`.
    pub critical: bool,
    /// The assertions, one by one; `None` when errored.
    pub score: Option<CaseScore>,
    /// What the model answered.
    pub output: Option<String>,
    /// Why there is no output.
    pub error: Option<String>,
    /// Whether the error is the provider's doing.
    pub provider_error: bool,
    /// How long the model took, in ms; the mean where it was asked several times.
    pub latency_ms: Option<u64>,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// What the calls cost, judges included.
    pub cost_usd: Usd,
    /// The run whose answer this is, where none was asked for anew.
    #[serde(default)]
    pub reused_from: Option<EvalRunId>,
}

impl CaseResult {
    /// The same without what a model, a judge or a provider said, which may hold personal data. Figures stay.
    #[must_use]
    pub fn erased(mut self) -> Self {
        self.output = None;
        self.error = self.error.map(|_| "Why is erased with the test set.".to_owned());
        self.score.iter_mut().flat_map(|score| &mut score.results).for_each(AssertionResult::erase);
        self
    }

    /// What a comparison sees of it: nothing, where the provider gave no answer.
    fn observation(&self) -> Option<Observation> {
        (!self.provider_error).then(|| Observation {
            case_id: self.case_id.clone(),
            content_sha256: self.content_sha256.clone(),
            passed: self.outcome == CaseOutcome::Passed,
            score: self.score.as_ref().map_or(0.0, |score| score.score),
            critical: self.critical,
            metrics: self.score.as_ref().map(metrics).unwrap_or_default(),
        })
    }
}

/// What comparisons see of a run.
pub fn observations(results: &[CaseResult]) -> Vec<Observation> {
    results.iter().filter_map(CaseResult::observation).collect()
}

/// The named metrics of a case: the weighted mean of the assertions that carry the name, in sets too.
fn metrics(score: &CaseScore) -> BTreeMap<String, f64> {
    fn collect(results: &[AssertionResult], sums: &mut BTreeMap<String, (f64, f64)>) {
        for result in results {
            if let Some(name) = &result.metric {
                let (score, weight) = sums.entry(name.clone()).or_default();
                *score += result.score * result.weight;
                *weight += result.weight;
            }
            collect(&result.members, sums);
        }
    }
    let mut sums = BTreeMap::new();
    collect(&score.results, &mut sums);
    let weighed = sums.into_iter().filter(|(_, (_, weight))| *weight > 0.0);
    weighed.map(|(name, (score, weight))| (name, score / weight)).collect()
}

/// The figures of a run that asked each case so often, from all its results, in any order.
pub fn summarise(results: &[CaseResult], repeats: u32) -> RunSummary {
    let mut tally = Tally::default();
    let mut latencies: Vec<u64> = results.iter().filter_map(|result| result.latency_ms).collect();
    latencies.sort_unstable();
    for result in results {
        match result.outcome {
            CaseOutcome::Passed => tally.passed += 1,
            CaseOutcome::Failed => tally.failed += 1,
            CaseOutcome::Errored => tally.errored += 1,
        }
        tally.provider_errors += u32::from(result.provider_error);
        let misses = result.critical && result.outcome != CaseOutcome::Passed;
        tally.critical_not_passed += u32::from(misses && !result.provider_error);
        tally.critical_unanswered += u32::from(misses && result.provider_error);
    }
    let scores = results.iter().filter_map(|result| result.score.as_ref());
    let judged = tally.judged().max(1);
    let cost: Usd = results.iter().map(|result| result.cost_usd).sum();
    let reused = results.iter().filter(|result| result.reused_from.is_some());
    RunSummary {
        tally,
        avg_score: scores.map(|score| score.score).sum::<f64>() / f64::from(judged),
        p50_latency_ms: percentile(&latencies, 50),
        p95_latency_ms: percentile(&latencies, 95),
        total_cost_usd: results
            .iter()
            .filter(|result| result.reused_from.is_none())
            .map(|r| r.cost_usd)
            .sum(),
        cost_per_case_usd: Usd::from_nanos(cost.as_nanos() / u64::from(judged) / u64::from(repeats.max(1))),
        reused_cases: u32::try_from(reused.count()).unwrap_or(u32::MAX),
    }
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
