//! Assertions as a test set's author meets them: read from a case, judged on an output.

mod judged;
mod measures;
mod poison;
mod refused;
mod sets;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn case(fields: &str) -> Case {
    Case::parse(format!(r#"{{"vars":{{}},{fields}}}"#).as_bytes(), 1).unwrap()
}

/// A case of one assertion.
fn alone(assertion: &str) -> Case {
    case(&format!(r#""assert":[{assertion}]"#))
}

fn answered(output: &str) -> Answered<'_> {
    Answered { output, latency_ms: 0, cost_usd: Usd::default() }
}

/// The score of a case without questions.
fn scored(case: &Case, output: &str) -> CaseScore {
    score(case, &answered(output), &BTreeMap::new()).unwrap()
}

fn negated(assertion: &str) -> String {
    assertion.replacen(r#""type":""#, r#""type":"not-"#, 1)
}

/// Whether an output passes a case of this one assertion, as it is and negated.
fn holds(assertion: &str, output: &str) -> (bool, bool) {
    (scored(&alone(assertion), output).passed, scored(&alone(&negated(assertion)), output).passed)
}

const YES: (bool, bool) = (true, false);
const NO: (bool, bool) = (false, true);

#[test]
fn each_type_and_its_negation() {
    for (assertion, output, expected) in [
        (r#"{"type":"equals","value":"Refund"}"#, "Refund", YES),
        (r#"{"type":"equals","value":"Refund"}"#, "Refund ", NO),
        (r#"{"type":"equals","value":1.50}"#, "1.50", YES),
        (r#"{"type":"equals","value":true}"#, "true", YES),
        (r#"{"type":"equals","value":{"a":[1,2]}}"#, " {\"a\": [1.0, 2]}", YES),
        (r#"{"type":"equals","value":{"a":[1,2]}}"#, "{\"a\": [2, 1]}", NO),
        (r#"{"type":"equals","value":[1]}"#, "not JSON", NO),
        (r#"{"type":"contains","value":"efu"}"#, "Refund", YES),
        (r#"{"type":"contains","value":"EFU"}"#, "Refund", NO),
        (r#"{"type":"contains","value":7}"#, "May 17", YES),
        (r#"{"type":"contains","value":"a, b"}"#, "a, b", YES),
        (r#"{"type":"icontains","value":"STRASSE Ä"}"#, "die strasse ä 5", YES),
        (r#"{"type":"icontains","value":"x"}"#, "Refund", NO),
        (r#"{"type":"starts-with","value":"Re"}"#, "Refund", YES),
        (r#"{"type":"starts-with","value":"fund"}"#, "Refund", NO),
        (r#"{"type":"regex","value":"^\\d{4}-\\d\\d$"}"#, "2026-11", YES),
        (r#"{"type":"regex","value":"^\\d{4}-\\d\\d$"}"#, "in 2026-11", NO),
        (r#"{"type":"regex","value":"und"}"#, "Refund", YES),
        (r#"{"type":"is-json"}"#, " [1, null] ", YES),
        (r#"{"type":"is-json","value":null}"#, "```json\n{}\n```", NO),
        (r#"{"type":"is-json","value":{"required":["a"]}}"#, r#"{"a":1}"#, YES),
        (r#"{"type":"is-json","value":{"required":["a"]}}"#, r#"{"b":1}"#, NO),
        (r#"{"type":"is-json","value":{"required":["a"]}}"#, "prose", NO),
        (r#"{"type":"is-json","value":{"format":"date"}}"#, "\"2026-11-20\"", YES),
        (r#"{"type":"is-json","value":{"format":"date"}}"#, "\"2026-11-31\"", NO),
        (r##"{"type":"is-json","value":{"items":{"$ref":"#"},"maxItems":1}}"##, "[[[]]]", YES),
        (r##"{"type":"is-json","value":{"items":{"$ref":"#"},"maxItems":1}}"##, "[[[1,2]]]", NO),
    ] {
        assert_eq!(holds(assertion, output), expected, "{assertion} on {output}");
    }
}

#[test]
fn lists_of_texts() {
    for (assertion, output, expected) in [
        (r#"{"type":"contains-any","value":["cat","dog"]}"#, "a dog", YES),
        (r#"{"type":"contains-any","value":["cat","dog"]}"#, "a Dog", NO),
        (r#"{"type":"contains-any","value":"cat , dog"}"#, "a dog", YES),
        (r#"{"type":"contains-any","value":"cat,,dog,"}"#, "a cow, a pig", NO),
        (r#"{"type":"contains-any","value":"\"a, b\", \"say \"\"hi\"\"\""}"#, "a", NO),
        (r#"{"type":"contains-any","value":"\"a, b\", \"say \"\"hi\"\"\""}"#, "a, b", YES),
        (r#"{"type":"contains-any","value":"\"a, b\", \"say \"\"hi\"\"\""}"#, r#"say "hi""#, YES),
        (r#"{"type":"contains-any","value":"\"\\\"\\\\\",x"}"#, r#"a "\ b"#, YES),
        (r#"{"type":"contains-any","value":[7,true]}"#, "May 17", YES),
        (r#"{"type":"contains-any","value":7}"#, "May 17", YES),
        (r#"{"type":"contains-all","value":["cat","dog"]}"#, "dog and cat", YES),
        (r#"{"type":"contains-all","value":["cat","dog"]}"#, "dog", NO),
        (r#"{"type":"contains-all","value":"cat,dog"}"#, "cat or dog", YES),
        (r#"{"type":"icontains-any","value":["CAT","Ähre"]}"#, "eine ähre", YES),
        (r#"{"type":"icontains-any","value":"CAT,Ähre"}"#, "eine ehre", NO),
        (r#"{"type":"icontains-all","value":["CAT","dog"]}"#, "Cat and DOG", YES),
        (r#"{"type":"icontains-all","value":["CAT","dog"]}"#, "Cat", NO),
    ] {
        assert_eq!(holds(assertion, output), expected, "{assertion} on {output}");
    }
    let missing = scored(&alone(r#"{"type":"contains-all","value":["a","b"]}"#), "a");
    assert_eq!(
        missing.results[0].reason,
        r#"expected the output to contain all of ["a", "b"] (without "b"), got "a""#
    );
}

#[test]
fn json_inside_of_prose() {
    let of_schema = r#"{"type":"contains-json","value":{"type":"object","required":["a"]}}"#;
    for (assertion, output, expected) in [
        (r#"{"type":"contains-json"}"#, "Sure:\n```json\n{\"a\": 1}\n```\nDone.", YES),
        (r#"{"type":"contains-json"}"#, "é {} ü", YES),
        (r#"{"type":"contains-json"}"#, "[1, 2]", NO),
        (r#"{"type":"contains-json"}"#, r#"[1, {"a": 2}"#, YES),
        (r#"{"type":"contains-json"}"#, "{ not JSON } and [neither", NO),
        (r#"{"type":"contains-json"}"#, "17 \"text\" null", NO),
        (r#"{"type":"contains-json"}"#, "{ { {\"a\": [}]} {\"b\":{}}", YES),
        (of_schema, r#"[1] {"b":1} then {"a":1}"#, YES),
        (of_schema, r#"[1] {"b":1}"#, NO),
        (of_schema, r#"[{"b":1}, {"a":1}]"#, YES),
        // What is inside of a value is not a value of its own.
        (of_schema, r#"{"b":{"a":1}}"#, NO),
        (of_schema, "nothing", NO),
    ] {
        assert_eq!(holds(assertion, output), expected, "{assertion} on {output}");
    }
}

#[test]
fn expected_alone_is_equals_after_trimming() {
    let alone = case(r#""expected":" Refund\n""#);
    assert!(scored(&alone, "Refund ").passed);
    assert!(!scored(&alone, "refund").passed);
    let result = &scored(&alone, "refund").results[0];
    assert_eq!(result.kind, "equals");
    assert_eq!(result.reason, r#"expected the output to equal "Refund", got "refund""#);
    assert!(scored(&case(r#""expected":1.50"#), "1.50").passed);
    assert!(!scored(&case(r#""expected":1.50"#), "1.5").passed);
    // With assertions, `expected` is what a reader compares with; the assertions decide.
    assert!(scored(&case(r#""expected":"a","assert":[{"type":"contains","value":"b"}]"#), "b").passed);
}

#[test]
fn the_weighted_mean_meets_the_threshold_or_all_must_pass() {
    let three = r#""assert":[{"type":"contains","value":"a","weight":7},
        {"type":"contains","value":"b","metric":"tone"},{"type":"contains","value":"c","weight":2}]"#;
    let all = scored(&case(three), "ab");
    assert!(!all.passed && (all.score - 0.8).abs() < 1e-12);
    assert_eq!(all.results[1].metric.as_deref(), Some("tone"));
    assert!(scored(&case(&format!("{three},\"threshold\":0.8")), "ab").passed);
    assert!(!scored(&case(&format!("{three},\"threshold\":0.81")), "ab").passed);
    assert!(scored(&case(&format!("{three},\"threshold\":0")), "").passed);
    let tenths = r#""threshold":0.8,"assert":[{"type":"contains","value":"a","weight":0.7},
        {"type":"contains","value":"b","weight":0.1},{"type":"contains","value":"c","weight":0.2}]"#;
    assert!(scored(&case(tenths), "ab").passed);
}

#[test]
fn weight_0_always_passes_but_is_shown() {
    let shown = r#"{"type":"contains","value":"zzz","weight":0}"#;
    let judged = scored(&case(&format!(r#""assert":[{{"type":"contains","value":"a"}},{shown}]"#)), "a");
    assert!(judged.passed && (judged.score - 1.0).abs() < f64::EPSILON);
    assert!(judged.results[1].passed && judged.results[1].score == 0.0);
    assert!(judged.results[1].reason.contains("zzz"));
    let alone = scored(&alone(shown), "a");
    assert!(alone.passed && alone.score == 0.0);
}

#[test]
fn reasons_are_short_and_results_read_back() {
    let judged = scored(&case(r#""expected":"a""#), &"é".repeat(10_000));
    assert!(judged.results[0].reason.len() < 600);
    let json = serde_json::to_string(&judged).unwrap();
    assert!(json.contains(r#""type":"equals""#) && !json.contains("members"));
    assert_eq!(serde_json::from_str::<CaseScore>(&json).unwrap(), judged);
}

#[test]
fn the_hash_of_a_case_covers_its_assertions() {
    let hash = |assertion: &str| alone(assertion).content_sha256();
    let set =
        |value: &str| format!(r#"{{"type":"assert-set","assert":[{{"type":"equals","value":"{value}"}}]}}"#);
    assert_eq!(hash(&set("a")), hash(&set("a")));
    assert_ne!(hash(&set("a")), hash(&set("b")));
    assert_ne!(
        hash(r#"{"type":"llm-rubric","value":"kind"}"#),
        hash(r#"{"type":"llm-rubric","value":"kind","provider":"other"}"#)
    );
}

/// What a judge says depends on its prompt too, and only what a judge says.
#[test]
fn the_hash_of_a_judged_case_covers_the_version_of_the_prompt() {
    let hash = |texts: &[&str]| {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hex::encode(hash.finalize())
    };
    let judged = r#"{"type":"assert-set","assert":[{"type":"llm-rubric","value":"a"}]}"#;
    assert_eq!(alone(judged).content_sha256(), hash(&["{}", "", "", "judge prompt 1", judged]));
    let similar = r#"{"type":"similar","value":"a"}"#;
    assert_eq!(alone(similar).content_sha256(), hash(&["{}", "", "", similar]));
}

proptest! {
    #[test]
    fn any_output_is_judged(output in ".{0,40}", weight in 0.0..1e6_f64, threshold in 0.0..=1.0_f64) {
        let judged = scored(&case(&format!(
            r#""threshold":{threshold},"assert":[{{"type":"regex","value":"[a-m]","weight":{weight}}},
            {{"type":"not-is-json"}},{{"type":"bleu","value":"a b c"}},{{"type":"not-rouge-n","value":"a b"}},
            {{"type":"contains-json"}},{{"type":"levenshtein","value":"abc"}},{{"type":"is-refusal"}}]"#
        )), &output);
        prop_assert!((0.0..=1.0).contains(&judged.score));
        prop_assert_eq!(judged.passed, reaches(judged.score, threshold));
    }

    #[test]
    fn a_list_written_as_text_is_the_list(texts in prop::collection::vec("[ -~]{1,8}", 1..5)) {
        let quoted = texts.iter().map(|text| text.replace('\\', "\\\\").replace('"', "\"\""));
        let written = quoted.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(" , ");
        let json = serde_json::value::to_raw_value(&written).unwrap();
        prop_assert_eq!(list::separated("contains-any", &crate::content::Literal(json), 9), Ok(texts));
    }
}
