//! Assertions that count together.

use super::*;

/// Without its end, so that a test may add a threshold.
const SET: &str = r#"{"type":"assert-set","metric":"quality","weight":3,"assert":[
    {"type":"contains","value":"a"},{"type":"contains","value":"b","weight":3}]"#;

#[test]
fn a_set_passes_when_all_its_members_do_or_its_score_reaches_its_threshold() {
    let strict = alone(&format!("{SET}}}"));
    assert!(scored(&strict, "ab").passed);
    let half = scored(&strict, "b");
    assert!(!half.passed && (half.score - 0.75).abs() < 1e-12);
    assert_eq!(half.results[0].reason, "1 of the 2 assertions failed");
    assert_eq!(half.results[0].metric.as_deref(), Some("quality"));
    let passed: Vec<bool> = half.results[0].members.iter().map(|member| member.passed).collect();
    assert_eq!(passed, [false, true]);

    let lenient = alone(&format!("{SET},\"threshold\":0.75}}"));
    assert!(scored(&lenient, "b").passed);
    let below = scored(&lenient, "a");
    assert!(!below.passed);
    let one = alone(r#"{"type":"assert-set","assert":[{"type":"contains","value":"a"}]}"#);
    assert_eq!(scored(&one, "b").results[0].reason, "the assertion failed");
    assert_eq!(below.results[0].reason, "the score of the set is 0.25, below its threshold of 0.75");
}

#[test]
fn a_set_weighs_as_one_assertion() {
    let mixed = format!(r#""assert":[{{"type":"contains","value":"c"}},{SET}}}]"#);
    let judged = scored(&case(&mixed), "ac");
    // (1 x 1 + 3 x 0.25) / 4
    assert!((judged.score - 0.4375).abs() < 1e-12);
    let shown = alone(&format!("{}}}", SET.replacen("\"weight\":3", "\"weight\":0", 1)));
    assert!(scored(&shown, "").passed && scored(&shown, "").results[0].score == 0.0);
}

#[test]
fn results_of_sets_read_back() {
    let judged = scored(&alone(&format!("{SET}}}")), "b");
    let json = serde_json::to_string(&judged).unwrap();
    assert_eq!(serde_json::from_str::<CaseScore>(&json).unwrap(), judged);
}

#[test]
fn places_count_the_members_of_sets_and_not_the_sets() {
    let case = case(
        r#""assert":[{"type":"equals","value":"a"},
        {"type":"assert-set","assert":[{"type":"is-json"},{"type":"llm-rubric","value":"kind"}]},
        {"type":"not-factuality","value":"Paris"}]"#,
    );
    let places: Vec<usize> = case.questions("a").iter().map(|question| question.at).collect();
    assert_eq!(places, [2, 3]);
    let graded = |pass, reason: &str| Judgement::Graded { pass, score: 1.0, reason: reason.to_owned() };
    let judgements = BTreeMap::from([(2, graded(true, "warm")), (3, graded(false, "Rome"))]);
    let judged = score(&case, &answered("a"), &judgements).unwrap();
    assert!(judged.results[1].members[1].reason.contains("warm"));
    assert!(judged.results[2].passed && judged.results[2].reason.contains("Rome"));
}
