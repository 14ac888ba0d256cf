//! Test sets: labelled cases that a version is evaluated on.
//!
//! A test set's version is its JSONL exactly as it was uploaded; cases are read from it one by one by byte range.

mod jsonl;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use self::jsonl::{CaseLine, CaseRange, ParsedTestSet, case_lines, parse_jsonl};
use crate::{Error, Result, assertion::Assertion, content::Literal};

/// The most cases of a test set.
pub const MAX_CASES: usize = 10_000;
/// The most bytes of a test set.
pub const MAX_TEST_SET_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of one case.
pub const MAX_CASE_BYTES: usize = 200 * 1024;
const MAX_ASSERTIONS: usize = 100;
const MAX_TAGS: usize = 20;
const MAX_NAME_CHARS: usize = 200;

/// A case that may not get worse.
const CRITICAL: &str = "critical";

/// A case as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDocument {
    /// Its name, unique in the test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// The values of the prompt's variables: an object, kept as written.
    pub vars: Literal,
    /// The right answer. Alone it must equal the output, after trimming both; beside `assert` it is for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Literal>,
    /// What the output must be: `{type, value?, threshold?, weight?, metric?}`, kept as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assert: Vec<Literal>,
    /// The score to reach, 0 to 1; left out, every assertion must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Labels; `critical` ones decide on their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The author's own notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// A case, checked and with its assertions prepared: see [`score`](crate::assertion::score).
#[derive(Debug)]
pub struct Case {
    /// Its name, made from its position where it has none.
    pub case_id: String,
    /// What was written.
    pub document: CaseDocument,
    assertions: Vec<Assertion>,
}

impl Case {
    /// Reads one line of a test set. `number` is the case's position, from 1: it names a case without `case_id`.
    pub fn parse(line: &[u8], number: usize) -> Result<Self> {
        Self::read(line, number).map_err(|detail| Error::invalid("", detail))
    }

    fn read(line: &[u8], number: usize) -> Result<Self, String> {
        if line.len() > MAX_CASE_BYTES {
            return Err(format!("the case has {} bytes; {MAX_CASE_BYTES} are allowed", line.len()));
        }
        let document: CaseDocument = serde_json::from_slice(line).map_err(|error| plain(&error))?;
        check(&document)?;
        let mut assertions = Vec::with_capacity(document.assert.len().max(1));
        for (index, written) in document.assert.iter().enumerate() {
            let assertion = Assertion::parse(written);
            assertions.push(assertion.map_err(|detail| format!("assert {}: {detail}", index + 1))?);
        }
        if let (Some(expected), []) = (&document.expected, assertions.as_slice()) {
            assertions.push(Assertion::expected(expected)?);
        }
        if assertions.is_empty() {
            return Err("the case has neither `expected` nor `assert`, so nothing could fail".to_owned());
        }
        let case_id = document.case_id.clone().unwrap_or_else(|| format!("case-{number:05}"));
        Ok(Self { case_id, document, assertions })
    }

    /// What the output must be.
    pub(crate) fn assertions(&self) -> &[Assertion] {
        &self.assertions
    }

    /// Whether this case decides on its own.
    pub fn is_critical(&self) -> bool {
        self.document.tags.iter().any(|tag| tag == CRITICAL)
    }

    /// A hash of all that the outcome depends on, as lower-case hex: two runs compare a case only where this is
    /// the same. The name, the tags and the metadata are not in it; the spelling of the JSON is, because
    /// variables are rendered as written.
    pub fn content_sha256(&self) -> String {
        let CaseDocument { vars, expected, assert, threshold, .. } = &self.document;
        let expected = expected.as_ref().map_or("", |expected| expected.0.get());
        let threshold = threshold.map(|threshold| threshold.to_string()).unwrap_or_default();
        let texts = [vars.0.get(), expected, &threshold].into_iter();
        let mut hash = Sha256::new();
        for text in texts.chain(assert.iter().map(|assertion| assertion.0.get())) {
            // The length in front keeps neighbours apart.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hex::encode(hash.finalize())
    }
}

fn check(document: &CaseDocument) -> Result<(), String> {
    let names = document
        .tags
        .iter()
        .map(|tag| ("a tag", tag))
        .chain(document.case_id.iter().map(|id| ("`case_id`", id)));
    for (what, name) in names {
        if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control)
        {
            return Err(format!("{what} is 1 to {MAX_NAME_CHARS} characters, without control characters"));
        }
    }
    // Read once as values, so that what rendering could not take (depth, lone surrogates) is refused here.
    serde_json::from_str::<Map<String, Value>>(document.vars.0.get())
        .map_err(|error| format!("`vars` is an object of values: {}", plain(&error)))?;
    if document.assert.len() > MAX_ASSERTIONS {
        return Err(format!("a case has at most {MAX_ASSERTIONS} assertions"));
    }
    if document.tags.len() > MAX_TAGS {
        return Err(format!("a case has at most {MAX_TAGS} tags"));
    }
    if document.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err("`threshold` is a number from 0 to 1".to_owned());
    }
    Ok(())
}

/// The message without `at line 1 …`: it is always the first line, and of another text than the caller's.
pub(crate) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(message) if error.is_syntax() || error.is_eof() => {
            format!("{message} at column {}", error.column())
        }
        Some(message) => message.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(line: &str) -> Case {
        Case::parse(line.as_bytes(), 7).unwrap()
    }

    fn refused(line: &str) -> String {
        Case::parse(line.as_bytes(), 7).unwrap_err().detail().to_owned()
    }

    #[test]
    fn a_case_keeps_what_was_written() {
        let line = r#"{"case_id":"a","vars":{"price":1.50},"expected":"x","tags":["critical"],"metadata":{"by":"me"}}"#;
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
            ("[]", "invalid"),
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
}
