//! Weights, their floor and when they change.

use proptest::prelude::*;

use super::*;
use crate::experiment::estimate::{
    MAX_ARMS,
    tests::{BINARY, binary, near, strata},
};

fn split(arms: usize, objective: Objective) -> Split {
    Split { objective, floor: Floor::default_of(arms), binary: true }
}

fn wanted<const K: usize>(of_arms: [(f64, f64); K], objective: Objective, competes: [bool; K]) -> PerArm {
    let estimate = binary(&[of_arms]);
    split(K, objective).weights(&estimate, &Standing::of(&estimate, &competes, 5))
}

/// With these probabilities, whatever else.
fn standing<const K: usize>(p_best: [f64; K], competes: [bool; K]) -> Standing {
    standing_of(&p_best, &competes)
}

fn standing_of(p_best: &[f64], competes: &[bool]) -> Standing {
    let alone = Standing::of(&Estimate::of(p_best.len(), &[], BINARY, |_| 1.0).unwrap(), &[], 0);
    let mut marks = [false; MAX_ARMS];
    marks[..competes.len()].copy_from_slice(competes);
    Standing { competes: marks, p_best: PerArm::of(p_best.len(), |arm| p_best[arm]), ..alone }
}

fn assert_weights(found: &[f64], golden: &[f64]) {
    assert_eq!(found.len(), golden.len());
    found.iter().zip(golden).for_each(|(found, golden)| near(*found, *golden));
}

#[test]
fn traffic_follows_the_probability_within_the_floor() {
    let even = wanted([(300.0, 1000.0), (305.0, 1000.0)], Objective::Reward, [true; 2]);
    assert!(even[1] > 0.55 && even[1] < 0.65, "{even:?}");
    assert_weights(&wanted([(300.0, 1000.0), (400.0, 1000.0)], Objective::Reward, [true; 2]), &[0.1, 0.9]);
    assert_weights(&wanted([(400.0, 1000.0), (300.0, 1000.0)], Objective::Reward, [true; 2]), &[0.9, 0.1]);
}

#[test]
fn nothing_yet_is_an_equal_split() {
    assert_weights(&wanted([(0.0, 0.0); 4], Objective::Reward, [true; 4]), &[0.25; 4]);
    assert_weights(&wanted([(0.0, 0.0)], Objective::Reward, [true]), &[1.0]);
}

#[test]
fn one_arm_has_all_and_ten_keep_their_floor_beside_one_that_is_surely_the_best() {
    for objective in [Objective::Reward, Objective::Identify] {
        assert_weights(&wanted([(300.0, 1000.0)], objective, [true]), &[1.0]);
        let mut ten = [(3e8, 1e9); 10];
        ten[7].0 = 3.1e8;
        let weights = wanted(ten, objective, [true; 10]);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
        let least = weights.iter().copied().fold(1.0, f64::min);
        assert!(least >= 0.02 - 1e-15 && weights[7] >= 0.5 - 1e-6, "{weights:?}");
    }
    assert_weights(&wanted([(3e8, 1e9), (3.1e8, 1e9)], Objective::Reward, [true; 2]), &[0.1, 0.9]);
}

#[test]
fn the_split_waits_for_100_of_each_arm_and_10_of_each_event() {
    for burning in [
        [(10.0, 99.0), (80.0, 900.0)],
        [(0.0, 0.0), (80.0, 900.0)],
        [(4.0, 100.0), (5.0, 100.0)],
        [(96.0, 100.0), (95.0, 100.0)],
    ] {
        assert_weights(&wanted(burning, Objective::Reward, [true; 2]), &[0.5, 0.5]);
    }
    let burnt_in = |of_arms: [(f64, f64); 2], is_binary: bool| {
        let estimate = binary(&[of_arms]);
        let split = Split { binary: is_binary, ..split(2, Objective::Reward) };
        split.is_burnt_in(&estimate, &Standing::of(&estimate, &[true; 2], 0))
    };
    assert!(burnt_in([(5.0, 100.0), (5.0, 100.0)], true));
    assert!(!burnt_in([(5.0, 100.0), (4.0, 100.0)], true));
    assert!(burnt_in([(0.0, 100.0), (0.0, 100.0)], false));
}

#[test]
fn errors_count_as_events_although_fewer_are_better() {
    let mut errors = strata(&[[(5.0, 100.0), (5.0, 100.0)]]);
    errors[0].arms.iter_mut().for_each(|sums| *sums = sums.signed(-1.0));
    let estimate = Estimate::of(2, &errors, BINARY, |_| 1.0).unwrap();
    assert!(split(2, Objective::Reward).is_burnt_in(&estimate, &Standing::of(&estimate, &[true; 2], 0)));
}

#[test]
fn an_arm_that_broke_a_guardrail_gets_nothing() {
    let best_is_out = [(300.0, 1000.0), (310.0, 1000.0), (900.0, 1000.0)];
    let weights = wanted(best_is_out, Objective::Reward, [true, true, false]);
    assert!(weights[2] == 0.0 && weights[1] > weights[0] && weights[0] > 0.1, "{weights:?}");
    near(weights.iter().sum(), 1.0);
    // While it burns in too, and it is not waited for.
    assert_weights(
        &wanted([(3.0, 10.0), (3.0, 10.0), (9.0, 10.0)], Objective::Reward, [true, true, false]),
        &[0.5, 0.5, 0.0],
    );
    let few = wanted([(300.0, 1000.0), (400.0, 1000.0), (9.0, 10.0)], Objective::Reward, [true, true, false]);
    assert_weights(&few, &[0.2 / 3.0, 1.0 - 0.2 / 3.0, 0.0]);
    for objective in [Objective::Reward, Objective::Identify] {
        assert_weights(&wanted([(300.0, 1000.0), (310.0, 1000.0)], objective, [true, false]), &[1.0, 0.0]);
        assert_weights(&wanted([(300.0, 1000.0), (310.0, 1000.0)], objective, [false, false]), &[1.0, 0.0]);
    }
}

#[test]
fn to_identify_is_half_and_half_for_two_arms_whatever_the_data() {
    for b in [100.0, 300.0, 310.0, 900.0] {
        assert_weights(&wanted([(300.0, 1000.0), (b, 1000.0)], Objective::Identify, [true; 2]), &[0.5, 0.5]);
    }
}

#[test]
fn to_identify_serves_the_best_half_of_the_time_and_its_rivals_by_their_chances() {
    // ½·.6·(1 + .3/.7 + .1/.9), ½·.3·(1 + .6/.4 + .1/.9), ½·.1·(1 + .6/.4 + .3/.7).
    assert_weights(&top_two(&standing([0.6, 0.3, 0.1], [true; 3])), &[0.461_904_8, 0.391_666_7, 0.146_428_6]);
    assert_weights(&top_two(&standing([0.0, 1.0, 0.0], [true; 3])), &[0.25, 0.5, 0.25]);
    assert_weights(&top_two(&standing([0.0, 1.0, 0.0], [true, true, false])), &[0.5, 0.5, 0.0]);
}

#[test]
fn an_arm_that_the_floor_of_others_pushes_below_it_is_raised_too() {
    let kept = |floor, standing: Standing| {
        Floor::new(floor, standing.p_best.len()).unwrap().keep(standing.p_best, &standing)
    };
    assert_weights(&kept(0.11, standing([0.79, 0.11, 0.10], [true; 3])), &[0.78, 0.11, 0.11]);
    assert_weights(&kept(0.25, standing([0.7, 0.2, 0.1, 0.0], [true; 4])), &[0.25; 4]);
    for arms in 2..=MAX_ARMS {
        let mut sure = vec![0.0; arms];
        sure[0] = 1.0;
        let equal = vec![equal_share(arms); arms];
        assert_weights(&kept(equal_share(arms), standing_of(&sure, &vec![true; arms])), &equal);
    }
}

#[test]
fn floors_must_fit_into_the_traffic() {
    assert_eq!(Floor::default_of(2), Floor::new(0.1, 2).unwrap());
    for (floor, arms) in [(0.51, 2), (0.11, 10), (-0.01, 2), (f64::NAN, 2)] {
        let error = Floor::new(floor, arms).unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/exploration_floor");
    }
    assert!(Floor::new(0.1, 10).is_ok() && Floor::new(0.0, 2).is_ok());
}

#[test]
fn the_weights_that_were_asked_for_are_normalised() {
    assert_weights(&fixed(&[2.0, 1.0, 1.0], &standing([0.0; 3], [true; 3])), &[0.5, 0.25, 0.25]);
    assert_weights(&fixed(&[0.2, 0.3, 0.5], &standing([0.0; 3], [true, true, false])), &[0.4, 0.6, 0.0]);
    assert_weights(&fixed(&[0.5, 0.5], &standing([0.0; 2], [false, false])), &[1.0, 0.0]);
    assert_weights(&fixed(&[0.0, 0.0], &standing([0.0; 2], [true, true])), &[1.0, 0.0]);
}

#[test]
fn a_new_version_is_due_by_change_or_by_age() {
    let hour = Duration::from_hours(1);
    let due = |wanted: [f64; 2], age| is_due(&[0.5, 0.5], &wanted, age, hour);
    assert!(due([0.45, 0.55], hour));
    assert!(!due([0.46, 0.54], hour) && !due([0.46, 0.54], Duration::from_hours(23)));
    assert!(!due([0.1, 0.9], Duration::from_mins(59)));
    assert!(due([0.5, 0.5], OLDEST));
    assert!(due([1.0, 0.0], Duration::ZERO) && !is_due(&[1.0, 0.0], &[1.0, 0.0], hour, hour));
}

fn chances() -> impl Strategy<Value = (Standing, Floor)> {
    (2..=MAX_ARMS).prop_flat_map(|arms| {
        let chance = prop_oneof![Just(0.0), 0.0..1.0, Just(1.0)];
        let of_arms = prop::collection::vec((chance, any::<bool>()), arms);
        (of_arms, prop_oneof![0.0..=1.0, Just(1.0)]).prop_map(move |(of_arms, of_most)| {
            let (mut p, mut competes): (Vec<f64>, Vec<bool>) = of_arms.into_iter().unzip();
            competes[0] = true;
            p.iter_mut().zip(&competes).for_each(|(p, competes)| *p *= f64::from(u8::from(*competes)));
            p[0] = if p.iter().all(|p| *p == 0.0) { 1.0 } else { p[0] };
            let all: f64 = p.iter().sum();
            let p: Vec<f64> = p.iter().map(|p| p / all).collect();
            (standing_of(&p, &competes), Floor::new(of_most * equal_share(arms), arms).unwrap())
        })
    })
}

proptest! {
    #[test]
    fn weights_sum_to_1_and_keep_the_floor((standing, floor) in chances(), identify: bool) {
        let rivals = standing.competing().count() > 1;
        let wanted = if identify && rivals { top_two(&standing) } else { standing.p_best };
        let weights = floor.keep(wanted, &standing);
        prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
        for (weight, competes) in weights.iter().zip(standing.competes) {
            prop_assert!(if competes { *weight >= floor.0 - 1e-15 } else { *weight == 0.0 }, "{weights:?}");
        }
    }

    /// The better the chance, the more traffic.
    #[test]
    fn the_floor_keeps_the_order((standing, floor) in chances()) {
        let weights = floor.keep(standing.p_best, &standing);
        for one in standing.competing() {
            for other in standing.competing() {
                let better = standing.p_best[one] >= standing.p_best[other];
                prop_assert!(!better || weights[one] >= weights[other] - 1e-12);
            }
        }
    }
}
