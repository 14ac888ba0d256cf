//! Test sets: labelled cases that a version is evaluated on.
//!
//! A test set's version is JSON Lines: as it was uploaded, or made once of a table or of promptfoo's YAML.
//! Cases are read from it one by one by byte range.

mod assertions;
mod format;
mod intake;
mod jsonl;
mod node;
mod placeholder;
mod promptfoo;
mod shorthand;
mod table;
mod test;
#[cfg(test)]
mod tests;
mod yaml;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use self::{
    format::{Format, Parsed, parse},
    jsonl::{CaseLine, CaseRange, ParsedTestSet, case_lines, parse_jsonl},
};
use crate::{
    Error, Result,
    assertion::{Assertion, judge::JUDGE_VERSION, parse_all},
    content::Literal,
};

/// The most cases of a test set.
pub const MAX_CASES: usize = 10_000;
/// The most bytes of a test set.
pub const MAX_TEST_SET_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of one case.
pub const MAX_CASE_BYTES: usize = 200 * 1024;
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
        let document: CaseDocument = object("a case", line)?;
        check(&document)?;
        let mut assertions = parse_all(&document.assert)?;
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
        let judge = self.is_judged().then(|| format!("judge prompt {JUDGE_VERSION}"));
        let texts = [vars.0.get(), expected, &threshold].into_iter().chain(judge.as_deref());
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
    require_few_tags(document.tags.len())?;
    if document.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err("`threshold` is a number from 0 to 1".to_owned());
    }
    Ok(())
}

fn require_few_tags(tags: usize) -> Result<(), String> {
    if tags > MAX_TAGS { Err(format!("a case has at most {MAX_TAGS} tags")) } else { Ok(()) }
}

/// Reads an object; `what` names it. A list, which serde takes for the fields in their order, is refused.
pub(crate) fn object<T: DeserializeOwned>(what: &str, json: &[u8]) -> Result<T, String> {
    if json.trim_ascii_start().starts_with(b"[") {
        return Err(format!("{what} is an object, not a list"));
    }
    serde_json::from_slice(json).map_err(|error| plain(&error))
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
