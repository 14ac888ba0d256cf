//! Who gets which arm, and who moves when the weights do.

use proptest::prelude::*;

use super::*;
use crate::{ExperimentId, RolloutId, VersionId};

fn trial() -> TrialId {
    ExperimentId::from_bytes([7; 16]).into()
}

fn arm(key: &str, weight: f64) -> Arm {
    Arm {
        key: key.to_owned(),
        version: VersionPointer { number: 1, id: VersionId::from_bytes([1; 16]) },
        weight,
    }
}

fn split(arms: Vec<Arm>) -> Allocation {
    Allocation {
        trial: trial(),
        iteration: 1,
        allocation_version: 1,
        rule: Rule::Split { enrolled: 1.0 },
        arms,
    }
}

fn weighted(weights: &[f64]) -> Allocation {
    split(weights.iter().zip('A'..).map(|(weight, key)| arm(&key.to_string(), *weight)).collect())
}

fn canary(share: f64) -> Allocation {
    let version = arm("", 0.0).version;
    Allocation::canary(RolloutId::from_bytes([7; 16]).into(), (1, 1), (version, version), share)
}

/// Who serves each unit; `-` for those that take no part.
fn keys(allocation: &Allocation, units: u32) -> Vec<String> {
    let key = |unit| allocation.assign(&format!("user-{unit}")).map_or("-", |arm| arm.key.as_str());
    (0..units).map(|unit| key(unit).to_owned()).collect()
}

fn moved(before: &Allocation, after: &Allocation, units: u32) -> f64 {
    let pairs = keys(before, units).into_iter().zip(keys(after, units));
    f64::from(u32::try_from(pairs.filter(|(a, b)| a != b).count()).unwrap()) / f64::from(units)
}

#[test]
fn the_arms_are_those_of_the_specification() {
    let dice = Dice::new("exp_A", 1);
    let chosen = |control, v2, unit| {
        rendezvous(&[arm("control", control), arm("v2", v2)], &dice, unit).unwrap().key.clone()
    };
    assert_eq!(chosen(0.5, 0.5, "user-1"), "control");
    assert_eq!(chosen(0.1, 0.9, "user-1"), "v2");
    assert_eq!(chosen(0.5, 0.5, "user-2"), "v2");
    assert_eq!(chosen(0.5, 0.5, "user-42"), "v2");
    assert_eq!(chosen(0.5, 0.5, "юзер"), "v2");
}

#[test]
fn the_traffic_is_split_by_the_weights() {
    let three = weighted(&[0.5, 0.3, 0.2]);
    let served = keys(&three, 40_000);
    for (key, weight) in [("A", 0.5), ("B", 0.3), ("C", 0.2)] {
        let count = served.iter().filter(|served| *served == key).count();
        let share = f64::from(u32::try_from(count).unwrap()) / 40_000.0;
        assert!((share - weight).abs() < 0.012, "{key} {share}");
    }
}

#[test]
fn an_arm_without_weight_serves_nobody_and_one_arm_serves_all() {
    let served = keys(&weighted(&[0.0, 1e-9, 0.0]), 2000);
    assert!(served.iter().all(|key| *key == "B"));
    assert!(keys(&weighted(&[1.0]), 2000).iter().all(|key| *key == "A"));
    for nothing in [weighted(&[]), weighted(&[0.0, 0.0]), weighted(&[f64::NAN])] {
        assert_eq!(nothing.assign("user-1"), None);
    }
}

#[test]
fn restored_weights_bring_everybody_back() {
    let before = weighted(&[0.4, 0.3, 0.3]);
    assert!(moved(&before, &weighted(&[0.05, 0.9, 0.05]), 2000) > 0.3);
    assert!(moved(&before, &weighted(&[0.4, 0.3, 0.3]), 2000) < 1e-9);
    assert!(moved(&before, &weighted(&[4.0, 3.0, 3.0]), 2000) < 1e-9, "only proportions count");
}

#[test]
fn as_few_move_as_the_specification_measured() {
    let third = 1.0 / 3.0;
    for (before, after, expected) in [
        (&[0.5, 0.5][..], &[0.6, 0.4][..], 0.099),
        (&[0.4, 0.3, 0.3], &[0.5, 0.25, 0.25], 0.100),
        (&[0.2, 0.2, 0.2, 0.2, 0.2], &[0.36, 0.16, 0.16, 0.16, 0.16], 0.160),
        (&[third, third, third], &[0.5, 0.3, 0.2], 0.193),
    ] {
        let moved = moved(&weighted(before), &weighted(after), 20_000);
        assert!((moved - expected).abs() < 0.009, "{after:?}: {moved}");
    }
}

#[test]
fn a_tie_goes_to_the_smaller_key() {
    // The distances of weights as small as these are infinite.
    let tied = split(vec![arm("b", f64::MIN_POSITIVE / 1e10), arm("a", f64::MIN_POSITIVE / 1e10)]);
    assert_eq!(tied.assign("user-1").unwrap().key, "a");
}

#[test]
fn who_takes_part_has_nothing_to_do_with_the_arms() {
    let all = weighted(&[0.5, 0.5]);
    let tenth = Allocation { rule: Rule::Split { enrolled: 0.1 }, ..all.clone() };
    let none = Allocation { rule: Rule::Split { enrolled: 0.0 }, ..all.clone() };
    assert!(keys(&none, 2000).iter().all(|key| key == "-"));
    let (of_all, of_tenth) = (keys(&all, 20_000), keys(&tenth, 20_000));
    let part: Vec<_> = of_tenth.iter().zip(&of_all).filter(|(tenth, _)| *tenth != "-").collect();
    assert!((1850..=2150).contains(&part.len()), "{}", part.len());
    assert!(part.iter().all(|(tenth, all)| tenth == all));
    let on_a = part.iter().filter(|(tenth, _)| *tenth == "A").count();
    assert!((0.45..0.55).contains(&(f64::from(u32::try_from(on_a).unwrap()) / 2000.0)), "{on_a}");
}

#[test]
fn nobody_leaves_a_canary_that_grows() {
    let stages = [0.0, 0.01, 0.05, 0.25, 0.5, 1.0].map(|share| keys(&canary(share), 20_000));
    for pair in stages.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(before, after)| before == after || *before == CONTROL));
    }
    let counts = stages.map(|stage| stage.iter().filter(|key| *key == CANARY).count());
    assert_eq!((counts[0], counts[5]), (0, 20_000));
    assert!((150..=250).contains(&counts[1]) && (9_700..=10_300).contains(&counts[4]), "{counts:?}");
}

#[test]
fn a_canary_draws_the_numbers_of_the_specification() {
    let dice = Dice::new("exp_A", 1);
    assert!(dice.roll(Allocation::NESTING, "юзер") < 0.05 && dice.roll(Allocation::NESTING, "user-1") > 0.25);
}

#[test]
fn a_conversation_keeps_its_arm_while_the_trial_its_run_and_a_weight_last() {
    let allocation = Allocation { iteration: 2, allocation_version: 9, ..weighted(&[0.0, 0.01]) };
    let former = Assignment { trial: trial(), iteration: 2, allocation_version: 3, arm: "B".to_owned() };
    let hour = Duration::from_hours(1);
    assert_eq!(allocation.keep(&former, hour).unwrap().key, "B");
    assert_eq!(allocation.keep(&former, CONTINUES), None, "too old");
    assert!(allocation.keep(&former, CONTINUES.saturating_sub(Duration::from_millis(1))).is_some());
    for gone in [
        Assignment { trial: RolloutId::from_bytes([7; 16]).into(), ..former.clone() },
        Assignment { iteration: 1, ..former.clone() },
        Assignment { arm: "A".to_owned(), ..former.clone() },
        Assignment { arm: "C".to_owned(), ..former.clone() },
    ] {
        assert_eq!(allocation.keep(&gone, hour), None, "{gone:?}");
    }
}

#[test]
fn another_run_assigns_anew() {
    let first = weighted(&[0.5, 0.5]);
    let second = Allocation { iteration: 2, ..first.clone() };
    assert!((0.45..0.55).contains(&moved(&first, &second, 4000)));
}

#[test]
fn a_ref_holds_it_as_json() {
    for allocation in [canary(0.05), weighted(&[0.5, 0.5])] {
        let json = serde_json::to_string(&allocation).unwrap();
        assert_eq!(serde_json::from_str::<Allocation>(&json).unwrap(), allocation);
    }
}

fn shares(arms: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.02..1.0_f64, arms).prop_map(|weights| {
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    })
}

/// Shares of drawn units are within their bounds for these weights; for other ones they need not be.
fn seeded() -> ProptestConfig {
    let rng_seed = prop::test_runner::RngSeed::Fixed(5);
    ProptestConfig { cases: 24, rng_seed, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn a_change_of_weights_moves_little_more_than_it_must(
        (before, after) in (2_usize..=6).prop_flat_map(|arms| (shares(arms), shares(arms)))
    ) {
        let must: f64 = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
        let moved = moved(&weighted(&before), &weighted(&after), 4000);
        // Rendezvous moves a share of at most 2t/(1+t), t being what must; four standard errors are .032.
        prop_assert!(moved <= 2.0 * must / (1.0 + must) + 0.032, "{} moved, {} must", moved, must);
        prop_assert!(moved >= must - 0.032, "{} moved, {} must", moved, must);
    }
}

proptest! {
    #[test]
    fn the_order_of_the_arms_is_nothing(
        arms in prop::collection::hash_map("[a-z]{1,3}", 0.0..1.0_f64, 1..8),
        unit in "\\PC{0,30}",
    ) {
        let mut list: Vec<_> = arms.iter().map(|(key, weight)| arm(key, *weight)).collect();
        let before = split(list.clone()).assign(&unit).cloned();
        list.sort_by(|a, b| b.key.cmp(&a.key));
        prop_assert_eq!(split(list).assign(&unit).cloned(), before);
    }

    #[test]
    fn a_growing_weight_never_sends_anybody_away(
        unit in "\\PC{0,30}", weight in 0.01..1.0_f64, more in 0.0..1.0_f64,
    ) {
        let on_b = |weight: f64| {
            let arms = vec![arm("a", 0.5), arm("b", weight), arm("c", 0.3)];
            split(arms).assign(&unit).is_some_and(|arm| arm.key == "b")
        };
        prop_assert!(!on_b(weight) || on_b(weight + more));
    }
}
