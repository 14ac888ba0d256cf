//! What an output must be: assertions with promptfoo's names and meaning, and the score of a case.
//!
//! Each check scores 0 or 1. The case's score is the mean weighted by `weight`; without a `threshold` on the case
//! every assertion must pass, with one the score must reach it and nothing else counts. Weight 0 always passes but
//! is shown. `value` is literal: unlike promptfoo, `{{name}}` in it is not replaced.

mod check;
mod schema;

use serde::{Deserialize, Serialize};

use self::check::Check;
use crate::{
    content::Literal,
    test_set::{Case, plain},
};

/// The longest output that assertions look at, in bytes: with the limits on expressions and schemas this bounds
/// the work. A longer one fails each of them.
pub const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// The greatest weight; it keeps sums of weights exact enough.
const MAX_WEIGHT: f64 = 1_000_000.0;

/// Room for the rounding of sums: 0.7 + 0.1 reaches a threshold of 0.8.
const ROUNDING: f64 = 1e-9;

/// An assertion, ready to be checked.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// Its type, with `not-` where it is negated.
    kind: String,
    check: Check,
    negated: bool,
    weight: f64,
    metric: Option<String>,
}

/// An assertion as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    value: Option<Literal>,
    #[serde(default)]
    threshold: Option<f64>,
    #[serde(default)]
    weight: Option<f64>,
    #[serde(default)]
    metric: Option<String>,
}

/// Reads the type alone: a type that we do not know has fields that we do not know.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
}

impl Assertion {
    /// Reads one assertion and prepares its check: what cannot be checked is refused here, not at evaluation.
    pub(crate) fn parse(written: &Literal) -> Result<Self, String> {
        let json = written.0.get();
        let named: Named = serde_json::from_str(json).map_err(|error| plain(&error))?;
        let base = named.kind.strip_prefix("not-").unwrap_or(&named.kind);
        check::require_supported(base)?;
        let definition: Definition = serde_json::from_str(json).map_err(|error| plain(&error))?;
        let weight = definition.weight.unwrap_or(1.0);
        if !(0.0..=MAX_WEIGHT).contains(&weight) {
            return Err(format!("`weight` is a number from 0 to {MAX_WEIGHT}"));
        }
        // A score of 0 or 1 reaches any threshold in here exactly when it is 1, so there is nothing to keep.
        if definition.threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold <= 1.0)) {
            return Err(format!("`threshold` of {base} is above 0 and at most 1: it scores 0 or 1"));
        }
        if definition.metric.as_ref().is_some_and(|metric| metric.chars().count() > 200) {
            return Err("`metric` is at most 200 characters".to_owned());
        }
        Ok(Self {
            check: Check::new(base, definition.value.as_ref())?,
            negated: base.len() < definition.kind.len(),
            kind: definition.kind,
            weight,
            metric: definition.metric,
        })
    }

    /// What `expected` alone means: `equals`, after trimming both.
    pub(crate) fn expected(expected: &Literal) -> Result<Self, String> {
        Ok(Self {
            kind: "equals".to_owned(),
            check: Check::expected(expected)?,
            negated: false,
            weight: 1.0,
            metric: None,
        })
    }

    fn result(&self, output: &str) -> AssertionResult {
        let failure = if output.len() > MAX_OUTPUT_BYTES {
            Some(format!("the output is longer than the {MAX_OUTPUT_BYTES} bytes that are checked"))
        } else {
            self.check.failure(output, self.negated)
        };
        AssertionResult {
            kind: self.kind.clone(),
            metric: self.metric.clone(),
            passed: failure.is_none() || self.weight == 0.0,
            score: if failure.is_none() { 1.0 } else { 0.0 },
            weight: self.weight,
            reason: failure.unwrap_or_else(|| "as expected".to_owned()),
        }
    }
}

/// What came of one assertion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssertionResult {
    /// The assertion's type, with `not-` where it is negated.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name under which its score is reported.
    pub metric: Option<String>,
    /// Whether it holds; always, with weight 0.
    pub passed: bool,
    /// 0 or 1.
    pub score: f64,
    /// How much it counts.
    pub weight: f64,
    /// Why it failed, in words; long texts are cut.
    pub reason: String,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseScore {
    /// Whether the case holds.
    pub passed: bool,
    /// The weighted mean of the assertions' scores, 0 to 1; 0 when nothing has weight.
    pub score: f64,
    /// The assertions, in their order.
    pub results: Vec<AssertionResult>,
}

/// Judges an output by the assertions of its case.
pub fn score(case: &Case, output: &str) -> CaseScore {
    let results: Vec<AssertionResult> =
        case.assertions().iter().map(|assertion| assertion.result(output)).collect();
    let weight: f64 = results.iter().map(|result| result.weight).sum();
    let weighted: f64 = results.iter().map(|result| result.score * result.weight).sum();
    let score = if weight > 0.0 { (weighted / weight).clamp(0.0, 1.0) } else { 0.0 };
    let passed = match case.document.threshold {
        Some(threshold) => score + ROUNDING >= threshold,
        None => results.iter().all(|result| result.passed),
    };
    CaseScore { passed, score, results }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case(fields: &str) -> Case {
        Case::parse(format!(r#"{{"vars":{{}},{fields}}}"#).as_bytes(), 1).unwrap()
    }

    fn refused(assertion: &str) -> String {
        let line = format!(r#"{{"vars":{{}},"assert":[{assertion}]}}"#);
        Case::parse(line.as_bytes(), 1).unwrap_err().detail().to_owned()
    }

    /// Whether an output passes a case of this one assertion, as it is and negated.
    fn holds(assertion: &str, output: &str) -> (bool, bool) {
        let negated = assertion.replacen(r#""type":""#, r#""type":"not-"#, 1);
        (
            score(&case(&format!(r#""assert":[{assertion}]"#)), output).passed,
            score(&case(&format!(r#""assert":[{negated}]"#)), output).passed,
        )
    }

    #[test]
    fn each_type_and_its_negation() {
        let yes = (true, false);
        let no = (false, true);
        for (assertion, output, expected) in [
            (r#"{"type":"equals","value":"Refund"}"#, "Refund", yes),
            (r#"{"type":"equals","value":"Refund"}"#, "Refund ", no),
            (r#"{"type":"equals","value":1.50}"#, "1.50", yes),
            (r#"{"type":"equals","value":true}"#, "true", yes),
            (r#"{"type":"equals","value":{"a":[1,2]}}"#, " {\"a\": [1.0, 2]}", yes),
            (r#"{"type":"equals","value":{"a":[1,2]}}"#, "{\"a\": [2, 1]}", no),
            (r#"{"type":"equals","value":[1]}"#, "not JSON", no),
            (r#"{"type":"contains","value":"efu"}"#, "Refund", yes),
            (r#"{"type":"contains","value":"EFU"}"#, "Refund", no),
            (r#"{"type":"contains","value":7}"#, "May 17", yes),
            (r#"{"type":"icontains","value":"STRASSE Ä"}"#, "die strasse ä 5", yes),
            (r#"{"type":"icontains","value":"x"}"#, "Refund", no),
            (r#"{"type":"starts-with","value":"Re"}"#, "Refund", yes),
            (r#"{"type":"starts-with","value":"fund"}"#, "Refund", no),
            (r#"{"type":"regex","value":"^\\d{4}-\\d\\d$"}"#, "2026-11", yes),
            (r#"{"type":"regex","value":"^\\d{4}-\\d\\d$"}"#, "in 2026-11", no),
            (r#"{"type":"regex","value":"und"}"#, "Refund", yes),
            (r#"{"type":"is-json"}"#, " [1, null] ", yes),
            (r#"{"type":"is-json","value":null}"#, "```json\n{}\n```", no),
            (r#"{"type":"is-json","value":{"required":["a"]}}"#, r#"{"a":1}"#, yes),
            (r#"{"type":"is-json","value":{"required":["a"]}}"#, r#"{"b":1}"#, no),
            (r#"{"type":"is-json","value":{"required":["a"]}}"#, "prose", no),
            (r#"{"type":"is-json","value":{"format":"date"}}"#, "\"2026-11-20\"", yes),
            (r#"{"type":"is-json","value":{"format":"date"}}"#, "\"2026-11-31\"", no),
            (r##"{"type":"is-json","value":{"items":{"$ref":"#"},"maxItems":1}}"##, "[[[]]]", yes),
            (r##"{"type":"is-json","value":{"items":{"$ref":"#"},"maxItems":1}}"##, "[[[1,2]]]", no),
        ] {
            assert_eq!(holds(assertion, output), expected, "{assertion} on {output}");
        }
    }

    #[test]
    fn expected_alone_is_equals_after_trimming() {
        let alone = case(r#""expected":" Refund\n""#);
        assert!(score(&alone, "Refund ").passed);
        assert!(!score(&alone, "refund").passed);
        let result = &score(&alone, "refund").results[0];
        assert_eq!(result.kind, "equals");
        assert_eq!(result.reason, r#"expected the output to equal "Refund", got "refund""#);
        assert!(score(&case(r#""expected":1.50"#), "1.50").passed);
        assert!(!score(&case(r#""expected":1.50"#), "1.5").passed);
        // With assertions, `expected` is what a reader compares with; the assertions decide.
        assert!(score(&case(r#""expected":"a","assert":[{"type":"contains","value":"b"}]"#), "b").passed);
    }

    #[test]
    fn the_weighted_mean_meets_the_threshold_or_all_must_pass() {
        let three = r#""assert":[{"type":"contains","value":"a","weight":7},
            {"type":"contains","value":"b","metric":"tone"},{"type":"contains","value":"c","weight":2}]"#;
        let all = score(&case(three), "ab");
        assert!(!all.passed && (all.score - 0.8).abs() < 1e-12);
        assert_eq!(all.results[1].metric.as_deref(), Some("tone"));
        assert!(score(&case(&format!("{three},\"threshold\":0.8")), "ab").passed);
        assert!(!score(&case(&format!("{three},\"threshold\":0.81")), "ab").passed);
        assert!(score(&case(&format!("{three},\"threshold\":0")), "").passed);
        let tenths = r#""threshold":0.8,"assert":[{"type":"contains","value":"a","weight":0.7},
            {"type":"contains","value":"b","weight":0.1},{"type":"contains","value":"c","weight":0.2}]"#;
        assert!(score(&case(tenths), "ab").passed);
    }

    #[test]
    fn weight_0_always_passes_but_is_shown() {
        let shown = r#"{"type":"contains","value":"zzz","weight":0}"#;
        let judged = score(&case(&format!(r#""assert":[{{"type":"contains","value":"a"}},{shown}]"#)), "a");
        assert!(judged.passed && (judged.score - 1.0).abs() < f64::EPSILON);
        assert!(judged.results[1].passed && judged.results[1].score == 0.0);
        assert!(judged.results[1].reason.contains("zzz"));
        let alone = score(&case(&format!(r#""assert":[{shown}]"#)), "a");
        assert!(alone.passed && alone.score == 0.0);
    }

    #[test]
    fn what_cannot_be_checked_is_refused_by_name() {
        for (assertion, why) in [
            (r#"{"type":"contains-any","value":["a"]}"#, "`contains-any` is not supported yet"),
            (
                r#"{"type":"not-llm-rubric","value":"kind","provider":"x"}"#,
                "`llm-rubric` is not supported yet",
            ),
            (r#"{"type":"assert-set","assert":[]}"#, "`assert-set` is not supported yet"),
            (r#"{"type":"javascript","value":"true"}"#, "runs code"),
            (r#"{"type":"not-python","value":"True"}"#, "runs code"),
            (r#"{"type":"equal","value":"a"}"#, "no assertion type `equal`"),
            (r#"{"type":"not-not-equals","value":"a"}"#, "no assertion type `not-equals`"),
            (r#"{"value":"a"}"#, "missing field `type`"),
            (r#"{"type":"equals","value":"a","wieght":2}"#, "unknown field `wieght`"),
            (r#"{"type":"equals","value":"a","weight":-1}"#, "`weight`"),
            (r#"{"type":"equals","value":"a","threshold":0}"#, "`threshold`"),
            (r#"{"type":"equals","value":"a","threshold":1.1}"#, "`threshold`"),
            (r#"{"type":"equals"}"#, "`value`"),
            (r#"{"type":"contains","value":""}"#, "`value`"),
            (r#"{"type":"contains","value":["a"]}"#, "`value`"),
            (r#"{"type":"regex","value":"("}"#, "unclosed group"),
            (r#"{"type":"regex","value":"(?=a)"}"#, "look-around"),
            (r#"{"type":"regex","value":"\\w{400}"}"#, "size limit"),
            (r#"{"type":"regex","value":5}"#, "`value`"),
            (r#"{"type":"is-json","value":{"type":"strin"}}"#, "/type"),
            (r#"{"type":"is-json","value":"{}"}"#, "`value`"),
            (
                r#"{"type":"is-json","value":{"$ref":"https://example.com/s.json"}}"#,
                "https://example.com/s.json",
            ),
            (r#"{"type":"is-json","value":{"$ref":"file:///etc/hosts"}}"#, "file:///etc/hosts"),
            (r#"{"type":"is-json","value":{"format":"colour"}}"#, "colour"),
            (r#"{"type":"is-json","value":{"pattern":"(?=a)"}}"#, "/pattern"),
        ] {
            let detail = refused(assertion);
            assert!(detail.starts_with("assert 1: ") && detail.contains(why), "{assertion}: {detail}");
        }
        let many = vec![r##"{"$ref":"#/$defs/a"}"##; 51].join(",");
        let schema = format!(r#"{{"type":"is-json","value":{{"$defs":{{"a":true}},"allOf":[{many}]}}}}"#);
        assert!(refused(&schema).contains("50 references"));
        let hundred_and_one = vec![r#"{"type":"is-json"}"#; 101].join(",");
        assert!(refused(&hundred_and_one).contains("100"));
    }

    #[test]
    fn an_output_beyond_the_bound_fails_everything() {
        let long = "a".repeat(MAX_OUTPUT_BYTES + 1);
        assert_eq!(holds(r#"{"type":"contains","value":"a"}"#, &long), (false, false));
    }

    #[test]
    fn reasons_are_short_and_results_read_back() {
        let judged = score(&case(r#""expected":"a""#), &"é".repeat(10_000));
        assert!(judged.results[0].reason.len() < 600);
        let json = serde_json::to_string(&judged).unwrap();
        assert!(json.contains(r#""type":"equals""#));
        assert_eq!(serde_json::from_str::<CaseScore>(&json).unwrap(), judged);
    }

    proptest! {
        #[test]
        fn any_output_is_judged(output in ".{0,40}", weight in 0.0..1e6_f64, threshold in 0.0..=1.0_f64) {
            let judged = score(&case(&format!(
                r#""threshold":{threshold},"assert":[{{"type":"regex","value":"[a-m]","weight":{weight}}},
                {{"type":"not-is-json"}}]"#
            )), &output);
            prop_assert!((0.0..=1.0).contains(&judged.score));
            prop_assert_eq!(judged.passed, judged.score + ROUNDING >= threshold);
        }
    }
}
