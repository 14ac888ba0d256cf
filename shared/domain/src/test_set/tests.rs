//! Tests of the cases themselves, and of the formats in the files below.

mod csv;
mod promptfoo;

use std::borrow::Cow;

use super::*;
use crate::FieldProblem;

fn case(line: &str) -> Case {
    Case::parse(line.as_bytes(), 7).unwrap()
}

fn refused(line: &str) -> String {
    Case::parse(line.as_bytes(), 7).unwrap_err().detail().to_owned()
}

#[test]
fn a_case_keeps_what_was_written() {
    let line =
        r#"{"case_id":"a","vars":{"price":1.50},"expected":"x","tags":["critical"],"metadata":{"by":"me"}}"#;
    let case = case(line);
    assert_eq!(case.case_id, "a");
    assert_eq!(case.document.vars.0.get(), r#"{"price":1.50}"#);
    assert!(case.is_critical());
    assert_eq!(serde_json::to_string(&case.document).unwrap(), line);
}

#[test]
fn a_case_without_a_name_is_named_by_its_position() {
    let case = case(r#"{"vars":{},"expected":"x"}"#);
    assert_eq!(case.case_id, "case-00007");
    assert!(!case.is_critical());
}

#[test]
fn what_is_wrong_is_said() {
    for (line, why) in [
        (r#"{"vars":{}}"#, "neither `expected` nor `assert`"),
        (r#"{"vars":{},"assert":[]}"#, "neither `expected` nor `assert`"),
        (r#"{"vars":{},"expected":null}"#, "neither `expected` nor `assert`"),
        (r#"{"expected":"x"}"#, "missing field `vars`"),
        (r#"{"vars":["a"],"expected":"x"}"#, "`vars` is an object"),
        (r#"{"vars":"{}","expected":"x"}"#, "`vars` is an object"),
        (r#"{"vars":{"a":"\ud800"},"expected":"x"}"#, "`vars` is an object"),
        (r#"{"vars":{},"expcted":"x"}"#, "unknown field `expcted`"),
        (r#"{"vars":{},"expected":"x","expected":"y"}"#, "duplicate field"),
        (r#"{"vars":{},"expected":"x","threshold":1.5}"#, "`threshold`"),
        (r#"{"vars":{},"expected":"x","case_id":""}"#, "`case_id`"),
        (r#"{"vars":{},"expected":"x","tags":["a\nb"]}"#, "a tag"),
        (r#"{"vars":{},"expected":"x","metadata":3}"#, "invalid type"),
        (r#"{"vars":{},"expected":"x""#, "EOF while parsing an object at column 25"),
        (r#"{"vars":{},"expected":"x"} {}"#, "trailing characters"),
        ("[]", "a case is an object"),
        (r#"[null,{},"x"]"#, "a case is an object"),
    ] {
        let detail = refused(line);
        assert!(detail.contains(why), "{line}: {detail}");
    }
    let tags = serde_json::to_string(&vec!["t"; 21]).unwrap();
    assert!(refused(&format!(r#"{{"vars":{{}},"expected":"x","tags":{tags}}}"#)).contains("20 tags"));
    let long = "x".repeat(MAX_CASE_BYTES);
    assert!(refused(&format!(r#"{{"vars":{{}},"expected":"{long}"}}"#)).contains("204800"));
    assert!(Case::parse(b"{\"vars\":{\"a\":\"\xff\"},\"expected\":\"x\"}", 1).is_err());
}

#[test]
fn the_hash_covers_what_the_outcome_depends_on() {
    let hash = |line: &str| case(line).content_sha256();
    let base = hash(r#"{"vars":{"a":1.5},"expected":"x"}"#);
    assert_eq!(base.len(), 64);
    assert_eq!(
        base,
        hash(r#"{"case_id":"n","tags":["t"],"metadata":{}, "vars": {"a":1.5}, "expected": "x"}"#)
    );
    for other in [
        r#"{"vars":{"a":1.50},"expected":"x"}"#,
        r#"{"vars":{"a":1.5},"expected":"y"}"#,
        r#"{"vars":{"a":1.5},"expected":"x","threshold":0}"#,
        r#"{"vars":{"a":1.5},"expected":"x","assert":[{"type":"is-json"}]}"#,
    ] {
        assert_ne!(base, hash(other), "{other}");
    }
}

/// What is stored of a file: each line is a case that reads back, and the ranges and the hash are its own.
fn stored(format: Format, file: &str) -> Vec<String> {
    let parsed = parse(format, file.as_bytes()).unwrap();
    assert_eq!(parse_jsonl(&parsed.jsonl).unwrap(), parsed.test_set);
    let cases =
        parsed.test_set.cases.iter().map(|case| &parsed.jsonl[case.offset..case.offset + case.length]);
    cases.map(|case| String::from_utf8(case.to_vec()).unwrap()).collect()
}

fn error(format: Format, file: &[u8]) -> Error {
    parse(format, file).unwrap_err()
}

/// The lines that are wrong, and what is wrong there.
fn problems(format: Format, file: &str) -> Vec<(usize, String)> {
    let error = error(format, file.as_bytes());
    let problem = |problem: &FieldProblem| {
        let line = problem.pointer.strip_prefix('/').unwrap();
        let detail = problem.detail.strip_prefix(&format!("line {line}: ")).unwrap();
        (line.parse().unwrap(), detail.to_owned())
    };
    error.problems().iter().map(problem).collect()
}

#[test]
fn json_lines_are_stored_as_they_are() {
    let file = b"\xef\xbb\xbf{\"vars\":{},\"expected\":\"a\"}\r\n";
    let parsed = parse(Format::Jsonl, file).unwrap();
    assert!(matches!(parsed.jsonl, Cow::Borrowed(bytes) if bytes == file));
    assert_eq!(parsed.test_set, parse_jsonl(file).unwrap());
}
