//! Which values count and which are refused.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_158_000_000);

fn refusal(change: impl FnOnce(&mut Reported)) -> Option<String> {
    let mut reported = Reported::default();
    change(&mut reported);
    reported.check(NOW).err()
}

#[test]
fn a_value_that_cannot_be_is_refused_in_words() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -f64::MIN_POSITIVE] {
        assert!(refusal(|r| r.latency_ms = Some(bad)).unwrap().contains("latency_ms"), "{bad}");
        assert!(refusal(|r| r.cost_usd = Some(bad)).unwrap().contains("cost_usd"), "{bad}");
        assert!(refusal(|r| r.input_tokens = Some(bad)).unwrap().contains("input_tokens"), "{bad}");
        assert!(refusal(|r| r.eval_score = Some(bad)).unwrap().contains("eval_score"), "{bad}");
    }
    for bad in [0.0, 6.0, 3.5, f64::NAN] {
        assert!(refusal(|r| r.user_rating = Some(bad)).unwrap().contains("from 1 to 5"), "{bad}");
    }
    for bad in [-0.001, 1.0001, f64::NAN] {
        assert!(refusal(|r| r.quality = Some(bad)).unwrap().contains("quality"), "{bad}");
        assert!(refusal(|r| r.eval_score = Some(bad)).unwrap().contains("eval_score"), "{bad}");
    }
    assert!(refusal(|r| r.output_tokens = Some(1.5)).unwrap().contains("whole number"));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let said = refusal(|r| (r.user_rating, r.quality) = (Some(6.0), Some(2.0))).unwrap();
    assert!(said.contains("`user_rating` is 6") && said.contains("`quality` is 2"), "{said}");
}

#[test]
fn the_edges_of_each_range_count() {
    let edges = |latency_ms, cost_usd, user_rating, share| Reported {
        latency_ms: Some(latency_ms),
        cost_usd: Some(cost_usd),
        user_rating: Some(user_rating),
        quality: Some(share),
        eval_score: Some(share),
        ..Reported::default()
    };
    assert!(edges(0.0, 0.0, 1.0, 0.0).check(NOW).is_ok());
    let most = edges(MAX_LATENCY_MS, MAX_COST_USD, 5.0, 1.0).check(NOW).unwrap();
    assert_eq!((most.user_rating, most.cost), (Some(5), Some(Usd::from_nanos(10_000_000_000_000))));
}

#[test]
fn a_moment_counts_from_35_days_ago_to_5_minutes_ahead() {
    let at = |at: Timestamp| refusal(|r| r.timestamp = Some(at));
    let second = Duration::from_secs(1);
    assert_eq!(at(NOW.plus(AHEAD)), None);
    assert_eq!(at(NOW.minus(OLDEST)), None);
    assert!(at(NOW.plus(AHEAD).plus(second)).unwrap().contains("ahead"));
    assert!(at(NOW.minus(OLDEST).minus(second)).unwrap().contains("35 days"));
}

#[test]
fn feedback_alone_is_not_a_call() {
    let rated = Values { user_rating: Some(5), success: Some(true), ..Values::default() };
    assert!(!rated.is_call());
    assert!(Values { error: Some(false), ..rated }.is_call());
    assert!(Values::default().is_call(), "who says nothing more has called");
}

#[test]
fn every_value_that_was_given_is_measured() {
    let values = Values { success: Some(false), latency_ms: Some(12.5), ..Values::default() };
    assert_eq!(values.measured(), [(Measure::Success, 0.0), (Measure::LatencyMs, 12.5)]);
}
