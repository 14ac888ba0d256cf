//! YAML as values: their JSON, their lines, and the bounds.

use super::*;
use crate::test_set::{MAX_CASE_BYTES, MAX_TEST_SET_BYTES};

fn json(text: &str) -> String {
    let node = parse(text, MAX_TEST_SET_BYTES).unwrap();
    node.literal(&mut MAX_CASE_BYTES.clone()).unwrap().as_str().to_owned()
}

fn refused(text: &str) -> Problem {
    parse(text, MAX_TEST_SET_BYTES).unwrap_err()
}

#[test]
fn values_become_json() {
    for (yaml, expected) in [
        ("", "null"),
        ("# nothing\n", "null"),
        ("a: 1\nb: [x, 'y', \"z\\n\"]\n", r#"{"a":1,"b":["x","y","z\n"]}"#),
        ("a: |\n  one\n  two\nb: >\n  one\n  two\n", r#"{"a":"one\ntwo\n","b":"one two\n"}"#),
        ("a: {b: {c: []}}", r#"{"a":{"b":{"c":[]}}}"#),
        ("1: a\ntrue: b\nnull: c", r#"{"1":"a","true":"b","null":"c"}"#),
        ("a: &x {k: 1}\nb: *x\nc: [*x]", r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}"#),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", r#"{"a":{"k":1,"l":2},"b":{"k":3,"l":2}}"#),
        ("- &x {k: 1}\n- {<<: [*x, {k: 2, m: 3}]}", r#"[{"k":1},{"k":1,"m":3}]"#),
        ("[!!str 5, !!int \"5\", ! 5, !!null '', !!float 1]", r#"["5",5,"5",null,1]"#),
        ("!!map {a: !!seq [b]}", r#"{"a":["b"]}"#),
        ("{\"a\": \"\\u00e9\", \"b\": null}", r#"{"a":"é","b":null}"#),
    ] {
        assert_eq!(json(yaml), expected, "{yaml}");
    }
}

#[test]
fn values_know_their_lines() {
    let node = parse("# notes\nlist:\n  - a\n\n  - k: &x b\n    l: *x\n", MAX_TEST_SET_BYTES).unwrap();
    let list = node.get("list").unwrap().items("it").unwrap();
    assert_eq!(list[0].place.line, 3);
    assert_eq!(list[1].place.line, 5);
    assert_eq!(list[1].entries("it").unwrap()[1].place.line, 6);
}

#[test]
fn what_cannot_be_read_is_refused_by_its_line() {
    for (yaml, line, why) in [
        ("a: 1\nb: [", 2, "not YAML"),
        ("a: 1\nb: }", 2, "not YAML"),
        ("a: 1\nb: 2\na: 3", 3, "`a` stands here for the second time"),
        ("a: 1\n? [b]\n: c", 2, "a name is a text"),
        ("a: 1\nb: !include x.yaml", 2, "`!include`"),
        ("a: 1\nb: !custom {}", 2, "`!custom`"),
        ("a: 1\nb: !!int five", 2, "not the int"),
        ("a: 1\nb: !!binary aGk=", 2, "binary"),
        ("a: 1\nb: !!set {a}", 2, "set"),
        ("a: 1\nb: .inf", 2, "infinity"),
        ("a: 1\nb: *nobody", 2, "unknown anchor"),
        ("a: 1\nb: &b [*b]", 2, "inside of what it names"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 1\n<<: 2", 2, "mapping"),
    ] {
        let problem = refused(yaml);
        assert_eq!(problem.0, line, "{yaml}: {problem:?}");
        assert!(problem.1.contains(why), "{yaml}: {problem:?}");
    }
}

#[test]
fn aliases_are_counted_as_if_written_out() {
    let laughs = (1..40).map(|level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        format!("a{level}: &a{level} [{aliases}]\n")
    });
    let laughs: Vec<String> = std::iter::once("a0: &a0 [lol]\n".to_owned()).chain(laughs).collect();
    let (line, detail) = refused(&laughs.concat());
    assert!((6..9).contains(&line) && detail.contains("too large"), "{line}: {detail}");
    assert!(parse("a: &a [x]\nb: *a", 228).is_ok());
    assert!(parse("a: &a [x]\nb: *a", 227).is_err());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(100), MAX_TEST_SET_BYTES).is_ok());
    assert!(refused(&nested(101)).1.contains("nested"));
    // What an alias names is as deep as if it were written out.
    let twice = |first: usize, second: usize| {
        format!("a: &a {}\nb: {}*a{}", nested(first), "[".repeat(second), "]".repeat(second))
    };
    assert!(parse(&twice(50, 49), MAX_TEST_SET_BYTES).is_ok());
    let (line, detail) = refused(&twice(50, 50));
    assert!(line == 2 && detail.contains("nested"), "{line}: {detail}");
    assert_eq!(refused(&"[".repeat(1_000_000)).0, 1);
}
