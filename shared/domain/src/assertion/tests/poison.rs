//! Hostile test sets and outputs: bounded, and harmless.

use super::*;

#[test]
fn an_output_beyond_the_bound_fails_everything_that_looks_at_it() {
    let long = "a".repeat(MAX_OUTPUT_BYTES + 1);
    for assertion in [
        r#"{"type":"contains","value":"a"}"#,
        r#"{"type":"contains-json"}"#,
        r#"{"type":"rouge-n","value":"a"}"#,
        r#"{"type":"is-refusal"}"#,
        r#"{"type":"llm-rubric","value":"kind"}"#,
        r#"{"type":"similar","value":"kind"}"#,
    ] {
        assert_eq!(holds(assertion, &long), (false, false), "{assertion}");
    }
    assert_eq!(holds(r#"{"type":"latency","threshold":1}"#, &long), YES);
}

#[test]
fn expressions_that_would_backtrack_are_linear() {
    let bomb = r#"{"type":"regex","value":"^(a+)+$"}"#;
    assert_eq!(holds(bomb, &format!("{}b", "a".repeat(100_000))), NO);
    let schema = r#"{"type":"contains-json","value":{"additionalProperties":{"pattern":"^(a|a)*$"}}}"#;
    assert_eq!(holds(schema, &format!("{{\"a\":\"{}b\"}}", "a".repeat(100_000))), NO);
}

#[test]
fn braces_without_end_are_given_up() {
    let contains = r#"{"type":"contains-json"}"#;
    for (unit, not) in [("{\"a\":", ""), ("{\"a\":\n", "not-")] {
        let endless = alone(&format!(r#"{{"type":"{not}contains-json"}}"#));
        let result = &scored(&endless, &unit.repeat(MAX_OUTPUT_BYTES / unit.len())).results[0];
        assert_eq!(result.reason, "the output has too many braces that begin no JSON");
        assert!(!result.passed);
    }
    // An answer that was cut off is read through at each level that is open, and no further.
    let cut_off = format!("{{\"a\":{{\"c\":[{}", "{\"b\":1},\n".repeat(MAX_OUTPUT_BYTES / 10 - 1));
    assert_eq!(holds(contains, &cut_off), YES);
    assert_eq!(holds(contains, &"[link](there) { code } ".repeat(10_000)), NO);
    let deep = format!("{}1{}", "{\"a\":".repeat(1000), "}".repeat(1000));
    assert_eq!(holds(contains, &deep), YES);
    assert_eq!(holds(r#"{"type":"is-json"}"#, &deep), NO);
}

#[test]
fn deep_sets_do_not_exhaust_the_stack() {
    let deep = format!("{}{}", r#"{"type":"assert-set","assert":["#.repeat(5000), "]}".repeat(5000));
    let line = format!(r#"{{"vars":{{}},"assert":[{deep}]}}"#);
    let error = Case::parse(line.as_bytes(), 1).unwrap_err();
    assert!(error.detail().contains("cannot stand in another one"), "{}", error.detail());
}

#[test]
fn templates_are_texts() {
    let output = "{{ 7 * 7 }} {% for i in range(9) %}";
    assert_eq!(holds(r#"{"type":"equals","value":"{{ 7 * 7 }} {% for i in range(9) %}"}"#, output), YES);
    assert_eq!(holds(r#"{"type":"contains","value":"49"}"#, output), NO);
    // A value names no variable either.
    let case = case(r#""assert":[{"type":"equals","value":"{{name}}"}]"#);
    assert!(scored(&case, "{{name}}").passed);
}

/// Without what is found remembered, each level of the output doubles the work, and so does each of a chain.
#[test]
fn references_do_not_multiply_without_bound() {
    let doubled = r##"{"type":"is-json","value":{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}],
        "not":{"const":0}}}"##;
    let deep = |core: &str| format!("{}{core}{}", "[".repeat(60), "]".repeat(60));
    assert_eq!(holds(doubled, &deep("")), YES);
    assert_eq!(holds(doubled, &deep("0")), NO);

    let both = |level: usize| {
        format!(r##""{level}":{{"allOf":[{{"$ref":"#/$defs/{0}"}},{{"$ref":"#/$defs/{0}"}}]}}"##, level + 1)
    };
    let chain = |levels: usize| {
        let defs: Vec<String> = (0..levels).map(both).collect();
        let defs = defs.join(",");
        format!(r##"{{"type":"is-json","value":{{"$defs":{{{defs},"{levels}":true}},"$ref":"#/$defs/0"}}}}"##)
    };
    assert_eq!(holds(&chain(5), "1"), YES);
    let line = format!(r#"{{"vars":{{}},"assert":[{}]}}"#, chain(24));
    assert!(Case::parse(line.as_bytes(), 1).unwrap_err().detail().contains("10000 references"));

    // What compiles a schema is recursive, so a chain must not be too deep either.
    let nested = |levels: usize, depth: usize| {
        let inner = |level: usize| format!(r##"{{"$ref":"#/$defs/{}"}}"##, level + 1);
        let def = |level: usize| {
            format!(r#""{level}":{}{}{}"#, r#"{"not":"#.repeat(depth), inner(level), "}".repeat(depth))
        };
        let defs = (0..levels).map(def).collect::<Vec<_>>().join(",");
        format!(r##"{{"type":"is-json","value":{{"$defs":{{{defs},"{levels}":true}},"$ref":"#/$defs/0"}}}}"##)
    };
    assert_eq!(holds(&nested(48, 20), "1"), YES);
    let line = format!(r#"{{"vars":{{}},"assert":[{}]}}"#, nested(48, 100));
    assert!(Case::parse(line.as_bytes(), 1).unwrap_err().detail().contains("levels deep"));
}
