//! Experiments are watched, follow the data, and end.

mod edges;

use std::collections::BTreeMap;

use super::{balance::Answered, estimate::Stratum, *};
use crate::{
    VersionId, VersionPointer,
    allocation::{Variant, arms},
    counter::Sums,
    measure::Measure,
    rollout::{self, Compared, Units},
};

fn version(number: u32) -> VersionPointer {
    VersionPointer { number, id: VersionId::from_bytes(u128::from(number).to_be_bytes()) }
}

fn hours(count: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_hours(count))
}

/// One about success with so many arms that begins at hour 0.
fn experiment(count: u32, settings: NewSettings) -> Experiment {
    let variants: Vec<_> =
        (1..=count).map(|number| Variant { key: None, version: version(number), weight: None }).collect();
    let arms = arms(&variants).unwrap();
    let settings =
        NewSettings { primary_metric: Some(Measure::Success), ..settings }.settle(arms.len()).unwrap();
    Experiment {
        experiment_id: ExperimentId::from_bytes([1; 16]),
        prompt_id: PromptId::from_bytes([2; 16]),
        environment: "production".parse().unwrap(),
        state: State::begin(&arms, &settings, hours(0)),
        arms,
        settings,
        flags: BTreeSet::new(),
        status: Status::Active,
        outcome: None,
        winner_version_id: None,
        verdict: None,
        created_by: "key_test".to_owned(),
        started_at: hours(0),
        ended_at: None,
        revision: 1,
    }
}

fn thompson() -> NewSettings {
    NewSettings { allocation_strategy: Some(Strategy::ThompsonSampling), ..NewSettings::default() }
}

/// So many successes of so many answers for each arm, all under the first weights, and no harm.
fn seen(of: &Experiment, arms: &[(f64, f64)]) -> Observed {
    let sums = arms.iter().map(|(successes, n)| Sums { n: *n, s1: *successes, s2: *successes });
    let exposures = arms.iter().map(|(_, n)| n).sum::<f64>();
    let calm =
        rollout::Observed { allocation_version: of.state.allocation_version, ..rollout::Observed::default() };
    Observed {
        allocation_version: of.state.allocation_version,
        strata: vec![Stratum { allocation_version: 1, arms: sums.collect() }],
        ages: BTreeMap::new(),
        design_effect: 1.0,
        harm: vec![calm; arms.len() - 1],
        served: Vec::new(),
        answered: Vec::new(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        exposures: exposures as u64,
    }
}

fn at(of: &Experiment, observed: &Observed, hour: u64) -> Tick {
    tick(of, observed, hours(hour)).unwrap()
}

/// Of the challenger and of the control: failed, served.
fn errors(challenger: (u64, u64), control: (u64, u64)) -> Compared {
    let units = |(failed, served)| Units { served, failed };
    Compared { canary: units(challenger), control: units(control) }
}

fn with_errors(of: &Experiment, arm: usize, compared: Compared) -> Observed {
    let mut observed = seen(of, &vec![(30.0, 100.0); of.arms.len()]);
    observed.harm[arm - 1].failures = [(Measure::Error, compared)].into();
    observed
}

#[test]
fn without_any_data_nothing_happens() {
    let begun = experiment(2, thompson());
    let tick = at(&begun, &Observed { harm: vec![rollout::Observed::default()], ..Observed::default() }, 2);
    assert_eq!(tick.action, Action::Hold);
    assert!((tick.standing.p_best[0] - 0.5).abs() < 1e-9 && tick.verdict.e_value.is_finite());
    let silent =
        at(&begun, &Observed { harm: vec![rollout::Observed::default()], ..Observed::default() }, 24);
    assert!(silent.experiment.flags.contains(&Flag::Stalled));
    assert_eq!(silent.action, Action::Allocate, "a stratum is a day old at most");
}

#[test]
fn thompson_follows_the_data_after_the_burn_in_and_its_interval() {
    let begun = experiment(2, thompson());
    let better = seen(&begun, &[(30.0, 100.0), (44.0, 100.0)]);
    assert_eq!(at(&begun, &better, 0).action, Action::Hold, "the interval has not passed");
    let early = seen(&begun, &[(30.0, 100.0), (43.0, 99.0)]);
    assert_eq!(at(&begun, &early, 1).action, Action::Hold, "an answer is missing");
    let tick = at(&begun, &better, 1);
    assert_eq!(tick.action, Action::Allocate);
    let state = &tick.experiment.state;
    assert_eq!((state.allocation_version, state.allocated_at), (2, hours(1)));
    assert!(state.weights[1] > 0.85 && (state.weights[0] + state.weights[1] - 1.0).abs() < 1e-12);
    let allocation = tick.experiment.allocation().unwrap();
    assert_eq!((allocation.allocation_version, allocation.arms[1].weight), (2, state.weights[1]));
    assert_eq!(begun.allocation().unwrap().arms.len(), 2);
}

#[test]
fn a_fixed_split_keeps_its_weights_and_cuts_its_strata_daily() {
    let begun = experiment(2, NewSettings::default());
    let better = seen(&begun, &[(30.0, 100.0), (44.0, 100.0)]);
    assert_eq!(at(&begun, &better, 23).action, Action::Hold);
    let cut = at(&begun, &better, 24);
    assert_eq!(cut.action, Action::Allocate);
    assert_eq!(cut.experiment.state.weights, [0.5, 0.5]);
}

#[test]
fn a_strict_winner_ends_it_after_its_least_time() {
    let begun = experiment(2, NewSettings::default());
    let clear = seen(&begun, &[(300.0, 1000.0), (420.0, 1000.0)]);
    assert_ne!(at(&begun, &clear, 23).action, Action::End(Some(1)), "it runs for a day at least");
    let won = at(&begun, &clear, 24);
    assert_eq!(won.action, Action::End(Some(1)));
    let ended = &won.experiment;
    assert_eq!((ended.status, ended.outcome), (Status::Completed, Some(Ended::Winner)));
    assert_eq!((ended.winner_version_id, ended.ended_at), (Some(version(2).id), Some(hours(24))));
    assert_eq!(ended.allocation(), None);
    assert!(ended.verdict.as_ref().unwrap().e_value >= 40.0);
    let later = at(ended, &seen(ended, &[(600.0, 1000.0), (420.0, 1000.0)]), 48);
    assert_eq!(
        (later.action, &later.experiment),
        (Action::Hold, ended),
        "feedback after the end decides nothing"
    );
}

#[test]
fn time_without_a_winner_keeps_the_control() {
    let begun = experiment(2, NewSettings::default());
    let equal = at(&begun, &seen(&begun, &[(3000.0, 10_000.0), (3000.0, 10_000.0)]), 14 * 24);
    assert_eq!(
        (equal.action.clone(), equal.experiment.outcome),
        (Action::End(None), Some(Ended::Equivalent))
    );
    let few = at(&begun, &seen(&begun, &[(30.0, 100.0), (33.0, 99.0)]), 14 * 24);
    assert_eq!((few.action.clone(), few.experiment.outcome), (Action::End(None), Some(Ended::Inconclusive)));
    assert_eq!(few.experiment.winner_version_id, None);
}

#[test]
fn a_person_decides_a_manual_one_and_a_continuous_one_never_ends() {
    let manual =
        experiment(2, NewSettings { decision: Some(decision::Mode::Manual), ..NewSettings::default() });
    let clear = seen(&manual, &[(300.0, 1000.0), (420.0, 1000.0)]);
    assert_eq!(at(&manual, &clear, 15 * 24).experiment.status, Status::Active);
    let endless = experiment(2, NewSettings { continuous: true, ..NewSettings::default() });
    let tick = at(&endless, &clear, 300 * 24);
    assert_eq!((tick.experiment.status, tick.action), (Status::Active, Action::Allocate));
    assert_eq!(endless.settings.reward_half_life_days, Some(7.0));
}

#[test]
fn in_a_continuous_one_old_answers_count_less() {
    let settings = NewSettings { continuous: true, exploration_floor: Some(0.01), ..NewSettings::default() };
    let mut endless = experiment(2, settings);
    endless.state.allocation_version = 3;
    let mut flipped = seen(&endless, &[(420.0, 1000.0), (300.0, 1000.0)]);
    let recent = [(90.0, 300.0), (126.0, 300.0)].map(|(s1, n)| Sums { n, s1, s2: s1 });
    flipped.strata.push(Stratum { allocation_version: 2, arms: recent.to_vec() });
    let weight = |ages: [(u64, f64); 2]| {
        let observed = Observed { ages: ages.into(), ..flipped.clone() };
        at(&endless, &observed, 24).experiment.state.weights[1]
    };
    assert!(weight([(1, 0.0), (2, 0.0)]) < 0.05);
    assert!(weight([(1, 60.0), (2, 0.0)]) > 0.9);
}

#[test]
fn balanced_wants_24_sure_hours_in_a_row() {
    let mut current =
        experiment(2, NewSettings { decision: Some(decision::Mode::Balanced), ..NewSettings::default() });
    let sure = seen(&current, &[(300.0, 1000.0), (345.0, 1000.0)]);
    for hour in 1..24 {
        let tick = at(&current, &sure, hour);
        assert_eq!(tick.experiment.state.streak.ticks, u32::try_from(hour).unwrap());
        let again = at(&tick.experiment, &sure, hour);
        assert_eq!(again.experiment.state.streak, tick.experiment.state.streak, "an hour is one tick");
        current = tick.experiment;
    }
    assert_eq!(at(&current, &sure, 24).action, Action::End(Some(1)));
}

#[test]
fn an_arm_that_breaks_a_guardrail_serves_nobody_at_once() {
    let begun = experiment(3, NewSettings::default());
    let bad = with_errors(&begun, 2, errors((12, 40), (0, 40)));
    let tick = at(&begun, &bad, 0);
    assert_eq!(tick.action, Action::Allocate, "it does not wait for the interval");
    assert_eq!(tick.experiment.state.weights, [0.5, 0.5, 0.0]);
    assert_eq!(tick.experiment.competing(), [true, true, false]);
    let reason = "C was taken out: errors met 12 of 40 users of C and 0 of 40 of A; above 20 % it is stopped \
                  at once.";
    assert!(tick.verdict.reasons.iter().any(|said| said == reason), "{:?}", tick.verdict.reasons);
    let later = at(&tick.experiment, &seen(&tick.experiment, &[(30.0, 100.0); 3]), 30);
    assert!(later.experiment.state.weights[2].abs() < 1e-12, "it does not come back");
}

#[test]
fn when_every_challenger_is_out_the_control_stays() {
    let begun = experiment(2, NewSettings::default());
    let tick = at(&begun, &with_errors(&begun, 1, errors((12, 40), (0, 40))), 0);
    assert_eq!((tick.action, tick.experiment.outcome), (Action::End(None), Some(Ended::Guardrail)));
}

#[test]
fn an_outage_of_all_freezes_it() {
    let begun = experiment(2, thompson());
    let mut down = seen(&begun, &[(30.0, 100.0), (60.0, 100.0)]);
    down.harm[0].failures = [(Measure::Error, errors((40, 100), (40, 100)))].into();
    let tick = at(&begun, &down, 2);
    assert_eq!(tick.action, Action::Hold);
    assert!(tick.experiment.flags.contains(&Flag::Frozen) && tick.experiment.competing()[1]);
    let well = at(&tick.experiment, &seen(&begun, &[(30.0, 100.0), (60.0, 100.0)]), 3);
    assert_eq!((well.action, well.experiment.flags.len()), (Action::Allocate, 0));
}

#[test]
fn a_control_that_fails_alone_freezes_nothing() {
    let begun = experiment(2, thompson());
    let mut worse = seen(&begun, &[(30.0, 100.0), (60.0, 100.0)]);
    worse.harm[0].failures = [(Measure::Error, errors((1, 100), (40, 100)))].into();
    let tick = at(&begun, &worse, 2);
    assert_eq!((tick.action, tick.experiment.flags.len()), (Action::Allocate, 0));
}

#[test]
fn a_mismatch_of_ratios_or_answers_decides_nothing() {
    let begun = experiment(2, NewSettings::default());
    let clear = seen(&begun, &[(300.0, 1000.0), (420.0, 1000.0)]);
    let served = vec![Served { units: vec![1100.0, 900.0], weights: vec![0.5, 0.5] }];
    let mismatch = at(&begun, &Observed { served, ..clear.clone() }, 48);
    assert!(mismatch.experiment.flags.contains(&Flag::Srm));
    assert_eq!(mismatch.experiment.status, Status::Active);
    let answered = vec![Answered { with: 500.0, without: 500.0 }, Answered { with: 400.0, without: 600.0 }];
    let biased = at(&begun, &Observed { answered, ..clear }, 48);
    assert!(biased.experiment.flags.contains(&Flag::FeedbackBias));
    assert_eq!(biased.experiment.status, Status::Active);
}

#[test]
fn two_that_look_at_once_find_the_same() {
    for arms in [2, 5] {
        let begun = experiment(arms, thompson());
        let mut counts = vec![(30.0, 100.0); begun.arms.len()];
        counts[1] = (45.0, 110.0);
        let observed = seen(&begun, &counts);
        assert_eq!(at(&begun, &observed, 3), at(&begun, &observed, 3));
    }
}

#[test]
fn a_person_stops_it_once() {
    let begun = experiment(2, NewSettings::default());
    let stopped = begun.stopped("ann stopped it: enough", Some(version(2).id), hours(3)).unwrap();
    assert_eq!((stopped.status, stopped.outcome), (Status::Stopped, None));
    assert_eq!(stopped.verdict.as_ref().unwrap().reasons, ["ann stopped it: enough"]);
    assert_eq!(stopped.stopped("again", None, hours(4)).unwrap_err().kind(), ErrorKind::Conflict);
}
