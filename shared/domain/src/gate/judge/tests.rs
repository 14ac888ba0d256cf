//! The verdict, rule by rule.

use super::*;
use crate::{
    EvalRunId, VersionId, VersionPointer,
    gate::statistics::{bonett_price, mcnemar},
};

fn figures(passed: u32, failed: u32) -> Figures {
    Figures {
        tally: Tally { passed, failed, ..Tally::default() },
        avg_score: f64::from(passed) / f64::from((passed + failed).max(1)),
        p95_latency_ms: Some(800),
        cost_per_case: Usd::from_nanos(1_000),
    }
}

fn comparison(regressed: u32, improved: u32, pairs: u32) -> Comparison {
    Comparison {
        version: VersionPointer { number: 3, id: VersionId::from_bytes([1; 16]) },
        eval_run_id: EvalRunId::from_bytes([2; 16]),
        pairs,
        regressed,
        improved,
        critical_regressed: 0,
        p_regression: mcnemar(regressed, improved),
        difference: 0.0,
        lower_bound: bonett_price(regressed, improved, pairs),
        scores: Vec::new(),
        regressed_cases: Vec::new(),
    }
}

fn score(difference: f64, lower_bound: f64, dropped: bool) -> MetricComparison {
    MetricComparison { metric: Some("tone".to_owned()), difference, lower_bound, dropped }
}

fn alone(policy: &GatePolicy, figures: &Figures) -> GateResult {
    judge(policy, figures, Baseline::Nothing).result
}

fn beside(figures: &Figures, comparison: &Comparison) -> GateResult {
    judge(&GatePolicy::default(), figures, Baseline::Version(comparison)).result
}

#[test]
fn alone_a_clear_miss_fails_a_hit_passes_and_the_rest_goes_to_a_person() {
    let policy = GatePolicy { min_pass_rate: 0.6, ..GatePolicy::default() };
    let result = |passed, failed| alone(&policy, &figures(passed, failed));
    assert_eq!(result(92, 108), GateResult::Fail);
    assert_eq!(result(134, 66), GateResult::Pass);
    assert_eq!(result(115, 85), GateResult::ManualReview);
    assert_eq!(result(49, 0), GateResult::ManualReview, "too few cases");
    assert_eq!(result(50, 0), GateResult::Pass);
    assert_eq!(result(0, 0), GateResult::ManualReview);
}

/// Each rule of the policy refuses on one side of its limit and allows on the other.
#[test]
fn each_limit_of_a_policy_refuses_and_allows() {
    let base = GatePolicy::default();
    let good = figures(190, 10);
    let judged = |policy: GatePolicy| alone(&policy, &good);
    assert_eq!(judged(base), GateResult::Pass);
    for (refuses, allows) in [
        (GatePolicy { min_pass_rate: 0.99, ..base }, GatePolicy { min_pass_rate: 0.95, ..base }),
        (GatePolicy { min_score: Some(0.951), ..base }, GatePolicy { min_score: Some(0.95), ..base }),
        (
            GatePolicy { max_cost_usd_per_case: Some(Usd::from_nanos(999)), ..base },
            GatePolicy { max_cost_usd_per_case: Some(Usd::from_nanos(1_000)), ..base },
        ),
        (
            GatePolicy { max_p95_latency_ms: Some(799), ..base },
            GatePolicy { max_p95_latency_ms: Some(800), ..base },
        ),
    ] {
        assert_eq!(judged(refuses), GateResult::Fail, "{refuses:?}");
        assert_eq!(judged(allows), GateResult::Pass, "{allows:?}");
    }
    assert_eq!(judged(GatePolicy { min_cases: 201, ..base }), GateResult::ManualReview);
    assert_eq!(judged(GatePolicy { min_cases: 200, ..base }), GateResult::Pass);
}

#[test]
fn beside_production_regressions_fail_and_doubt_goes_to_a_person() {
    let good = figures(190, 10);
    assert_eq!(beside(&good, &comparison(0, 0, 200)), GateResult::Pass);
    assert_eq!(beside(&good, &comparison(8, 10, 200)), GateResult::Pass);
    assert_eq!(beside(&good, &comparison(14, 5, 200)), GateResult::Fail);
    assert_eq!(
        beside(&good, &comparison(14, 7, 200)),
        GateResult::ManualReview,
        "p > 0.05, but the bound is low"
    );
    assert_eq!(beside(&good, &comparison(0, 0, 49)), GateResult::ManualReview, "too few pairs");
    assert_eq!(beside(&good, &comparison(0, 0, 50)), GateResult::Pass);
    let critical = Comparison { critical_regressed: 1, ..comparison(1, 9, 200) };
    assert_eq!(beside(&good, &critical), GateResult::Fail);
    let not_new = Figures { tally: Tally { critical_not_passed: 1, ..good.tally }, ..good };
    assert_eq!(beside(&not_new, &comparison(0, 0, 200)), GateResult::Pass, "production fails it too");
    assert_eq!(alone(&GatePolicy::default(), &not_new), GateResult::Fail);
}

/// Edge cases of statistics.md §7.
#[test]
fn nothing_passes_or_everything_does() {
    let (none, all) = (figures(0, 200), figures(200, 0));
    assert_eq!(alone(&GatePolicy::default(), &none), GateResult::Fail);
    assert_eq!(alone(&GatePolicy::default(), &all), GateResult::Pass);
    assert_eq!(beside(&none, &comparison(200, 0, 200)), GateResult::Fail);
    assert_eq!(beside(&none, &comparison(0, 0, 200)), GateResult::Fail, "production passes none either");
    assert_eq!(beside(&all, &comparison(0, 0, 200)), GateResult::Pass);
    assert_eq!(beside(&all, &comparison(0, 200, 200)), GateResult::Pass);
    assert_eq!(beside(&figures(49, 0), &comparison(0, 9, 49)), GateResult::ManualReview, "too few cases");
    assert_eq!(beside(&figures(0, 49), &comparison(49, 0, 49)), GateResult::Fail, "few, and all are bad");
}

#[test]
fn where_cases_have_no_pair_fifty_pairs_decide_however_few_the_policy_wants() {
    let judged = |min_cases, judged, pairs| {
        let policy = GatePolicy { min_cases, ..GatePolicy::default() };
        judge(&policy, &figures(judged, 0), Baseline::Version(&comparison(0, 9, pairs))).result
    };
    assert_eq!(judged(20, 30, 30), GateResult::Pass);
    assert_eq!(judged(20, 31, 30), GateResult::ManualReview);
    assert_eq!(judged(20, 60, 49), GateResult::ManualReview);
    assert_eq!(judged(20, 60, 50), GateResult::Pass);
    assert_eq!(judged(55, 60, 54), GateResult::ManualReview, "the policy wants more");
}

#[test]
fn ninety_percent_confidence_asks_people_less_often() {
    let good = figures(190, 10);
    let judged = |confidence, comparison: &Comparison| {
        let policy = GatePolicy { confidence, ..GatePolicy::default() };
        judge(&policy, &good, Baseline::Version(comparison)).result
    };
    for (regressed, improved, sure, surer) in [
        (10, 8, GateResult::Pass, GateResult::Pass),
        (12, 8, GateResult::Pass, GateResult::ManualReview),
        (14, 8, GateResult::ManualReview, GateResult::ManualReview),
        (14, 5, GateResult::Fail, GateResult::Fail),
    ] {
        let comparison = comparison(regressed, improved, 200);
        assert_eq!((judged(0.90, &comparison), judged(0.95, &comparison)), (sure, surer), "{regressed}");
    }
}

#[test]
fn a_score_that_drops_fails_and_one_that_could_goes_to_a_person() {
    let good = figures(190, 10);
    let with = |score| Comparison { scores: vec![score], ..comparison(0, 0, 200) };
    assert_eq!(beside(&good, &with(score(-0.02, -0.029, true))), GateResult::Fail);
    assert_eq!(beside(&good, &with(score(-0.02, -0.03, false))), GateResult::ManualReview);
    assert_eq!(beside(&good, &with(score(-0.02, -0.029, false))), GateResult::Pass);
}

#[test]
fn a_bad_minute_of_the_provider_is_no_verdict_and_counts_for_nothing() {
    let with = |provider_errors| Tally {
        passed: 200 - provider_errors,
        errored: provider_errors,
        provider_errors,
        ..Tally::default()
    };
    assert!(void_reason(&with(4)).is_none() && void_reason(&with(5)).is_some());
    let all_judged_pass = Figures { tally: with(4), ..figures(196, 0) };
    let strict = GatePolicy { min_pass_rate: 1.0, ..GatePolicy::default() };
    assert_eq!(alone(&strict, &all_judged_pass), GateResult::Pass);
    let unanswered = Tally { critical_unanswered: 1, ..with(4) };
    assert_eq!(alone(&strict, &Figures { tally: unanswered, ..all_judged_pass }), GateResult::ManualReview);
}

#[test]
fn the_reasons_are_for_a_product_manager() {
    let regressed_cases = (1..=12).map(|at| format!("case-{at}")).collect();
    let worse = Comparison { critical_regressed: 1, regressed_cases, ..comparison(12, 3, 200) };
    let verdict = judge(&GatePolicy::default(), &figures(170, 30), Baseline::Version(&worse));
    assert_eq!(
        verdict.reasons,
        [
            "170 of 200 cases pass (85.0 %); the gate asks for 80.0 %.",
            "12 cases that production passes fail here; 3 improve (compared with version 3 on 200 cases).",
            "Regressed: `case-1`, `case-2`, `case-3`, `case-4`, `case-5` and 7 more.",
            "1 critical case that production passes fails here.",
            "By chance alone that many would regress in 1.8 % of such runs.",
        ]
    );
}
