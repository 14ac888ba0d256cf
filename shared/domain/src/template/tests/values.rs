//! What callers give: types, defaults, what is missing and what is too much.

use super::{ErrorKind, Values, check_error, declared, jinja, render_all, render_with};

const TYPES: &str = r#"[{"name": "s"}, {"name": "n", "type": "number"}, {"name": "j", "type": "json"}]"#;

#[test]
fn all_missing_variables_are_named_together() {
    let error = render_with("{{ s }}{{ n }}{{ j }}", TYPES, r#"{"n": "1"}"#).unwrap_err();
    assert_eq!(error.detail(), "Required variables are missing: s, j.");
    let pointers: Vec<_> = error.problems().iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/variables/s", "/variables/n", "/variables/j"]);
}

#[test]
fn a_wrong_type_is_refused_at_its_variable() {
    for (values, pointer) in [
        (r#"{"s": 1, "n": 1, "j": 1}"#, "/variables/s"),
        (r#"{"s": null, "n": 1, "j": 1}"#, "/variables/s"),
        (r#"{"s": "", "n": "1", "j": 1}"#, "/variables/n"),
        (r#"{"s": "", "n": true, "j": 1}"#, "/variables/n"),
        (r#"{"s": "\ud800", "n": 1, "j": 1}"#, "/variables/s"),
    ] {
        check_error(render_with("{{ s }}{{ n }}{{ j }}", TYPES, values), ErrorKind::Invalid, "`", pointer);
    }
    let deep = format!(r#"{{"s": "", "n": 1, "j": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    check_error(render_with("{{ j }}", TYPES, &deep), ErrorKind::Invalid, "nest more than", "/variables/j");
}

#[test]
fn an_optional_variable_without_value_is_absent() {
    let variables = r#"[{"name": "s", "required": false}, {"name": "j", "type": "json", "required": false}]"#;
    for (template, expected) in [
        ("[{{ s }}{{ j }}]", "[]"),
        ("{% if s or j %}yes{% else %}no{% endif %}", "no"),
        ("{% for x in j %}{{ x }}{% else %}none{% endfor %}", "none"),
        ("{{ s | default('polite') }} {{ j | default([]) }}", "polite []"),
        ("{{ s is defined }} {{ s ~ '!' }} {{ s | upper }} {{ j | length }} {{ j.a.b }}", "false !  0 "),
        ("{{ s == '' }} {{ s == 'x' }} {{ j is iterable }}", "false false true"),
    ] {
        assert_eq!(render_with(template, variables, "{}").unwrap(), expected, "{template}");
    }
}

#[test]
fn zero_false_and_defaults_are_printed() {
    let variables = r#"[{"name": "n", "type": "number", "default": 0}, {"name": "s", "default": "a{{ n }}"},
                        {"name": "j", "type": "json", "required": false, "default": false}]"#;
    assert_eq!(render_with("{{ n }} {{ s }} {{ j }}", variables, "{}").unwrap(), "0 a{{ n }} false");
    assert_eq!(render_with("{{ n }}", variables, r#"{"n": 2.0}"#).unwrap(), "2.0");
}

#[test]
fn a_default_of_the_wrong_type_is_refused() {
    let result =
        jinja("x").with_variables(Some(declared(r#"[{"name": "n", "type": "number", "default": "1"}]"#)));
    check_error(result, ErrorKind::Invalid, "The default must be a number", "/variables/0/default");
}

#[test]
fn unknown_values_are_ignored_and_listed() {
    let content = jinja("{{ a }}").with_variables(None).unwrap();
    let rendered = render_all(&content, r#"{"z": 1, "a": "1", "b": {}, "a": "2"}"#).unwrap();
    assert_eq!(rendered.ignored_variables, ["b", "z"]);
    assert_eq!(rendered.text.unwrap(), "2", "of two values of one name the last counts");
}

#[test]
fn values_are_a_json_object_of_bounded_size() {
    check_error(Values::parse("[1]"), ErrorKind::Invalid, "must be a JSON object", "/variables");
    assert_eq!(Values::parse("{\"a\": }").unwrap_err().kind(), ErrorKind::MalformedJson);
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(super::super::MAX_VALUES));
    check_error(Values::parse(&long), ErrorKind::Invalid, "longer than 256 KiB", "/variables");
}

#[test]
fn json_is_read_with_all_its_escapes_and_spaces() {
    let json =
        r#" { "q\"\\" : "\u00e9\ud83d\ude00\n\\" , "e" : { } , "l" : [ ] , "n" : [ -1.0E+2 , true ] } "#;
    let rendered = super::render("{{ v }}", json).unwrap();
    assert_eq!(rendered, r#"{"q\"\\":"é😀\n\\","e":{},"l":[],"n":[-1.0E+2,true]}"#);
    let (given, kept): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(json).unwrap(), serde_json::from_str(&rendered).unwrap());
    assert_eq!(given, kept);
}
