//! Which arm is the best, against exact figures.

use proptest::prelude::*;

use super::*;
use crate::experiment::estimate::tests::{all, binary, counts, near};

#[test]
fn draws_agree_with_the_exact_answer() {
    let estimate = binary(&[[(300.0, 1000.0), (310.0, 1000.0), (320.0, 1000.0)]]);
    let standing = Standing::of(&estimate, &all::<3>(), 1);
    // By numerical integration of φ(x)·Φ(x + d1)·Φ(x + d2) for independent means of error √(.2137/1000).
    for (found, exact) in
        standing.p_best.iter().zip(exact_p_best([0.30, 0.31, 0.32], estimate.sigma() / 1000_f64.sqrt()))
    {
        assert!((found - exact).abs() < 0.011, "{found} is not {exact}");
    }
    assert_eq!(standing, Standing::of(&estimate, &all::<3>(), 1));
    assert_ne!(standing, Standing::of(&estimate, &all::<3>(), 2));
    assert_eq!(standing.leader, 2);
}

fn exact_p_best(means: [f64; 3], error: f64) -> [f64; 3] {
    let step = error / 200.0;
    let grid = (0..4000).map(|i| 0.31 + (f64::from(i) - 2000.0) * step);
    let mut p = [0.0; 3];
    for x in grid {
        for arm in 0..3 {
            let others =
                (0..3).filter(|other| *other != arm).map(|other| normal::cdf((x - means[other]) / error));
            p[arm] += normal::pdf((x - means[arm]) / error) / error * others.product::<f64>() * step;
        }
    }
    p
}

#[test]
fn two_that_compete_among_more_are_compared_exactly() {
    let estimate = binary(&[[(300.0, 1000.0), (900.0, 1000.0), (360.0, 1000.0)]]);
    let standing = Standing::of(&estimate, &[true, false, true], 3);
    assert_eq!((standing.leader, standing.p_best[1]), (2, 0.0));
    near(standing.p_best[2], normal::cdf(estimate.contrast(2, 0).z()));
    let alone = Standing::of(&estimate, &[true, false, false], 3);
    assert_eq!((alone.leader, alone.p_best.as_ref()), (0, [1.0, 0.0, 0.0].as_slice()));
    let nobody = Standing::of(&estimate, &[false; 3], 3);
    assert_eq!((nobody.leader, nobody.p_best.as_ref()), (0, [1.0, 0.0, 0.0].as_slice()));
}

/// With draws for three arms, the third far behind, as exactly for two.
#[test]
fn losses_and_the_value_remaining_are_those_of_two_arms() {
    let estimate = binary(&[[(300.0, 1000.0), (310.0, 1000.0), (1.0, 1000.0)]]);
    let (two, three) =
        (Standing::of(&estimate, &[true, true, false], 0), Standing::of(&estimate, &all::<3>(), 0));
    for arm in 0..2 {
        assert!((three.p_best[arm] - two.p_best[arm]).abs() < 0.01);
        assert!((three.expected_loss[arm] / two.expected_loss[arm] - 1.0).abs() < 0.05);
    }
    assert!((three.value_remaining / two.value_remaining - 1.0).abs() < 0.05);
    assert!((three.expected_loss[2] - 0.31 - two.expected_loss[1] + 0.001).abs() < 0.001);
}

proptest! {
    // Each case draws 20,000 times.
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn probabilities_sum_to_1(
        of_arms in prop::collection::vec([counts(), counts(), counts()], 1..3),
        seed: u64,
    ) {
        let standing = Standing::of(&binary(&of_arms), &all::<3>(), seed);
        prop_assert!((standing.p_best.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(standing.expected_loss.iter().all(|loss| *loss >= 0.0 && loss.is_finite()));
        prop_assert!(standing.value_remaining >= 0.0);
    }
}
