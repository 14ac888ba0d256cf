//! What may be chosen, and what is taken for what is left out.

use super::*;

#[test]
fn settings_that_mean_nothing_are_refused_at_their_place() {
    let settings = NewSettings::default;
    for (wrong, pointer) in [
        (NewSettings { primary_metric: Some(Measure::Refusal), ..settings() }, "/primary_metric"),
        (NewSettings { min_samples: Some(0), ..settings() }, "/min_samples"),
        (NewSettings { max_duration_days: Some(0.0), ..settings() }, "/max_duration_days"),
        (NewSettings { max_duration_days: Some(f64::NAN), ..settings() }, "/max_duration_days"),
        (NewSettings { min_duration_days: Some(15.0), ..settings() }, "/min_duration_days"),
        (NewSettings { exploration_floor: Some(0.6), ..settings() }, "/exploration_floor"),
        (NewSettings { update_interval_minutes: Some(0), ..settings() }, "/update_interval_minutes"),
        (NewSettings { traffic_allocation: Some(1.1), ..settings() }, "/traffic_allocation"),
        (NewSettings { reward_half_life_days: Some(-1.0), ..settings() }, "/reward_half_life_days"),
        (NewSettings { attribution_window_minutes: Some(4321), ..settings() }, "/attribution_window_minutes"),
        (NewSettings { feedback: Some(Feedback::ImplicitNegative), ..settings() }, "/feedback"),
        (
            NewSettings { decision: Some(Mode::Manual), auto_promote: Some(true), ..settings() },
            "/auto_promote",
        ),
        (NewSettings { continuous: true, max_duration_days: Some(3.0), ..settings() }, "/max_duration_days"),
        (NewSettings { continuous: true, decision: Some(Mode::Strict), ..settings() }, "/decision"),
        (
            NewSettings { continuous: true, allocation_strategy: Some(Strategy::FixedSplit), ..settings() },
            "/allocation_strategy",
        ),
    ] {
        assert_eq!(wrong.settle(2).unwrap_err().problems()[0].pointer, pointer);
    }
}

#[test]
fn what_is_left_out_is_as_specified() {
    let settings = NewSettings::default().settle(4).unwrap();
    assert_eq!(settings.primary_metric, Measure::UserRating);
    assert_eq!((settings.min_samples, settings.auto_promote), (100, true));
    assert_eq!((settings.max_duration_days, settings.update_interval_minutes), (Some(14.0), 60));
    assert!(
        (settings.exploration_floor - 0.05).abs() < 1e-12
            && (settings.traffic_allocation - 1.0).abs() < 1e-12
    );
    assert_eq!(settings.guardrails.len(), 5);
    let manual = NewSettings { decision: Some(Mode::Manual), ..NewSettings::default() };
    assert!(!manual.settle(2).unwrap().auto_promote);
}

#[test]
fn the_edges_of_what_may_be_chosen_are_taken() {
    for taken in [
        NewSettings { traffic_allocation: Some(0.0), ..NewSettings::default() },
        NewSettings { max_duration_days: Some(1e-9), ..NewSettings::default() },
        NewSettings { exploration_floor: Some(0.1), min_samples: Some(1), ..NewSettings::default() },
    ] {
        assert!(taken.clone().settle(10).is_ok(), "{taken:?}");
    }
    assert!(NewSettings { exploration_floor: Some(0.100_1), ..NewSettings::default() }.settle(10).is_err());
}
