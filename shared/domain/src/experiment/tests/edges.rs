//! Edge cases of statistics.md §7: what is said of the arms.

use super::*;
use crate::rollout::{Guardrail, Mean};

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
