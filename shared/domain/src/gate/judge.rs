//! The gate's verdict on a run.

use serde::{Deserialize, Serialize};

use super::{
    Comparison, GatePolicy, MetricComparison, Tally,
    compare::LEVEL,
    statistics::{Z_ONE_SIDED, Z_ONE_SIDED_90, bonett_price_at, wilson},
};
use crate::money::Usd;

/// The most that the pass rate may be worse by, for all that is known.
const MARGIN: f64 = 0.05;
/// The most that a score may be worse by, for all that is known.
const SCORE_MARGIN: f64 = 0.03;
/// The fewest pairs that decide where some cases have none.
const LEAST_PAIRS: u32 = 50;
/// How many regressed cases the reasons name.
const NAMED_CASES: usize = 5;

/// The share of provider failures above which a run says nothing about the prompt.
const MAX_PROVIDER_ERROR_SHARE: f64 = 0.02;

/// A gate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateResult {
    /// Fit for production.
    Pass,
    /// Not fit.
    Fail,
    /// Too close to call, or too few cases.
    ManualReview,
}

/// A gate's answer with its reasons, in words for a product manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub result: GateResult,
    /// Why.
    pub reasons: Vec<String>,
}

/// What a run measured of a version by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Its cases by outcome.
    pub tally: Tally,
    /// The mean score of the judged cases, 0 to 1.
    pub avg_score: f64,
    /// The 95th percentile of the answers' latencies, in ms.
    pub p95_latency_ms: Option<u64>,
    /// What a case costs on average.
    pub cost_per_case: Usd,
}

/// What a version is measured against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Baseline<'a> {
    /// Nothing is in production.
    Nothing,
    /// What is there.
    Version(&'a Comparison),
    /// Something is there, and could not be measured on these cases.
    Unknown,
}

/// Why a run says nothing about its prompt, when so many cases failed for the provider's reasons.
pub fn void_reason(tally: &Tally) -> Option<String> {
    let share = f64::from(tally.provider_errors) / f64::from(tally.total().max(1));
    (share > MAX_PROVIDER_ERROR_SHARE).then(|| {
        format!(
            "{} of {} cases got no answer from the model's provider. That says nothing about the prompt: \
             evaluate again when the provider is well.",
            tally.provider_errors,
            tally.total()
        )
    })
}

/// What speaks against a version, and what leaves the question open.
#[derive(Default)]
struct Findings {
    /// The reasons to refuse.
    against: Vec<String>,
    /// The reasons to ask a person.
    open: Vec<String>,
}

/// Judges a run (statistics.md §6).
///
/// FAIL, if anything speaks against the version: the upper end of the pass rate's 95 % Wilson interval below
/// `min_pass_rate`; a budget or the least score missed; a critical case that regressed (without a baseline: that does
/// not pass); regressions that are none by chance; a score that dropped. PASS, if moreover there are enough cases, the
/// pass rate itself reaches `min_pass_rate`, and the bounds of pass rate and scores stay within their margins.
/// Between the two a person decides.
pub fn judge(policy: &GatePolicy, figures: &Figures, baseline: Baseline<'_>) -> Verdict {
    let mut found = Findings::default();
    found.of_pass_rate(policy, &figures.tally);
    found.of_budgets(policy, figures);
    match baseline {
        Baseline::Nothing => found.of_critical(figures.tally.critical_not_passed, "does not pass", "do not pass"),
        Baseline::Version(comparison) => found.of_comparison(policy, &figures.tally, comparison),
        Baseline::Unknown => found.open.push(
            "What is in production could not be measured on these cases, so nobody knows whether this is worse: a \
             person has to look."
                .to_owned(),
        ),
    }
    if figures.tally.critical_unanswered > 0 {
        let unanswered = cases(figures.tally.critical_unanswered, "critical case");
        found.open.push(format!("{unanswered} got no answer from the provider, so nobody knows."));
    }
    let mut reasons = vec![summary(policy, &figures.tally)];
    if let Baseline::Version(comparison) = baseline {
        reasons.push(beside_production(comparison));
        reasons.extend(regressed_cases(comparison));
    }
    let result = if !found.against.is_empty() {
        GateResult::Fail
    } else if found.open.is_empty() {
        GateResult::Pass
    } else {
        GateResult::ManualReview
    };
    reasons.extend(found.against);
    if result == GateResult::ManualReview {
        reasons.extend(found.open);
    }
    Verdict { result, reasons }
}

impl Findings {
    fn of_pass_rate(&mut self, policy: &GatePolicy, tally: &Tally) {
        let (_, upper) = wilson(tally.passed, tally.judged());
        if upper < policy.min_pass_rate {
            self.against.push(format!(
                "That is clearly below the {} that the gate asks for.",
                percent(policy.min_pass_rate)
            ));
        } else if tally.judged() < policy.min_cases {
            self.open
                .push(format!("The gate wants at least {} cases to decide by itself.", policy.min_cases));
        } else if tally.pass_rate() < policy.min_pass_rate {
            let within = "That is below the gate, but within what chance alone does: a person has to look at the \
                          failing cases.";
            self.open.push(within.to_owned());
        }
    }

    fn of_budgets(&mut self, policy: &GatePolicy, figures: &Figures) {
        if let Some(least) = policy.min_score.filter(|least| figures.avg_score < *least) {
            let score = figures.avg_score;
            self.against.push(format!("The average score is {score:.3}; the gate asks for {least:.3}."));
        }
        if let Some(most) = policy.max_cost_usd_per_case.filter(|most| figures.cost_per_case > *most) {
            let cost = figures.cost_per_case;
            self.against.push(format!("A case costs {cost} USD on average; the gate allows {most} USD."));
        }
        let p95 = figures.p95_latency_ms.zip(policy.max_p95_latency_ms);
        if let Some((p95, most)) = p95.filter(|(p95, most)| p95 > most) {
            self.against.push(format!("5 of 100 answers take {p95} ms or more; the gate allows {most} ms."));
        }
    }

    fn of_critical(&mut self, number: u32, one: &str, several: &str) {
        if number > 0 {
            let verb = if number == 1 { one } else { several };
            self.against.push(format!("{} {verb}.", cases(number, "critical case")));
        }
    }

    fn of_comparison(&mut self, policy: &GatePolicy, tally: &Tally, comparison: &Comparison) {
        let passes_today = "that production passes fails here";
        self.of_critical(comparison.critical_regressed, passes_today, "that production passes fail here");
        if comparison.p_regression <= LEVEL {
            let p = 100.0 * comparison.p_regression;
            let share = if p < 0.1 { "less than 0.1 %".to_owned() } else { format!("{p:.1} %") };
            self.against.push(format!("By chance alone that many would regress in {share} of such runs."));
        }
        for score in comparison.scores.iter().filter(|score| score.dropped) {
            let drop = -score.difference;
            self.against.push(format!("{} drops by {drop:.3} on average.", name_of(score)));
        }
        let least = least_pairs(policy, tally, comparison);
        if comparison.pairs < least {
            self.open.push(format!(
                "Only {} can be compared with production; the gate wants {least}.",
                cases(comparison.pairs, "case")
            ));
        } else if lower_bound(policy, comparison) <= -MARGIN {
            self.open.push(format!(
                "For all that {} can tell, it could be worse than production by {}: a person has to look at the \
                 regressed cases.",
                cases(comparison.pairs, "case"),
                percent(-lower_bound(policy, comparison))
            ));
        }
        for score in comparison.scores.iter().filter(|score| score.lower_bound <= -SCORE_MARGIN) {
            let bound = -score.lower_bound;
            self.open.push(format!("{} could be lower than production's by {bound:.3}.", name_of(score)));
        }
    }
}

/// How many pairs decide. Of edited cases those that are left to compare may be no fair sample, however few the policy
/// is content with.
fn least_pairs(policy: &GatePolicy, tally: &Tally, comparison: &Comparison) -> u32 {
    if comparison.pairs < tally.judged() { policy.min_cases.max(LEAST_PAIRS) } else { policy.min_cases }
}

/// The lower bound of the difference of the pass rates, as sure as the policy wants it.
fn lower_bound(policy: &GatePolicy, comparison: &Comparison) -> f64 {
    let z = if policy.confidence < 0.95 { Z_ONE_SIDED_90 } else { Z_ONE_SIDED };
    bonett_price_at(z, comparison.regressed, comparison.improved, comparison.pairs)
}

fn summary(policy: &GatePolicy, tally: &Tally) -> String {
    let (passed, judged) = (tally.passed, tally.judged());
    let (rate, asked) = (percent(tally.pass_rate()), percent(policy.min_pass_rate));
    let unanswered = match tally.provider_errors {
        0 => String::new(),
        some => format!(" Not counted: {} without an answer from the provider.", cases(some, "case")),
    };
    format!("{passed} of {judged} cases pass ({rate}); the gate asks for {asked}.{unanswered}")
}

/// «12 cases that production passes fail here; 3 improve.»
fn beside_production(comparison: &Comparison) -> String {
    let (regressed, improved) = (comparison.regressed, comparison.improved);
    let fail = match regressed {
        0 => "No case that production passes fails here".to_owned(),
        1 => "1 case that production passes fails here".to_owned(),
        several => format!("{several} cases that production passes fail here"),
    };
    let improve = match improved {
        0 => "none improves".to_owned(),
        1 => "1 improves".to_owned(),
        several => format!("{several} improve"),
    };
    let number = comparison.version.number;
    format!("{fail}; {improve} (compared with version {number} on {}).", cases(comparison.pairs, "case"))
}

/// The names of the regressed cases, the first of them where there are many.
fn regressed_cases(comparison: &Comparison) -> Option<String> {
    let named: Vec<String> =
        comparison.regressed_cases.iter().take(NAMED_CASES).map(|name| format!("`{name}`")).collect();
    let more = comparison.regressed as usize - named.len().min(comparison.regressed as usize);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("Regressed: {}{more}.", named.join(", ")))
}

fn name_of(score: &MetricComparison) -> String {
    score.metric.as_ref().map_or_else(|| "The score".to_owned(), |metric| format!("`{metric}`"))
}

fn cases(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests;
