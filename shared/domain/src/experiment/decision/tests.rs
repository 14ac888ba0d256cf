//! When an experiment ends, and as what.

mod drift;
mod edges;

use proptest::prelude::*;

use super::*;
use crate::experiment::{
    estimate::tests::{binary, near},
    normal,
};

const STRICT: Settings = Settings {
    mode: Mode::Strict,
    min_samples: 100.0,
    min_duration: Duration::from_hours(24),
    max_duration: Some(Duration::from_hours(336)),
    extended: false,
};

const BALANCED: Settings = Settings { mode: Mode::Balanced, ..STRICT };

const DAY_2: Progress = Progress {
    active: Duration::from_hours(48),
    flags: Flags { srm: false, feedback_bias: false, frozen: false },
    streak: Streak { arm: 0, ticks: 0 },
    scale: 0.3,
};

const END: Progress = Progress { active: Duration::from_hours(336), ..DAY_2 };

/// 40 to 1 and more for the second arm; 24 to 1, 2.86 standard errors; nothing to speak of.
const SURE: [(f64, f64); 2] = [(300.0, 1000.0), (380.0, 1000.0)];
const NEARLY: [(f64, f64); 2] = [(300.0, 1000.0), (360.0, 1000.0)];
const OPEN: [(f64, f64); 2] = [(300.0, 1000.0), (320.0, 1000.0)];

fn decided<const K: usize>(of_arms: [(f64, f64); K], settings: Settings, progress: Progress) -> Decision {
    decided_among([true; K], of_arms, settings, progress)
}

fn decided_among<const K: usize>(
    competes: [bool; K],
    of_arms: [(f64, f64); K],
    settings: Settings,
    progress: Progress,
) -> Decision {
    let estimate = binary(&[of_arms]);
    decide(&estimate, &Standing::of(&estimate, &competes, 11), settings, progress)
}

fn outcome<const K: usize>(of_arms: [(f64, f64); K], settings: Settings, progress: Progress) -> Outcome {
    decided(of_arms, settings, progress).outcome
}

#[test]
fn strict_declares_at_40_to_1_at_any_tick() {
    assert_eq!(outcome(SURE, STRICT, DAY_2), Outcome::Winner(1));
    assert_eq!(outcome([SURE[1], SURE[0]], STRICT, DAY_2), Outcome::Winner(0));
    let nearly = decided(NEARLY, STRICT, DAY_2);
    assert_eq!((nearly.outcome, nearly.leader, nearly.rival), (Outcome::Undecided, 1, 0));
    assert!((nearly.e_value() / 24.2116 - 1.0).abs() < 1e-5);
    near(nearly.threshold(), 40.0);
}

#[test]
fn strict_declares_at_the_planned_end_by_the_planned_look() {
    assert_eq!(outcome(NEARLY, STRICT, END), Outcome::Winner(1));
    assert_eq!(outcome([NEARLY[1], NEARLY[0]], STRICT, END), Outcome::Winner(0));
    assert_eq!(outcome(OPEN, STRICT, END), Outcome::Inconclusive);
    let (below, above) = ([(300.0, 1000.0), (340.0, 1000.0)], [(300.0, 1000.0), (341.0, 1000.0)]);
    assert!(decided(below, STRICT, END).z < 1.96 && decided(above, STRICT, END).z > 1.96);
    assert_eq!(outcome(below, STRICT, END), Outcome::Inconclusive);
    assert_eq!(outcome(above, STRICT, END), Outcome::Winner(1));
}

#[test]
fn an_extended_end_leaves_the_e_value_only() {
    let extended = Settings { extended: true, ..STRICT };
    assert_eq!(outcome(NEARLY, extended, END), Outcome::Inconclusive);
    assert_eq!(outcome(SURE, extended, END), Outcome::Winner(1));
}

#[test]
fn without_an_end_only_the_e_value_decides() {
    let endless = Settings { max_duration: None, ..STRICT };
    assert_eq!(outcome(NEARLY, endless, END), Outcome::Undecided);
    assert_eq!(outcome(SURE, endless, END), Outcome::Winner(1));
}

#[test]
fn an_end_in_the_past_ends_it_without_data() {
    let past = Settings { max_duration: Some(Duration::ZERO), min_duration: Duration::ZERO, ..STRICT };
    assert_eq!(outcome([(0.0, 0.0); 2], past, DAY_2), Outcome::Inconclusive);
}

#[test]
fn a_declaration_waits_for_the_samples_of_each_arm() {
    let few = [(10.0, 99.0), (500.0, 1000.0)];
    assert!(decided(few, STRICT, DAY_2).ln_e > 40_f64.ln());
    assert_eq!(outcome(few, STRICT, DAY_2), Outcome::Undecided);
    assert_eq!(decided(few, STRICT, DAY_2).fewest, (0, 99.0));
    assert_eq!(outcome(few, STRICT, END), Outcome::Inconclusive);
    assert_eq!(outcome([(10.0, 100.0), (500.0, 1000.0)], STRICT, DAY_2), Outcome::Winner(1));
}

#[test]
fn a_declaration_waits_for_the_least_duration() {
    let early = Progress { active: Duration::from_mins(24 * 60 - 1), ..DAY_2 };
    assert_eq!(outcome(SURE, STRICT, early), Outcome::Undecided);
    assert_eq!(outcome(SURE, STRICT, Progress { active: STRICT.min_duration, ..DAY_2 }), Outcome::Winner(1));
}

#[test]
fn arms_that_cannot_be_compared_have_no_winner() {
    for flags in [Flags { srm: true, ..Flags::default() }, Flags { feedback_bias: true, ..Flags::default() }]
    {
        assert_eq!(outcome(SURE, STRICT, Progress { flags, ..DAY_2 }), Outcome::Undecided);
        assert_eq!(outcome(SURE, STRICT, Progress { flags, ..END }), Outcome::Inconclusive);
    }
    let flags = Flags { frozen: true, ..Flags::default() };
    assert_eq!(outcome(SURE, STRICT, Progress { flags, ..DAY_2 }), Outcome::Undecided);
    assert_eq!(outcome(SURE, STRICT, Progress { flags, ..END }), Outcome::Undecided);
}

#[test]
fn time_is_up_and_it_is_all_the_same() {
    let same = [(30_000.0, 100_000.0), (30_000.0, 100_000.0)];
    let decision = decided(same, STRICT, END);
    assert_eq!(decision.outcome, Outcome::Equivalent);
    // s = √(.21·2/100,000), φ(0)·s of .3.
    near(decision.control_loss, (0.21_f64 * 2.0 / 1e5).sqrt() * normal::pdf(0.0) / 0.3);
    assert_eq!(outcome(same, STRICT, DAY_2), Outcome::Undecided);
    assert_eq!(outcome(same, STRICT, Progress { scale: 0.0, ..END }), Outcome::Inconclusive);
    let slightly_worse = [(30_000.0, 100_000.0), (29_700.0, 100_000.0)];
    assert_eq!(outcome(slightly_worse, STRICT, END), Outcome::Equivalent);
}

#[test]
fn balanced_wants_a_probability_for_a_day() {
    let after = |ticks| Progress { streak: Streak { arm: 1, ticks }, ..DAY_2 };
    assert_eq!(outcome(NEARLY, BALANCED, after(23)), Outcome::Undecided);
    assert_eq!(outcome(NEARLY, BALANCED, after(24)), Outcome::Winner(1));
    assert_eq!(outcome(SURE, BALANCED, after(0)), Outcome::Undecided);
    assert_eq!(outcome([SURE[1], SURE[0]], BALANCED, after(24)), Outcome::Undecided);
    assert_eq!(outcome(NEARLY, BALANCED, END), Outcome::Inconclusive);
    near(decided(OPEN, BALANCED, DAY_2).threshold(), 0.95);
}

#[test]
fn a_streak_is_of_one_arm_and_broken_by_doubt() {
    let standing = |of_arms: [(f64, f64); 2]| Standing::of(&binary(&[of_arms]), &[true; 2], 0);
    let (b, a, open) = (standing(SURE), standing([SURE[1], SURE[0]]), standing(OPEN));
    let twice = Streak::default().next(&b).next(&b);
    assert_eq!(twice, Streak { arm: 1, ticks: 2 });
    assert_eq!(twice.next(&a), Streak { arm: 0, ticks: 1 });
    assert_eq!(twice.next(&open).next(&b), Streak { arm: 1, ticks: 1 });
    assert_eq!(Streak::default().next(&a).next(&a), Streak { arm: 0, ticks: 2 });
}

#[test]
fn manual_never_decides() {
    let manual = Settings { mode: Mode::Manual, ..STRICT };
    for progress in [DAY_2, END] {
        assert_eq!(outcome(SURE, manual, progress), Outcome::Undecided);
    }
}

#[test]
fn one_arm_has_nothing_to_decide() {
    let decision = decided([(300.0, 1000.0)], STRICT, END);
    assert_eq!(decision.outcome, Outcome::NotApplicable);
    assert_eq!((decision.e_value(), decision.p_best), (1.0, 1.0));
}

#[test]
fn the_leader_of_many_has_to_beat_each_of_them() {
    let close = [(300.0, 1000.0), (390.0, 1000.0), (400.0, 1000.0)];
    let decision = decided(close, STRICT, END);
    assert_eq!((decision.outcome, decision.leader, decision.rival), (Outcome::Inconclusive, 2, 1));
    assert_eq!(
        outcome([(300.0, 1000.0), (310.0, 1000.0), (400.0, 1000.0)], STRICT, DAY_2),
        Outcome::Winner(2)
    );
}

#[test]
fn an_arm_that_broke_a_guardrail_cannot_win_and_need_not_be_beaten() {
    let out = [(300.0, 1000.0), (380.0, 1000.0), (9.0, 10.0)];
    assert_eq!(decided_among([true, true, false], out, STRICT, DAY_2).outcome, Outcome::Winner(1));
    assert_eq!(decided_among([true, false], SURE, STRICT, DAY_2).outcome, Outcome::Guardrail);
}

#[test]
fn nothing_and_results_all_alike_decide_nothing() {
    for of_arms in [[(0.0, 0.0); 2], [(0.0, 500.0); 2], [(500.0, 500.0); 2], [(0.0, 0.0), (500.0, 500.0)]] {
        let decision = decided(of_arms, STRICT, DAY_2);
        assert_eq!(decision.outcome, Outcome::Undecided);
        assert!(decision.ln_e <= 0.0 && decision.ln_e.is_finite() && decision.z == 0.0, "{decision:?}");
    }
}

#[test]
fn two_different_constants_wait_for_the_samples_only() {
    let all_against_none = |n| [(0.0, n), (n, n)];
    assert_eq!(outcome(all_against_none(99.0), STRICT, DAY_2), Outcome::Undecided);
    assert_eq!(outcome(all_against_none(100.0), STRICT, DAY_2), Outcome::Winner(1));
    assert!(decided(all_against_none(1e9), STRICT, DAY_2).e_value().is_finite());
}

fn said(decision: Decision) -> String {
    decision.reasons(&["A", "B", "C"]).join("\n")
}

#[test]
fn winners_are_explained() {
    assert_eq!(
        said(decided(SURE, STRICT, DAY_2)),
        "B is better: the evidence that it beats A, the closest one, is 415 to 1, and 40 to 1 is enough at \
         any time."
    );
    assert_eq!(
        said(decided(NEARLY, STRICT, END)),
        "At the planned end B is 2.86 standard errors ahead of the closest variant, and 1.96 are enough then."
    );
    let streak = Streak { arm: 1, ticks: 24 };
    assert_eq!(
        said(decided(NEARLY, BALANCED, Progress { streak, ..DAY_2 })),
        "B was the best with a probability of 95 % or more for 24 hours in a row."
    );
}

#[test]
fn ends_without_a_winner_are_explained() {
    assert_eq!(
        said(decided(OPEN, STRICT, END)),
        "Time is up without a winner: A stays.\n\
         B leads and is the best with a probability of 83.3 %; the evidence that it beats A is 0.7 to 1, and \
         40 to 1 is needed."
    );
    assert_eq!(
        said(decided([(30_000.0, 100_000.0); 2], STRICT, END)),
        "Time is up and the variants are as good as equal: keeping A loses 0.2 % of its mean on average, and \
         up to 1 % does not matter. A stays."
    );
    assert_eq!(
        said(decided_among([true, false], SURE, STRICT, DAY_2)),
        "Every variant but A broke a guardrail: A stays."
    );
    assert_eq!(
        said(decided([(300.0, 1000.0)], STRICT, DAY_2)),
        "There is one variant only, so there is nothing to compare."
    );
}

#[test]
fn what_is_missing_is_explained() {
    assert_eq!(
        said(decided(NEARLY, STRICT, DAY_2)),
        "B leads and is the best with a probability of 99.7 %; the evidence that it beats A is 24.2 to 1, \
         and 40 to 1 is needed."
    );
    assert_eq!(
        said(decided(NEARLY, BALANCED, DAY_2)),
        "B leads and is the best with a probability of 99.7 %; 95 % for 24 hours in a row are needed, and it \
         is at 0."
    );
    let manual = said(decided(OPEN, Settings { mode: Mode::Manual, ..STRICT }, DAY_2));
    assert!(manual.starts_with("A person decides this one.\nB leads"), "{manual}");
    let flags = Flags { srm: true, feedback_bias: true, frozen: true };
    let early = Progress { active: Duration::from_hours(5), flags, ..DAY_2 };
    let early = said(decided([(3.0, 10.0), (20.0, 50.0)], STRICT, early));
    let chief: Vec<&str> = early.lines().map(|line| line.split_at(20).0).collect();
    let expected = [
        "The variants were no",
        "The users of one var",
        "All variants fail at",
        "A has 10 of the 100 ",
        "It has run for 5 of ",
        "B leads and is the b",
    ];
    assert_eq!(chief, expected);
}

proptest! {
    /// Whoever is called the control, the same arm wins.
    #[test]
    fn the_order_of_the_arms_does_not_matter(b in 200_u32..500, at_the_end: bool) {
        let of_arms = [(300.0, 1000.0), (f64::from(b), 1000.0)];
        let progress = if at_the_end { END } else { DAY_2 };
        let turned = outcome([of_arms[1], of_arms[0]], STRICT, progress);
        match outcome(of_arms, STRICT, progress) {
            Outcome::Winner(arm) => prop_assert_eq!(turned, Outcome::Winner(1 - arm)),
            _ => prop_assert!(!matches!(turned, Outcome::Winner(_))),
        }
    }
}
