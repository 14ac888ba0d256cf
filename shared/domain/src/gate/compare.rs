//! A candidate beside what is in production, case by case.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::statistics::{Paired, Z_ONE_SIDED, bonett_price, holm, mcnemar};
use crate::{EvalRunId, VersionPointer};

/// Regressions less likely than this are none by chance.
pub(super) const LEVEL: f64 = 0.05;

/// A smaller drop of a mean score is no matter, however sure.
const LEAST_DROP: f64 = 0.01;

/// How many regressed cases a comparison names.
const NAMED_CASES: usize = 20;

/// How many named metrics a comparison keeps.
const NAMED_METRICS: usize = 100;

/// What came of one case, as far as comparing goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Its name in the test set.
    pub case_id: String,
    /// What its outcome depends on: only equal ones are compared.
    pub content_sha256: String,
    /// Whether it passed.
    pub passed: bool,
    /// Its score, 0 to 1.
    pub score: f64,
    /// Whether it is tagged `critical`.
    pub critical: bool,
    /// The scores of its named metrics, 0 to 1.
    pub metrics: BTreeMap<String, f64>,
}

impl Observation {
    /// Whether the score says more than whether the case passed.
    fn is_graded(&self) -> bool {
        (self.score - if self.passed { 1.0 } else { 0.0 }).abs() > f64::EPSILON
    }
}

/// What a comparison with production came to. «Difference» is candidate minus production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The version that was in production.
    pub version: VersionPointer,
    /// The run that measured it.
    pub eval_run_id: EvalRunId,
    /// Cases that both were judged on, by name and content.
    pub pairs: u32,
    /// Cases that production passes and the candidate does not.
    pub regressed: u32,
    /// Cases that the candidate passes and production does not.
    pub improved: u32,
    /// Of the regressed cases, those tagged `critical`.
    pub critical_regressed: u32,
    /// How likely so many regressions are by chance (exact one-sided `McNemar`).
    pub p_regression: f64,
    /// The difference of the pass rates.
    pub difference: f64,
    /// Its lower bound (one-sided 95 %, Bonett–Price).
    pub lower_bound: f64,
    /// The score, and each named metric, the largest drops first; of more than a hundred metrics those.
    pub scores: Vec<MetricComparison>,
    /// The names of regressed cases, critical ones first; the first of them where there are many.
    pub regressed_cases: Vec<String>,
}

impl Comparison {
    /// Whether it is worse beyond doubt: so that who looks every day is not alarmed by chance, one look in two hundred
    /// is (not one in twenty, as for the gate). A critical case that regressed is enough.
    pub fn is_clearly_worse(&self) -> bool {
        const LEVEL: f64 = 0.005;
        self.p_regression <= LEVEL
            || self.critical_regressed > 0
            || self.scores.iter().any(|score| score.dropped && score.p_lower() <= LEVEL)
    }
}

impl MetricComparison {
    fn p_lower(&self) -> f64 {
        let standard_error = (self.difference - self.lower_bound) / Z_ONE_SIDED;
        Paired { mean: self.difference, standard_error }.p_lower()
    }
}

/// The paired difference of one score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricComparison {
    /// Its name; `None` for the score of the whole case.
    pub metric: Option<String>,
    /// The mean difference.
    pub difference: f64,
    /// Its lower bound (one-sided 95 %).
    pub lower_bound: f64,
    /// Whether it dropped by more than chance, and by more than 0.01.
    pub dropped: bool,
}

/// Compares the cases that have the same name and content in both; the others are left out.
pub fn compare(
    baseline: (VersionPointer, EvalRunId),
    candidate_cases: &[Observation],
    baseline_cases: &[Observation],
) -> Comparison {
    let named: HashMap<_, _> = baseline_cases.iter().map(|case| (case.case_id.as_str(), case)).collect();
    let pairs: Vec<(&Observation, &Observation)> = candidate_cases
        .iter()
        .filter_map(|case| Some((case, *named.get(case.case_id.as_str())?)))
        .filter(|(case, before)| case.content_sha256 == before.content_sha256)
        .collect();
    let mut regressions: Vec<&Observation> =
        pairs.iter().filter(|(case, before)| before.passed && !case.passed).map(|(case, _)| *case).collect();
    regressions.sort_by_key(|case| !case.critical);
    let improved = count(pairs.iter().filter(|(case, before)| case.passed && !before.passed));
    let (pair_count, regressed) = (count(&pairs), count(&regressions));
    let (version, eval_run_id) = baseline;
    Comparison {
        version,
        eval_run_id,
        pairs: pair_count,
        regressed,
        improved,
        critical_regressed: count(regressions.iter().filter(|case| case.critical)),
        p_regression: mcnemar(regressed, improved),
        difference: (f64::from(improved) - f64::from(regressed)) / f64::from(pair_count.max(1)),
        lower_bound: bonett_price(regressed, improved, pair_count),
        scores: scores(&pairs),
        regressed_cases: regressions.iter().take(NAMED_CASES).map(|case| case.case_id.clone()).collect(),
    }
}

/// The score and every metric that both sides know; a drop counts where it holds among all of them. A score that is 1
/// where the case passes and 0 where it does not says nothing of its own, and is left to the rules of the pass rate,
/// whose margin is wider.
fn scores(pairs: &[(&Observation, &Observation)]) -> Vec<MetricComparison> {
    let names: BTreeSet<&String> = pairs.iter().flat_map(|(case, _)| case.metrics.keys()).collect();
    let graded = pairs.iter().any(|(case, before)| case.is_graded() || before.is_graded());
    let whole = pairs.iter().filter(|_| graded).map(|(case, before)| case.score - before.score).collect();
    let metric = |name: &String| {
        let difference = |(case, before): &(&Observation, &Observation)| {
            Some(case.metrics.get(name)? - before.metrics.get(name)?)
        };
        (Some(name.clone()), pairs.iter().filter_map(difference).collect::<Vec<f64>>())
    };
    let differences = std::iter::once((None, whole)).chain(names.into_iter().map(metric));
    let measured: Vec<(Option<String>, Paired)> =
        differences.filter_map(|(name, values)| Some((name, Paired::of(&values)?))).collect();
    let surely = holm(&measured.iter().map(|(_, paired)| paired.p_lower()).collect::<Vec<f64>>());
    let compared = measured.into_iter().zip(surely).map(|((metric, paired), surely)| MetricComparison {
        metric,
        difference: paired.mean,
        lower_bound: paired.lower_bound(),
        dropped: surely && paired.mean < -LEAST_DROP,
    });
    let (mut kept, mut metrics): (Vec<_>, Vec<_>) = compared.partition(|score| score.metric.is_none());
    // What is sure comes before what is only large: no drop that decides is left out for one that does not.
    metrics.sort_by(|a, b| (!a.dropped).cmp(&!b.dropped).then(a.difference.total_cmp(&b.difference)));
    metrics.truncate(NAMED_METRICS);
    kept.extend(metrics);
    kept
}

fn count<T>(items: impl IntoIterator<Item = T>) -> u32 {
    u32::try_from(items.into_iter().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VersionId;

    fn case(name: &str, passed: bool) -> Observation {
        Observation {
            case_id: name.to_owned(),
            content_sha256: "same".to_owned(),
            passed,
            score: if passed { 1.0 } else { 0.0 },
            critical: name.starts_with('!'),
            metrics: BTreeMap::new(),
        }
    }

    fn compared(candidate: &[Observation], baseline: &[Observation]) -> Comparison {
        let pointer = VersionPointer { number: 3, id: VersionId::from_bytes([1; 16]) };
        compare((pointer, EvalRunId::from_bytes([2; 16])), candidate, baseline)
    }

    #[test]
    fn cases_are_paired_by_name_and_content() {
        let candidate =
            [case("a", false), case("b", true), case("c", false), case("new", false), case("!d", false)];
        let edited = Observation { content_sha256: "other".to_owned(), ..case("c", true) };
        let baseline = [case("!d", true), edited, case("b", false), case("a", true), case("gone", true)];
        let found = compared(&candidate, &baseline);
        assert_eq!((found.pairs, found.regressed, found.improved, found.critical_regressed), (3, 2, 1, 1));
        assert_eq!(found.regressed_cases, ["!d", "a"], "critical ones first");
        assert!((found.difference + 1.0 / 3.0).abs() < 1e-12);
        assert!((found.p_regression - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_score_that_only_repeats_the_outcome_is_no_second_test() {
        let outcomes = |passed: fn(usize) -> bool| {
            (0..60).map(|at| case(&format!("case-{at}"), passed(at))).collect::<Vec<_>>()
        };
        let (candidate, baseline) = (outcomes(|at| at > 2), outcomes(|_| true));
        assert!(compared(&candidate, &baseline).scores.is_empty());
        let mut graded = candidate.clone();
        graded[59].score = 0.9;
        assert_eq!(compared(&graded, &baseline).scores.len(), 1);
    }

    #[test]
    fn nothing_in_common_is_no_comparison_and_no_nan() {
        let found = compared(&[case("a", true)], &[case("b", true)]);
        assert_eq!((found.pairs, found.regressed, found.scores.len()), (0, 0, 0));
        assert!(found.difference == 0.0 && found.lower_bound.is_finite());
    }

    #[test]
    fn each_metric_is_compared_and_drops_are_judged_together() {
        let with = |score: f64, tone: f64, at: usize| Observation {
            metrics: BTreeMap::from([("tone".to_owned(), tone)]),
            score,
            ..case(&format!("case-{at}"), true)
        };
        let wobble = |at: usize| if at.is_multiple_of(2) { 0.01 } else { -0.01 };
        let baseline: Vec<_> = (0..40).map(|at| with(0.9, 0.8, at)).collect();
        let candidate: Vec<_> = (0..40).map(|at| with(0.9 + wobble(at), 0.7 + wobble(at), at)).collect();
        let found = compared(&candidate, &baseline).scores;
        assert_eq!(found[0].metric, None);
        assert!(!found[0].dropped && found[0].difference.abs() < 1e-9);
        assert_eq!(found[1].metric.as_deref(), Some("tone"));
        assert!(found[1].dropped && (found[1].difference + 0.1).abs() < 1e-9);
        let slightly: Vec<_> = (0..40).map(|at| with(0.891, 0.8, at)).collect();
        assert!(!compared(&slightly, &baseline).scores[0].dropped, "sure, and no matter");
    }

    #[test]
    fn of_many_metrics_the_largest_drops_are_kept_and_the_sure_ones_first() {
        let with = |drop: f64, at: usize| Observation {
            metrics: (0..300)
                .map(|metric| (format!("m{metric:03}"), 0.9 - drop * f64::from(metric)))
                .collect(),
            ..case(&format!("case-{at}"), true)
        };
        let baseline: Vec<_> = (0..40).map(|at| with(0.0, at)).collect();
        let mut candidate: Vec<_> = (0..40).map(|at| with(0.001, at)).collect();
        // Sometimes far lower and sometimes higher: more on average than any other, and by chance.
        for (at, case) in candidate.iter_mut().enumerate() {
            case.metrics.insert("m000".to_owned(), if at == 0 { -99.0 } else { 0.9 });
        }
        let found = compared(&candidate, &baseline).scores;
        let names: Vec<_> = found.iter().map(|score| score.metric.as_deref().unwrap()).collect();
        assert_eq!((names.len(), names[0], names[99]), (100, "m299", "m200"));
        assert!(found.iter().all(|score| score.dropped));
    }
}
