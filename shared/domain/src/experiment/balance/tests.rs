//! Whether arms got the traffic that they should.

use super::*;
use crate::experiment::estimate::tests::near;

const EVEN: [f64; 2] = [0.5, 0.5];

fn exposed<'a>(units: &'a [f64], weights: &'a [f64]) -> Exposed<'a> {
    Exposed { units, weights }
}

/// Golden vector of statistics.md §8.
#[test]
fn the_sample_ratio_is_the_golden_one() {
    let found = sample_ratio(2, [exposed(&[10_200.0, 9_800.0], &EVEN)]).unwrap();
    near(found.statistic, 8.0);
    near(found.p, 0.004_678);
    assert!(!found.flagged);
    assert!(sample_ratio(2, [exposed(&[10_250.0, 9_750.0], &EVEN)]).unwrap().flagged);
}

#[test]
fn each_version_is_measured_by_its_own_weights() {
    let moved = [exposed(&[500.0, 500.0], &EVEN), exposed(&[100.0, 900.0], &[0.1, 0.9])];
    let found = sample_ratio(2, moved).unwrap();
    assert!(found.statistic < 1e-9 && found.p > 0.999);
    // 600 against 1400 by weights that were even all along.
    assert!(sample_ratio(2, [exposed(&[600.0, 1400.0], &EVEN)]).unwrap().flagged);
}

#[test]
fn weights_need_not_sum_to_1() {
    let found = sample_ratio(2, [exposed(&[500.0, 1000.0], &[1.0, 2.0])]).unwrap();
    assert!(found.statistic < 1e-9);
}

#[test]
fn too_few_units_say_nothing() {
    assert!(sample_ratio(2, [exposed(&[499.0, 0.0], &EVEN)]).is_none());
    assert!(sample_ratio(2, [exposed(&[500.0, 0.0], &EVEN)]).unwrap().flagged);
    assert!(sample_ratio(2, [exposed(&[1.0, 499.0], &[0.009, 0.991])]).is_none());
    assert!(sample_ratio(2, [exposed(&[5.0, 495.0], &[0.01, 0.99])]).is_some());
    assert!(sample_ratio(2, []).is_none());
    assert!(sample_ratio(2, [exposed(&[0.0, 0.0], &EVEN), exposed(&[0.0, 0.0], &[0.0, 0.0])]).is_none());
}

#[test]
fn an_arm_that_is_out_is_left_out_and_one_arm_cannot_be_out_of_balance() {
    let found = sample_ratio(3, [exposed(&[500.0, 500.0, 0.0], &[0.5, 0.5, 0.0])]).unwrap();
    near(found.statistic, 0.0);
    near(found.p, 1.0);
    assert!(sample_ratio(1, [exposed(&[5000.0], &[1.0])]).is_none());
}

#[test]
fn more_arms_have_more_degrees_of_freedom() {
    let units = [1060.0, 940.0, 1000.0];
    let found = sample_ratio(3, [exposed(&units, &[1.0, 1.0, 1.0])]).unwrap();
    near(found.statistic, 7.2);
    near(found.p, (-3.6_f64).exp());
}

fn answered(with: f64, without: f64) -> Answered {
    Answered { with, without }
}

#[test]
fn a_rate_of_answers_that_differs_is_flagged() {
    // By hand: the rate is .25, each arm is off by 50 of 250 and of 750.
    let found = feedback_bias(&[answered(200.0, 800.0), answered(300.0, 700.0)]).unwrap();
    near(found.statistic, 2.0 * (2500.0 / 250.0 + 2500.0 / 750.0));
    assert!(found.flagged);
    let alike = feedback_bias(&[answered(240.0, 760.0), answered(260.0, 740.0)]).unwrap();
    assert!(!alike.flagged && alike.p > 0.2);
}

#[test]
fn the_rates_of_three_arms_have_two_degrees_of_freedom() {
    let found =
        feedback_bias(&[answered(100.0, 900.0), answered(120.0, 880.0), answered(140.0, 860.0)]).unwrap();
    near(found.statistic, 2.0 * (400.0 / 120.0 + 400.0 / 880.0));
    near(found.p, (-found.statistic / 2.0).exp());
}

#[test]
fn rates_of_few_answers_or_of_all_say_nothing() {
    assert!(feedback_bias(&[]).is_none());
    assert!(feedback_bias(&[answered(0.0, 0.0), answered(0.0, 0.0)]).is_none());
    assert!(feedback_bias(&[answered(0.0, 9000.0), answered(0.0, 9000.0)]).is_none());
    assert!(feedback_bias(&[answered(9000.0, 0.0), answered(9000.0, 0.0)]).is_none());
    assert!(feedback_bias(&[answered(9.0, 90.0), answered(0.0, 90.0)]).is_none());
    assert!(feedback_bias(&[answered(900.0, 900.0), answered(0.0, 0.0)]).is_none());
}
