//! Edge cases of statistics.md §7: clocks, silence, nobody who takes part, and what is said of the arms.

use super::*;
use crate::rollout::{Guardrail, Mean};

#[test]
fn a_clock_behind_the_start_is_the_start() {
    let late = Experiment { started_at: hours(100), ..experiment(2, NewSettings::default()) };
    let late = Experiment { state: State::begin(&late.arms, &late.settings, hours(100)), ..late };
    let clear = seen(&late, &[(300.0, 1000.0), (420.0, 1000.0)]);
    assert_eq!(late.active_for(hours(1)), Duration::ZERO);
    let tick = at(&late, &clear, 1);
    assert_eq!((tick.action, tick.experiment.state.streak.ticks), (Action::Hold, 0));
    assert_eq!(at(&late, &clear, 124).action, Action::End(Some(1)));
}

/// Neither an hour that a clock skips or repeats nor days without traffic change what the counters say.
#[test]
fn how_much_time_passed_changes_no_estimate() {
    let begun = experiment(2, thompson());
    let observed = seen(&begun, &[(300.0, 1000.0), (330.0, 1000.0)]);
    let before = at(&begun, &observed, 30);
    for hour in [31_u32, 30 + 24, 30 + 72] {
        let aged = Observed { ages: [(1, f64::from(hour) / 24.0)].into(), ..observed.clone() };
        let after = at(&before.experiment, &aged, u64::from(hour));
        assert_eq!((after.standing, after.effects), (before.standing, before.effects), "{hour}");
        assert!((after.verdict.e_value - before.verdict.e_value).abs() < 1e-12);
        let silent = after.experiment.flags.contains(&Flag::Stalled);
        assert_eq!(silent, hour >= 30 + 24, "{hour}");
    }
}

#[test]
fn where_nobody_takes_part_nobody_is_assigned_and_time_ends_it() {
    let settings = NewSettings { traffic_allocation: Some(0.0), ..thompson() };
    let begun = experiment(2, settings);
    let allocation = begun.allocation().unwrap();
    assert!((0..500).all(|user| allocation.assign(&format!("user-{user}")).is_none()));
    let nothing = Observed { harm: vec![rollout::Observed::default()], ..Observed::default() };
    assert_eq!(at(&begun, &nothing, 14 * 24 - 1).experiment.status, Status::Active);
    let over = at(&begun, &nothing, 14 * 24);
    assert_eq!((over.action, over.experiment.outcome), (Action::End(None), Some(Ended::Inconclusive)));
}

/// A mismatch says that the weights were not kept, so no others are tried.
#[test]
fn a_mismatch_of_ratios_holds_the_weights() {
    let begun = experiment(2, thompson());
    let better = seen(&begun, &[(300.0, 1000.0), (345.0, 1000.0)]);
    assert!(at(&begun, &better, 24).experiment.state.weights[1] > 0.8);
    let served = vec![Served { units: vec![1100.0, 900.0], weights: vec![0.5, 0.5] }];
    let held = at(&begun, &Observed { served, ..better }, 24);
    assert_eq!((held.action, held.experiment.state.weights), (Action::Allocate, vec![0.5, 0.5]));
}

#[test]
fn what_an_arm_broke_is_said_of_it_and_of_the_control() {
    let guardrails = vec![
        Guardrail::Refusal { ratio: 1.0 },
        Guardrail::Latency { margin: 0.1 },
        Guardrail::Cost { margin: 0.1 },
        Guardrail::Rating { margin: 0.1 },
        Guardrail::Eval { margin: 0.02 },
    ];
    let begun = experiment(3, NewSettings { guardrails: Some(guardrails), ..NewSettings::default() });
    let mut observed = seen(&begun, &[(30.0, 100.0); 3]);
    let refused = errors((15, 100), (1, 1000));
    observed.harm[1].failures = [(Measure::Refusal, refused)].into();
    let half_more = 1.5_f64.ln();
    for measure in [Measure::LatencyMs, Measure::CostUsd, Measure::UserRating, Measure::EvalScore] {
        let sums = |mean: f64| Sums { n: 2000.0, s1: 2000.0 * mean, s2: 2000.0 * (mean * mean + 0.04) };
        let arms = vec![sums(0.0), sums(-half_more)];
        let strata = vec![Stratum { allocation_version: 1, arms }];
        observed.harm[1].means.insert(measure, Mean { strata, design_effect: 1.0 });
    }
    let tick = at(&begun, &observed, 1);
    let said = &tick.experiment.state.challengers[1].breaches;
    let begins: Vec<_> =
        said.iter().map(|breach| breach.split("; the evidence is ").next().unwrap()).collect();
    assert_eq!(
        begins,
        [
            "refusals met 15 of 100 users of C and 1 of 1000 of A under these weights",
            "C takes 50 % longer",
            "C costs 50 % more",
            "users rate C 0.41 points lower",
            "C scores 0.405 lower",
        ]
    );
    assert!(tick.experiment.state.challengers[0].breaches.is_empty());
}
